from __future__ import annotations

from recsys.client.answers import FieldError
from recsys.errors import RecsysError


class ProblemError(RecsysError):
    """The service answered with an error (RFC 9457), or something else answered in its place.

    Attributes
    ----------
    status : int
    type : str
        What kind of problem, such as ``urn:recsys:problem:unknown-user``; ``about:blank`` where
        the status says it all.
    title : str
        The kind in words.
    detail : str
        What happened, and what to do about it; that the answer is not the service's own, where it
        is no JSON object.
    instance : str or None
        The path that was asked for.
    errors : list of FieldError
        One for each mistake in the request; empty for other problems.
    request_id : str or None
        By which the service's log names the request.
    retry_after : int or None
        Seconds after which the service wants to be asked again.
    """

    def __init__(
        self,
        status: int,
        type: str,  # noqa: A002 - the field's name
        title: str,
        detail: str,
        *,
        instance: str | None = None,
        errors: list[FieldError] | None = None,
        request_id: str | None = None,
        retry_after: int | None = None,
    ) -> None:
        super().__init__(f"{status} {title}: {detail}")
        self.status, self.type, self.title, self.detail = status, type, title, detail
        self.instance, self.errors = instance, errors or []
        self.request_id, self.retry_after = request_id, retry_after


class NoAnswerError(RecsysError):
    """The service could not be reached, or did not answer in time, however often it was asked."""

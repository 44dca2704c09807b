"""One exception per kind of mistake; the command line turns each into its exit code."""

from __future__ import annotations

from collections.abc import Mapping
from os import PathLike
from typing import ClassVar


class RecsysError(Exception):
    """Anything this package raises on purpose; exit code 1."""

    exit_code: ClassVar[int] = 1


class UsageError(RecsysError):
    """An option, argument or hyperparameter that makes no sense; exit code 2."""

    exit_code = 2


class DataError(RecsysError):
    """Ratings that cannot be read; exit code 3.

    Parameters
    ----------
    problem : str
        What is wrong.
    path : path, optional
        The file it is wrong in.
    line : int, optional
        The line of that file, counted from 1.
    value : object, optional
        What was found there.
    allowed : str, optional
        What may stand there.
    """

    exit_code = 3

    def __init__(
        self,
        problem: str,
        *,
        path: str | PathLike[str] | None = None,
        line: int | None = None,
        value: object = None,
        allowed: str | None = None,
    ) -> None:
        place = "" if path is None else f"{path}"
        if line is not None:
            place += f"{', ' if place else ''}line {line}"
        message = f"{place}: {problem}" if place else problem
        if value is not None:
            message += f"; found {value!r}"
        if allowed is not None:
            message += f"; allowed: {allowed}"
        super().__init__(message)
        self.path, self.line, self.value, self.allowed = path, line, value, allowed


class NotFoundError(RecsysError):
    """A user, item, version, alias or data set that does not exist; exit code 4."""

    exit_code = 4


class UnknownUserError(NotFoundError):
    """A user whom the version in use was not trained on."""

    def __init__(self, user_id: str, model_id: int) -> None:
        super().__init__(f"user {user_id!r} is unknown to version {model_id}")
        self.user_id, self.model_id = user_id, model_id


class NoModelError(NotFoundError):
    """There is no version that could be served."""


class DivergenceError(RecsysError):
    """Training left the finite numbers; nothing of it was stored.

    Parameters
    ----------
    objective : 'rating' or 'ranking'
    epoch : int
        Counted from 1.
    lr : float
        Learning rate of that time.
    """

    _ADVICE: ClassVar[Mapping[str, str]] = {
        "rating": "lower --lr or --momentum, or set --y-range",
        # With both objectives, --lr is that of the ratings.
        "ranking": (
            "train it alone with a lower --lr (--objective ranking), or leave it out "
            "(--objective rating)"
        ),
    }

    def __init__(self, objective: str, epoch: int, lr: float) -> None:
        super().__init__(
            f"training diverged in epoch {epoch} of the objective {objective}, at learning rate "
            f"{lr:g}: the loss is no longer a finite number; {self._ADVICE[objective]}"
        )
        self.objective, self.epoch, self.lr = objective, epoch, lr


class ConflictError(RecsysError):
    """Something was changed by somebody else since the caller read it."""


class StoreError(RecsysError):
    """The database cannot be used as it is."""


class DownloadError(RecsysError):
    """A data set could not be downloaded, or is not what its checksum says."""

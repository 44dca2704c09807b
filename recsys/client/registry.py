from __future__ import annotations

from typing import Any, cast

from recsys.client import registry_answers as answers
from recsys.client.resource import Id, Resource, quoted


class Registry(Resource):
    """The stored versions, what points to them, and the state of the service."""

    def list_models(
        self, *, limit: int | None = None, cursor: int | None = None
    ) -> answers.ModelList:
        """Return the stored versions, newest first."""
        found = self._get("/v1/models", {"limit": limit, "cursor": cursor})
        return cast("answers.ModelList", found)

    def show_model(self, model_ref: Id = "champion") -> answers.ModelDetail:
        """Return one version, by its id or an alias, with how its training went."""
        return cast("answers.ModelDetail", self._get(f"/v1/models/{quoted(model_ref)}"))

    def compare_models(self, from_: Id, to: Id) -> answers.Comparison:
        """Return two versions side by side, each given by its id or an alias."""
        found = self._get("/v1/models/compare", {"from": from_, "to": to})
        return cast("answers.Comparison", found)

    def show_alias(self, alias: str = "champion") -> answers.Alias:
        """Return what an alias points to."""
        return cast("answers.Alias", self._get(f"/v1/models/aliases/{quoted(alias)}"))

    def promote_model(
        self, model_id: int, alias: str = "champion", *, expected_revision: int | None = None
    ) -> answers.Alias:
        """Point an alias to a version.

        Parameters
        ----------
        model_id : int
        alias : str
        expected_revision : int, optional
            Move the alias only if this is its revision; else a `ProblemError` with status 409.
        """
        body: dict[str, Any] = {"model_id": model_id, "expected_revision": expected_revision}
        found = self._transport.ask(
            "PUT", f"/v1/models/aliases/{quoted(alias)}", body=body, may_repeat=False
        )
        return cast("answers.Alias", found)

    def roll_back_alias(
        self, alias: str = "champion", *, expected_revision: int | None = None
    ) -> answers.Alias:
        """Point an alias to the version that it pointed to before.

        Parameters
        ----------
        alias : str
        expected_revision : int, optional
            As of `promote_model`.
        """
        path = f"/v1/models/aliases/{quoted(alias)}/rollback"
        body = {"expected_revision": expected_revision}
        return cast("answers.Alias", self._transport.ask("POST", path, body=body, may_repeat=False))

    def show_health(self) -> answers.Health:
        """Return that the process answers."""
        return cast("answers.Health", self._get("/healthz"))

    def show_readiness(self) -> answers.Readiness:
        """Return which version answers; a `ProblemError` with status 503 if there is none."""
        # Asked once: whoever asks wants to know how it is now.
        found = self._transport.ask("GET", "/readyz", may_repeat=False)
        return cast("answers.Readiness", found)

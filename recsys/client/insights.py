from __future__ import annotations

from typing import Literal, cast

from recsys.client import insight_answers as answers
from recsys.client.resource import Id, Resource


class Insights(Resource):
    """What the embeddings learned, as ``docs/insights.md`` explains it."""

    def list_biases(
        self,
        *,
        order: Literal["worst", "best"] | None = None,
        limit: int | None = None,
        offset: int | None = None,
        min_ratings: int | None = None,
    ) -> answers.BiasList:
        """Return the worst- or best-rated items by learned bias."""
        query = {"order": order, "limit": limit, "offset": offset, "min_ratings": min_ratings}
        return cast("answers.BiasList", self._get("/v1/insights/bias", query))

    def list_axes(
        self, *, components: int | None = None, top: int | None = None
    ) -> answers.PcaList:
        """Return the principal axes of the item embeddings."""
        query = {"components": components, "top": top}
        return cast("answers.PcaList", self._get("/v1/insights/pca", query))

    def show_axis(self, component: int, *, top: int | None = None) -> answers.PcaAxisDetail:
        """Return one principal axis, counted from 0."""
        found = self._get(f"/v1/insights/pca/{component}", {"top": top})
        return cast("answers.PcaAxisDetail", found)

    def show_map(
        self,
        *,
        limit: int | None = None,
        offset: int | None = None,
        min_ratings: int | None = None,
    ) -> answers.MapList:
        """Return the items along the first two principal axes."""
        query = {"limit": limit, "offset": offset, "min_ratings": min_ratings}
        return cast("answers.MapList", self._get("/v1/insights/map", query))

    def list_drift(
        self,
        from_: Id,
        to: Id,
        *,
        sort: Literal["distance", "rank"] | None = None,
        limit: int | None = None,
        offset: int | None = None,
        min_ratings: int | None = None,
    ) -> answers.DriftList:
        """Return what moved between two versions, each given by its id or an alias."""
        query = {
            "from": from_,
            "to": to,
            "sort": sort,
            "limit": limit,
            "offset": offset,
            "min_ratings": min_ratings,
        }
        return cast("answers.DriftList", self._get("/v1/insights/drift", query))

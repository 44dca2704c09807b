"""Why an item stands where it stands in a list."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from pydantic import BaseModel, Field

from api.schemas.common import Number, Parameters
from api.schemas.items import ItemHead, head_fields
from recsys.model.snapshot import Objective
from recsys.serving import Person, Recommender
from recsys.serving.explanations import baseline, reasons, score_terms


class ExplanationQuery(Parameters):
    """How many reasons."""

    n_reasons: Annotated[int, Field(ge=1, le=1000, description="Number of reasons, at most.")] = 10


class Reason(BaseModel):
    """What an item that the user rated has to do with this one."""

    item_id: str
    title: str = Field(description="Without the year; the id where the title is unknown.")
    rating: Number | None = Field(description="The user's; null where it is only known as chosen.")
    influence: float | None = Field(
        description="What the rating adds to the score that orders the list; null for a user who "
        "was trained."
    )
    stars_influence: float | None = Field(
        description="What it adds to the predicted stars, on the logit where there is a `y_range`; "
        "null also where the version has no rating embeddings."
    )
    similarity: Number | None = Field(
        description="Cosine of both embeddings; null for somebody folded in."
    )
    share: Number | None = Field(
        description="The similarity, over the sum of those of all that the user liked; null for "
        "somebody folded in."
    )


class ScoreTerms(BaseModel):
    """Numbers that add up to a score; below 8,192 without rounding, in any order of adding."""

    objective: Objective = Field(description="Of the embeddings.")
    global_mean: float
    user_bias: float
    item_bias: float
    factors: list[float] = Field(
        description="Products of the entries of both embeddings, one for each factor."
    )
    score: float = Field(description="The sum of the numbers above.")
    trust: Number = Field(
        description="What `item_bias` and `factors` were multiplied with, as the item has few "
        "ratings; 1 otherwise."
    )
    baseline: float | None = Field(
        description="For somebody folded in: the score less what each of their ratings adds; null "
        "for a user who was trained."
    )


class StarTerms(ScoreTerms):
    """The same for the predicted rating, on the logit where there is a `y_range`."""

    y_range: list[float] | None = Field(
        description="Where not null, the stars are low + (high - low) / (1 + exp(-score))."
    )
    predicted_rating: Number = Field(description="In stars, cut to the rating scale.")
    low: Number | None = Field(
        description="8 of 10 such ratings lie between `low` and `high`; null where the version "
        "has no intervals."
    )
    high: Number | None


class Explanation(ItemHead):
    """What a user's score of an item is the sum of."""

    user_id: str
    order: ScoreTerms = Field(description="What orders the user's list, `popularity` being 0.")
    stars: StarTerms | None = Field(
        description="What predicts the rating; null where the version has no rating embeddings."
    )
    reasons: list[Reason] = Field(description="Strongest first.")
    model_id: int = Field(description="The version that made this answer.")


def shown_reasons(asked: Recommender, person: Person, row: int, n: int) -> list[Reason]:
    """Return the reasons for the item at ``row`` as an answer shows them."""
    ids, titles = asked.catalogue.item_ids, asked.catalogue.metadata.titles
    return [
        Reason(
            item_id=ids[reason.row],
            title=titles[reason.row] or ids[reason.row],
            rating=reason.value,
            influence=reason.influence,
            stars_influence=reason.stars_influence,
            similarity=reason.similarity,
            share=reason.share,
        )
        for reason in reasons(asked, person, row, n)
    ]


def explanation(
    asked: Recommender, user_id: str, person: Person, item_id: str, n_reasons: int
) -> Explanation:
    """Return the terms of a user's scores of an item as the answer shows them."""
    row, order = asked.item_row(item_id), asked.order
    return Explanation(
        **head_fields(asked.catalogue, row),
        user_id=user_id,
        order=ScoreTerms(**_terms(asked, person, row, order.objective, order.trust(row))),
        stars=_stars(asked, person, row) if "rating" in asked.sides else None,
        reasons=shown_reasons(asked, person, row, n_reasons),
        model_id=asked.model_id,
    )


def _stars(asked: Recommender, person: Person, row: int) -> StarTerms:
    side, ids = asked.side("rating"), [asked.catalogue.item_ids[row]]
    between = asked.predict_between(person, ids)
    low, high = (None, None) if between is None else (float(end[0]) for end in between)
    return StarTerms(
        **_terms(asked, person, row, "rating"),
        y_range=None if side.y_range is None else list(side.y_range),
        predicted_rating=float(asked.predict(person, ids)[0]),
        low=low,
        high=high,
    )


def _terms(
    asked: Recommender, person: Person, row: int, objective: Objective, trust: float = 1.0
) -> dict[str, Any]:
    side, folded = asked.side(objective), person.folded.get(objective)
    terms = score_terms(side, person.rows[objective], row, trust)
    return asdict(terms) | {
        "objective": objective,
        "score": terms.score,
        "baseline": baseline(side, folded, row, terms.score, trust),
    }

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from types import TracebackType
from typing import TypeVar, Unpack, cast

from recsys.client import answers, questions
from recsys.client.answers import Page
from recsys.client.insights import Insights
from recsys.client.registry import Registry
from recsys.client.resource import Id, quoted
from recsys.client.transport import Transport

Row = TypeVar("Row")


class Client(Insights, Registry):
    """The routes of a service, one method each, named as in its ``/openapi.json``.

    Answers are dictionaries, as the service gives them; `recsys.client.answers` has their types.
    What filters and options mean, and what they are by default, is in ``docs/api.md``. Every
    method raises `ProblemError` for an error that the service answers, or for an answer that is not
    the service's own, and `NoAnswerError` where there is no answer. May be shared among threads,
    and used in a ``with`` statement.

    Parameters
    ----------
    url : str
        Such as ``http://127.0.0.1:8000``; with the prefix where a proxy has one.
    api_key : str, optional
        What ``recsys keys create`` printed; writes need it.
    timeout : float
        Seconds to wait for a connection, and for an answer to go on.
    retries : int
        How often a request is sent again that got no answer, 429 or 503. A promotion or rollback
        that may have been read is not.
    longest_wait : int
        Seconds to wait before that at most, whatever ``Retry-After`` says.

    Raises
    ------
    UsageError
        If ``url`` is not an address, or ``api_key`` has other characters than printable ASCII.
    """

    def __init__(
        self,
        url: str,
        *,
        api_key: str | None = None,
        timeout: float = 10.0,
        retries: int = 3,
        longest_wait: int = 30,
    ) -> None:
        super().__init__(Transport(url, api_key, timeout, retries, longest_wait))

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections that are kept open."""
        self._transport.close()

    def follow(self, page: Page[Row]) -> Iterator[Row]:
        """Yield the rows of a list, page by page, to its end.

        Parameters
        ----------
        page : Page
            What a method returned. Of `list_for_newcomer` and `list_for_many` there are no further
            pages: ask them again, with ``offset``.
        """
        while True:
            yield from page["items"]
            if page["next"] is None:
                return
            page = cast("Page[Row]", self._transport.follow(page["next"]))

    def list_recommendations(
        self, user_id: Id, **options: Unpack[questions.RecommendationOptions]
    ) -> answers.RecommendationList:
        """Return items for a user, best first."""
        path = f"/v1/users/{quoted(user_id)}/recommendations"
        return cast("answers.RecommendationList", self._get(path, options))

    def list_for_newcomer(
        self, ratings: Mapping[Id, float | None], **options: Unpack[questions.ListOptions]
    ) -> answers.NewcomerList:
        """Return items for somebody unknown, by what they rated; nothing is kept.

        Parameters
        ----------
        ratings : mapping of item id to rating
            None where it is only known that the item was chosen.
        **options
            As of `list_recommendations`.
        """
        given = [
            {"item_id": item_id} if rating is None else {"item_id": item_id, "rating": rating}
            for item_id, rating in ratings.items()
        ]
        found = self._transport.ask(
            "POST", "/v1/recommendations", body={"ratings": given, **options}
        )
        return cast("answers.NewcomerList", found)

    def list_for_many(
        self, user_ids: Iterable[Id], **options: Unpack[questions.RecommendationOptions]
    ) -> answers.BatchList:
        """Return the lists of up to 100 users; an element has an ``error`` where it has no list."""
        body = {"user_ids": list(user_ids), **options}
        found = self._transport.ask("POST", "/v1/recommendations/batch", body=body)
        return cast("answers.BatchList", found)

    def list_predictions(
        self, user_id: Id, item_ids: Iterable[Id], *, level: float | None = None
    ) -> answers.PredictionList:
        """Return what a user would rate some items, in their order.

        Parameters
        ----------
        user_id : str or int
        item_ids : iterable of str or int
        level : float, optional
            Share of such ratings that lie between ``low`` and ``high``; .8 unless given.
        """
        query = {"item_ids": ",".join(map(str, item_ids)), "level": level}
        found = self._get(f"/v1/users/{quoted(user_id)}/predictions", query)
        return cast("answers.PredictionList", found)

    def explain_item(
        self, user_id: Id, item_id: Id, *, n_reasons: int | None = None
    ) -> answers.Explanation:
        """Return the terms that add up to a user's score of an item."""
        path = f"/v1/users/{quoted(user_id)}/items/{quoted(item_id)}/explanation"
        return cast("answers.Explanation", self._get(path, {"n_reasons": n_reasons}))

    def save_ratings(
        self, ratings: Iterable[questions.GivenRating], *, new_items: bool = False
    ) -> answers.RatingResultList:
        """Keep up to 1,000 ratings; look at ``n_refused``.

        Parameters
        ----------
        ratings : iterable of GivenRating
            Dictionaries of ``user_id``, ``item_id``, ``rating`` and, if known, ``timestamp``.
        new_items : bool
            Also keep ratings of items that the version does not know.
        """
        body = {"ratings": list(ratings), "new_items": new_items}
        found = self._transport.ask("POST", "/v1/ratings", body=body)
        return cast("answers.RatingResultList", found)

    def list_ratings(
        self, user_id: Id, *, limit: int | None = None, offset: int | None = None
    ) -> answers.UserRatingList:
        """Return what a user is known to have rated, newest first."""
        path = f"/v1/users/{quoted(user_id)}/ratings"
        found = self._get(path, {"limit": limit, "offset": offset})
        return cast("answers.UserRatingList", found)

    def delete_ratings(self, user_id: Id) -> None:
        """Forget all that a user rated, at once and in each training to come."""
        self._transport.ask("DELETE", f"/v1/users/{quoted(user_id)}/ratings")

    def delete_rating(self, user_id: Id, item_id: Id) -> None:
        """Forget what a user rated an item."""
        self._transport.ask("DELETE", f"/v1/users/{quoted(user_id)}/ratings/{quoted(item_id)}")

    def list_items(self, **options: Unpack[questions.ItemOptions]) -> answers.ItemList:
        """Return the catalogue, or what is found in it."""
        return cast("answers.ItemList", self._get("/v1/items", options))

    def show_item(self, item_id: Id) -> answers.ItemDetail:
        """Return one item."""
        return cast("answers.ItemDetail", self._get(f"/v1/items/{quoted(item_id)}"))

    def list_similar_items(
        self, item_id: Id, *, limit: int | None = None, min_ratings: int | None = None
    ) -> answers.SimilarList:
        """Return the nearest items by the cosine of their embeddings."""
        path = f"/v1/items/{quoted(item_id)}/similar"
        found = self._get(path, {"limit": limit, "min_ratings": min_ratings})
        return cast("answers.SimilarList", found)

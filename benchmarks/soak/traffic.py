"""What is asked in a soak, and whether each answer is one that a single version gives."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from hashlib import sha256

import numpy as np

from benchmarks.serving import load
from benchmarks.serving.load import Answer, Request

_MODEL_ID = re.compile(rb'"model_id":(\d+)')
_ETAG = re.compile(rb"\r\netag: ([^\r]+)", re.IGNORECASE)

_SHARE_WRITES, _SHARE_AGAIN = 0.03, 0.2
_N_WRITERS = 50
_N_USERS, _N_ITEMS = 200, 100


class Traffic:
    """Requests drawn from a seed, and a check of their answers.

    Lists, predictions and explanations of users, lists for newcomers, similar items and the
    catalogue; a part of them with the ``ETag`` of the answer before; and a few ratings of users of
    their own, which nobody else is told about.

    Parameters
    ----------
    user_ids, item_ids : list of str
        Those of the data; some of them are asked about.
    key : str
        An API key, for the ratings.
    rng : numpy.random.Generator

    Attributes
    ----------
    questions : list of Request
        Whose answers depend on the version alone.
    kept : dict of (str, str) to float
        The last rating of each user and item that was acknowledged.
    served : Counter of int
        Answers by version.
    problems : list of str
        What was wrong with answers.
    """

    def __init__(
        self, user_ids: list[str], item_ids: list[str], key: str, rng: np.random.Generator
    ) -> None:
        self._key, self._rng = key, rng
        self._item_ids = item_ids
        self._expected: dict[tuple[str, int], bytes] = {}
        self._etags: dict[str, str] = {}
        self._written: dict[str, tuple[str, str, float]] = {}
        self.questions = list(_questions(user_ids[:_N_USERS], item_ids[:_N_ITEMS], rng))
        self.kept: dict[tuple[str, str], float] = {}
        self.served: Counter[int] = Counter()
        self.problems: list[str] = []

    def learn(self, asked: Request, answer: Answer) -> None:
        """Remember a quiet answer as the one that its version gives."""
        if answer.status != 200:
            self.problems.append(f"{asked.name}: {answer.status} before the load")
            return
        self._expected[asked.name, _model_id(answer.body)] = _digest(answer.body)

    def draw(self, n_requests: int) -> Iterator[Request]:
        """Yield so many requests."""
        for number in range(n_requests):
            kind = self._rng.random()
            if kind < _SHARE_WRITES:
                yield self._write(number)
                continue
            asked = self.questions[self._rng.integers(len(self.questions))]
            if kind < _SHARE_WRITES + _SHARE_AGAIN and asked.name in self._etags:
                again = {"If-None-Match": self._etags[asked.name]}
                yield load.request("GET", asked.name, headers=again)
            else:
                yield asked

    def check(self, asked: Request, answer: Answer) -> None:
        """Note what is wrong with an answer under load, if anything is."""
        if asked.name in self._written:
            self._check_write(asked, answer)
        elif answer.status == 304:
            self.served[0] += 1
        elif answer.status != 200:
            self.problems.append(f"{asked.name}: {answer.status} {answer.body[:200]!r}")
        else:
            model_id = _model_id(answer.body)
            self.served[model_id] += 1
            if self._expected.get((asked.name, model_id)) != _digest(answer.body):
                self.problems.append(f"{asked.name}: not what version {model_id} answers")
            if found := _ETAG.search(answer.head):
                self._etags[asked.name] = found[1].decode()

    def _write(self, number: int) -> Request:
        item_id = self._item_ids[(number // _N_WRITERS) % len(self._item_ids)]
        rated = (f"soak-{number % _N_WRITERS}", item_id, float(1 + number % 5))
        name = f"rating {number}"
        self._written[name] = rated
        fields = dict(zip(("user_id", "item_id", "rating"), rated, strict=True))
        return load.request(
            "POST",
            "/v1/ratings",
            body={"ratings": [fields]},
            headers={"Authorization": f"Bearer {self._key}"},
            name=name,
        )

    def _check_write(self, asked: Request, answer: Answer) -> None:
        user_id, item_id, rating = self._written.pop(asked.name)
        if answer.status != 200 or json.loads(answer.body)["n_accepted"] != 1:
            self.problems.append(f"{asked.name}: {answer.status} {answer.body[:200]!r}")
        else:
            self.kept[user_id, item_id] = rating

    def check_kept(self, known: Mapping[str, Mapping[str, float | None]]) -> None:
        """Note which acknowledged ratings are not among the ``known`` ones of their users."""
        for (user_id, item_id), rating in self.kept.items():
            found = known.get(user_id, {}).get(item_id)
            if found != rating:
                self.problems.append(f"{user_id} rated {item_id} {rating}, known is {found}")


def _questions(
    user_ids: list[str], item_ids: list[str], rng: np.random.Generator
) -> Iterator[Request]:
    for user_id in user_ids:
        yield load.request("GET", f"/v1/users/{user_id}/recommendations")
        yield load.request("GET", f"/v1/users/{user_id}/recommendations?explain=true&limit=3")
        some = ",".join(rng.choice(item_ids, 5).tolist())
        yield load.request("GET", f"/v1/users/{user_id}/predictions?item_ids={some}")
        ratings = [
            {"item_id": item_id, "rating": int(rng.integers(1, 6))}
            for item_id in rng.choice(item_ids, 5, replace=False).tolist()
        ]
        body = {"ratings": ratings, "limit": 10}
        yield load.request("POST", "/v1/recommendations", body=body, name=f"newcomer {user_id}")
    for item_id in item_ids:
        yield load.request("GET", f"/v1/items/{item_id}")
        yield load.request("GET", f"/v1/items/{item_id}/similar?min_ratings=1")
        explained = rng.choice(user_ids)
        yield load.request("GET", f"/v1/users/{explained}/items/{item_id}/explanation")


def _model_id(body: bytes) -> int:
    found = _MODEL_ID.findall(body)
    return int(found[-1]) if found else 0


def _digest(body: bytes) -> bytes:
    return sha256(body).digest()

"""What is asked of the servers, and in which order."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count

import numpy as np

from benchmarks.api import cornac, large
from benchmarks.serving import load
from benchmarks.serving.load import Request
from benchmarks.serving.service import Server
from recsys.data import Ratings

LIMIT = 10
LISTS, AGAIN, LARGE = "lists", "lists, asked again", "lists, large catalogue"
CORNAC, DEPLOYED = "Cornac, flask run", "Cornac, gunicorn"


@dataclass(frozen=True)
class Asked:
    """A kind of request, and whom to ask it.

    Attributes
    ----------
    what : str
    server : Server
    requests : iterator of Request
        Without end.
    """

    what: str
    server: Server
    requests: Iterator[Request]


def ours(server: Server, ratings: Ratings, rng: np.random.Generator) -> list[Asked]:
    """Return what is asked of the service."""
    users = [ratings.user_ids[row] for row in range(ratings.n_users)]
    items = [ratings.item_ids[row] for row in np.unique(ratings.items)]

    def some(n: int) -> list[str]:
        return [str(item) for item in rng.choice(items, n, replace=False)]

    def newcomer() -> Request:
        given = [{"item_id": item, "rating": int(rng.integers(1, 6))} for item in some(20)]
        body = {"ratings": given, "limit": LIMIT}
        return load.request("POST", "/v1/recommendations", body=body)

    def stars_of(user: str, number: int) -> Request:
        level = 0.5 + number % 100_000 / 1_000_000
        path = f"/v1/users/{user}/predictions?item_ids={user_items[user]}&level={level:.6f}"
        return load.request("GET", path)

    user_items = {user: ",".join(some(10)) for user in users}
    lists = [_list_of(user, 0) for user in users]
    tags: dict[str, str] = {}

    def keep(asked: Request, answer: load.Answer) -> None:
        head = dict(line.split(": ", 1) for line in answer.head.decode().split("\r\n")[1:])
        tags[asked.name] = head["ETag"]

    load.apply(server.port, iter(lists), 1, keep)
    tagged = [
        load.request("GET", asked.name, headers={"If-None-Match": tags[asked.name]})
        for asked in lists
    ]
    return [
        Asked(LISTS, server, _fresh(users, _list_of, rng)),
        Asked(AGAIN, server, _endless(lists, rng)),
        Asked("lists, 304", server, _endless(tagged, rng)),
        Asked("newcomers", server, _endless([newcomer() for _ in range(500)], rng)),
        Asked("predictions", server, _fresh(users, stars_of, rng)),
    ]


def theirs(server: Server, what: str, ratings: Ratings, rng: np.random.Generator) -> Asked:
    """Return what is asked of Cornac's server."""
    users = [ratings.user_ids[row] for row in range(ratings.n_users)]
    requests = [load.request("GET", cornac.list_path(user, LIMIT)) for user in users]
    return Asked(what, server, _endless(requests, rng))


def of_large(server: Server, rng: np.random.Generator) -> Asked:
    """Return what is asked of the server of a large catalogue."""
    users = [str(number) for number in range(1, large.N_USERS + 1)]
    return Asked(LARGE, server, _fresh(users, _list_of, rng))


def _list_of(user: str, number: int) -> Request:
    # 0 times a power of ten changes nothing, but makes the question another one.
    return load.request(
        "GET", f"/v1/users/{user}/recommendations?limit={LIMIT}&popularity=0e{number}"
    )


def _endless(requests: Sequence[Request], rng: np.random.Generator) -> Iterator[Request]:
    while True:
        for row in rng.permutation(len(requests)):
            yield requests[row]


def _fresh(
    users: Sequence[str], ask: Callable[[str, int], Request], rng: np.random.Generator
) -> Iterator[Request]:
    """Yield questions that were not asked before: the server keeps its last answers."""
    for round_ in count(1):
        for row in rng.permutation(len(users)):
            yield ask(users[row], round_)

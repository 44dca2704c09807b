"""How much of people's lists is the same from two versions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from recsys.errors import UnknownUserError
from recsys.serving import Recommender, Source


def overlap(lists: Iterable[tuple[Iterable[object], Iterable[object]]]) -> float | None:
    """Return the mean share that pairs of lists have in common; None where all are empty.

    Of a pair, it is the number of common entries by the length of the longer list.
    """
    sets = [(set(one), set(other)) for one, other in lists]
    shares = [len(a & b) / max(len(a), len(b)) for a, b in sets if a or b]
    return sum(shares) / len(shares) if shares else None


def list_overlap(
    source: Source, before: int, after: int, user_ids: Sequence[str], length: int = 10
) -> float | None:
    """Return the mean `overlap` of users' lists as two versions were trained.

    What came in since belongs to neither, and would make the same of both for whoever it is about.

    Parameters
    ----------
    source : Source
    before, after : int
        The versions' ``model_id``.
    user_ids : sequence of str
        Whose lists; a user whom one of the versions does not know is left out.
    length : int
        Of the lists.

    Returns
    -------
    float or None
        In [0, 1]; None where neither version has a list for any of them.
    """
    one, other = (_in_memory(source, model_id) for model_id in (before, after))
    lists = []
    for user_id in user_ids:
        try:
            lists.append((_list(one, user_id, length), _list(other, user_id, length)))
        except UnknownUserError:
            continue
    return overlap(lists)


def _in_memory(source: Source, model_id: int) -> Recommender:
    """Return a version that is not served: nothing of it is kept in the cache's files."""
    hashes = source.content_hashes(model_id)
    sides = {objective: source.item_side(model_id, objective) for objective in hashes}
    return Recommender(model_id, hashes, sides, source.catalogue(model_id), source)


def _list(version: Recommender, user_id: str, length: int) -> list[str]:
    state = version.source.user(version.model_id, user_id)._replace(has_newer_feedback=False)
    rows = version.recommend(version.person(user_id, state), length).items
    return [version.catalogue.item_ids[row] for row in rows.tolist()]

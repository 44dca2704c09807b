from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One published number beside ours.

    Attributes
    ----------
    item : str
        What it is a number of, beginning with its number in the list of references.
    expected, ours, tolerance : float
    holds : bool
    reason : str
        Why it does not hold, or how the comparison is meant; empty where it speaks for itself.
    """

    item: str
    expected: float
    ours: float
    tolerance: float
    holds: bool
    reason: str = ""


def equal(item: str, expected: float, ours: float, tolerance: float, reason: str = "") -> Row:
    """Return the row that holds if both differ by at most ``tolerance``."""
    expected, ours = float(expected), float(ours)
    return Row(item, expected, ours, tolerance, abs(ours - expected) <= tolerance, reason)


def at_most(item: str, expected: float, ours: float, tolerance: float, reason: str) -> Row:
    """Return the row that holds if ours is no larger than expected, give or take ``tolerance``."""
    expected, ours = float(expected), float(ours)
    return Row(item, expected, ours, tolerance, ours <= expected + tolerance, reason)


def at_least(item: str, expected: float, ours: float, reason: str) -> Row:
    """Return the row that holds if ours is no smaller than expected."""
    expected, ours = float(expected), float(ours)
    return Row(item, expected, ours, 0.0, ours >= expected, reason)

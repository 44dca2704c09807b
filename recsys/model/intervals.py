"""Calibrated intervals around predicted stars."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self


@dataclass(frozen=True)
class StarIntervals:
    """How far predicted stars may be off, as calibrated after training.

    Attributes
    ----------
    parameters : mapping of str to float
    """

    parameters: Mapping[str, float]

    def as_dict(self) -> Mapping[str, Any]:
        """Return the parameters as JSON types."""
        return dict(self.parameters)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Return the intervals that `as_dict` wrote."""
        return cls(dict(values))

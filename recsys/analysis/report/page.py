"""What a report is made of; both its forms, HTML and Markdown, are written from this."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

Align = Literal["left", "right"]


@dataclass(frozen=True)
class Text:
    """A paragraph; a note is what one looks up, such as what a figure means."""

    kind: ClassVar[str] = "text"
    text: str
    is_note: bool = False


@dataclass(frozen=True)
class Points:
    """Short statements, one below the other."""

    kind: ClassVar[str] = "points"
    points: tuple[str, ...]


@dataclass(frozen=True)
class Column:
    """A table's column: what stands above it, and on which side its cells stand."""

    name: str
    align: Align = "left"


@dataclass(frozen=True)
class Table:
    """Rows of cells, ready to show; the first cell names its row."""

    kind: ClassVar[str] = "table"
    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]

    @property
    def has_heads(self) -> bool:
        """Whether anything stands above the columns."""
        return any(column.name for column in self.columns)


@dataclass(frozen=True)
class Picture:
    """A plot, drawn for light and for dark surroundings (PNG)."""

    light: bytes
    dark: bytes


@dataclass(frozen=True)
class Figure:
    """A plot with its file name (without ``.png``), what it shows, and what that means."""

    kind: ClassVar[str] = "figure"
    name: str
    picture: Picture
    alt: str
    caption: str


Block = Text | Points | Table | Figure


@dataclass(frozen=True)
class Section:
    """A heading and what stands below it; never nothing."""

    title: str
    blocks: tuple[Block, ...]

    @property
    def anchor(self) -> str:
        """The heading as a fragment identifier."""
        return "-".join(self.title.lower().split())


@dataclass(frozen=True)
class Page:
    """A whole report.

    Attributes
    ----------
    title, subtitle : str
    facts : tuple of (str, str)
        The figures a reader looks for first: name and value.
    sections : tuple of Section
    """

    title: str
    subtitle: str
    facts: tuple[tuple[str, str], ...]
    sections: tuple[Section, ...]

    @property
    def figures(self) -> tuple[Figure, ...]:
        """All plots, in reading order."""
        return tuple(
            block
            for section in self.sections
            for block in section.blocks
            if isinstance(block, Figure)
        )


def columns(*names: str) -> tuple[Column, ...]:
    """Return columns from their names; those that begin with ``>`` are aligned right."""
    return tuple(
        Column(name[1:], "right") if name.startswith(">") else Column(name) for name in names
    )


def signed(value: float, digits: int = 2) -> str:
    """Return a number with its sign, a true minus; none in front of a zero."""
    shown = f"{value:+.{digits}f}"
    return shown[1:] if float(shown) == 0 else shown.replace("-", "−")


def known(caption: str, cells: Mapping[str, Sequence[str]]) -> Table:
    """Return a table from its columns' cells; a column in which nothing is known is left out."""
    told = {name: column for name, column in cells.items() if any(column)}
    return Table(caption, columns(*told), tuple(zip(*told.values(), strict=True)))


def pairs(caption: str, rows: Sequence[tuple[str, str]]) -> Table:
    """Return a table of names and values."""
    return Table(caption, columns("", ""), tuple(rows))

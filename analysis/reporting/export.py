"""Tables as files: CSV for programs, Markdown and LaTeX for people."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import pandas as pd

from reid_search.words import several

from ..reading.measures import Row, rows_of
from .formats import NOTHING, known
from .markup import escape_latex, escape_markdown

SUFFIXES = ("csv", "md", "tex")

_NUMBER = re.compile(r"([+−]?)(?=\.?\d)(\d*)((?:\.\d+)?)")  # sign, whole part, fraction


@dataclass(frozen=True)
class Column:
    """A column for people: its heading with the unit, the text of a row's cell, whether it is aligned as a number."""

    title: str
    write: Callable[[Row], str]
    number: bool = True


@dataclass(frozen=True)
class Table:
    """A table of a report.

    Attributes:
        name: Name of its files, without the suffix.
        frame: The CSV file: all columns at full precision.
        columns: The columns of the Markdown and LaTeX files.
        cells: Their rows, as text.
        left_out: Number of rows that are only in the CSV file.
    """

    name: str
    frame: pd.DataFrame = field(repr=False)
    columns: tuple[Column, ...]
    cells: tuple[tuple[str, ...], ...] = field(repr=False)
    left_out: int = 0

    @property
    def files(self) -> dict[str, str]:
        """The content of its files by suffix."""
        texts = (self.frame.to_csv(index=False, lineterminator="\n"), as_markdown(self), as_latex(self))
        return dict(zip(SUFFIXES, texts, strict=True))


def table_for(
    name: str, frame: pd.DataFrame, columns: Iterable[Column], rows: pd.DataFrame, limit: int | None = None
) -> Table:
    """Return a table with `frame` for programs, and for people `columns` of the first `limit` of `rows`."""
    shown, columns = rows if limit is None else rows.head(limit), tuple(columns)
    cells = tuple(tuple(column.write(row) for column in columns) for row in rows_of(shown))
    return Table(name, frame, columns, cells, len(rows) - len(shown))


def text_of(name: str) -> Callable[[Row], str]:
    """Return what writes a cell of a column as it is, or a dash if it is missing."""
    return lambda row: str(row[name]) if known(row[name]) else NOTHING


def as_markdown(table: Table) -> str:
    """Return a table in GitHub's Markdown, with a sentence about rows that were left out."""
    rule = ["--:" if column.number else "---" for column in table.columns]
    lines = ([column.title for column in table.columns], *table.cells)
    titles, *rows = [[escape_markdown(text) for text in line] for line in lines]
    text = "".join(f"| {' | '.join(line)} |\n" for line in (titles, rule, *rows))
    return text + (f"\n{_left_out(table)}\n" if table.left_out else "")


def as_latex(table: Table) -> str:
    """Return a table as a LaTeX `tabular` with booktabs rules, in ASCII, with numbers aligned at the decimal point."""
    columns = [_aligned(cells) if column.number else [escape_latex(text) for text in cells]
               for column, cells in zip(table.columns, _transposed(table), strict=True)]  # fmt: skip
    spec = "".join("r" if column.number else "l" for column in table.columns)
    head = [escape_latex(column.title) for column in table.columns]
    lines = [
        r"% Needs \usepackage{booktabs}. Plain ASCII: pdfLaTeX, XeLaTeX and LuaLaTeX read it with any input encoding.",
        *([f"% {_left_out(table)}"] if table.left_out else []),
        rf"\begin{{tabular}}{{{spec}}}",
        r"\toprule",
        _row(head),
        r"\midrule",
        *(_row(cells) for cells in zip(*columns, strict=True)),
        r"\bottomrule",
        r"\end{tabular}",
    ]
    return "\n".join(lines) + "\n"


def _transposed(table: Table) -> list[list[str]]:
    return [[row[index] for row in table.cells] for index in range(len(table.columns))]


def _left_out(table: Table) -> str:
    verb = "is" if table.left_out == 1 else "are"
    return f"{several(table.left_out, 'more row')} {verb} in {table.name}.csv."


def _row(cells: Sequence[str]) -> str:
    r"""Return a row; a first cell that begins with `[` or `*` would be read as an argument of the `\\` before it."""
    first = ("{}" if cells[0][:1] in ("[", "*") else "") + cells[0]
    return f"{' & '.join([first, *cells[1:]])} \\\\"


def _aligned(cells: Sequence[str]) -> list[str]:
    r"""Align the first numbers, second numbers, ... of cells at their decimal points, padding with `\phantom`.

    The column is flush right, so a first number needs no padding before it.
    """
    found = [_NUMBER.findall(text) for text in cells]  # of each number its sign, whole part and fraction
    places = max(map(len, found), default=0)
    widths = [[max(len(numbers[place][part]) for numbers in found if len(numbers) > place) for part in range(3)]
              for place in range(places)]  # fmt: skip
    return [_padded(text, widths) for text in cells]


def _padded(text: str, widths: Sequence[Sequence[int]]) -> str:
    pieces, end = [], 0
    for match, (sign, whole, part) in zip(_NUMBER.finditer(text), widths, strict=False):
        before = "−" * (sign - len(match[1])) + "0" * (whole - len(match[2])) if end else ""
        after = f".{'0' * (part - 1)}"[len(match[3]) :] if part else ""
        pieces += [escape_latex(text[end : match.start()]), _phantom(before), escape_latex(match[0]), _phantom(after)]
        end = match.end()
    return "".join([*pieces, escape_latex(text[end:])])


def _phantom(text: str) -> str:
    return rf"\phantom{{{escape_latex(text)}}}" if text else ""

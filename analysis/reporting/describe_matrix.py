"""Describe the matrix of training and test sets: its rows as text, its heading and its notes."""

from collections.abc import Iterator
from typing import NamedTuple

from reid_search.study.metrics import BESIDE, MAIN

from ..answers.train_test import TrainTest
from ..reading.measures import rows_of
from .describe_collapse import LEARNT_NOTHING
from .formats import NOTHING, percent, spread


class MatrixCell(NamedTuple):
    """An arm on a test: mAP, the metric beside it, and whether the data set was trained on."""

    mean: str = NOTHING
    beside: str = NOTHING
    seen: bool = False


class MatrixRow(NamedTuple):
    """An arm: what it was trained on, its finished seeds, and a cell for each test."""

    arm: str
    trained_on: str
    seeds: str
    cells: tuple[MatrixCell, ...]


def matrix_rows(matrix: TrainTest) -> list[MatrixRow]:
    """Return the rows of a matrix as text."""
    rows = []
    for arm, own in matrix.cells.groupby("arm", sort=False):
        found = {str(row["test"]): row for row in rows_of(own)}
        cells = [
            MatrixCell(
                spread(row[MAIN], row[f"{MAIN}_sd"], 1) + f" {LEARNT_NOTHING}" * bool(row["flag"]),
                percent(row[test.beside.name]),
                bool(row["seen"]),
            )
            if (row := found.get(test.title))
            else MatrixCell()
            for test in matrix.tests
        ]
        first = next(iter(found.values()))
        seeds = f"{first['n']}" + f" of {first['asked']}" * (first["n"] < first["asked"])
        rows.append(MatrixRow(str(arm), str(first["trained_on"]), seeds, tuple(cells)))
    return rows


def matrix_heading(matrix: TrainTest) -> str:
    """Return the heading of a matrix."""
    readout = "" if matrix.readout == "default" else f", readout ‘{matrix.readout}’"
    return f"Train × test of ‘{matrix.phase}’{readout}"


def matrix_notes(matrix: TrainTest) -> Iterator[str]:
    """Yield what the numbers of a matrix mean."""
    yield (
        "Means over finished seeds, ± their standard deviation. Every test has its own queries and gallery, so columns "
        f"are not compared with each other. The first test, {matrix.tests[0].title}, is what the other sections call "
        "test; a claim about another one names it."
    )
    special = [f"{test.title} has {test.beside.title}" for test in matrix.tests if test.beside.name != BESIDE]
    if (matrix.cells["flag"] != "").any():
        yield f"{LEARNT_NOTHING} At chance or not above the untrained network in every seed: no effect."
    if special:
        yield f"In place of Rank-1, {'; '.join(special)}, by the rule of its data set."

"""The Market rule as plain loops, and random splits that hold everything it speaks of."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest


@dataclass(frozen=True)
class Split:
    query_ids: list[int]
    gallery_ids: list[int]
    query_cameras: list[int]
    gallery_cameras: list[int]

    @property
    def labels(self) -> dict[str, list[int]]:
        return dict(vars(self))

    def reordered(self, order: np.ndarray) -> "Split":
        """The same split with its gallery in another order."""
        return Split(
            self.query_ids,
            [self.gallery_ids[index] for index in order],
            self.query_cameras,
            [self.gallery_cameras[index] for index in order],
        )


@dataclass(frozen=True)
class Expected:
    rectangular: list[float]
    trapezoidal: list[float]
    inp: list[float]
    at_r: list[float]
    cmc: list[float]

    @property
    def valid(self) -> list[bool]:
        return [not math.isnan(value) for value in self.rectangular]


def _filtered(distances: list[float], query: int, split: Split) -> list[bool]:
    """Which of the images that remain for a query are matches, nearest first; at a tie, matches come last."""
    remaining = []
    for position, distance in enumerate(distances):
        same = split.gallery_ids[position] == split.query_ids[query]
        if split.gallery_ids[position] == -1:
            continue
        if same and split.gallery_cameras[position] == split.query_cameras[query]:
            continue
        remaining.append((distance, same))
    return [match for _, match in sorted(remaining)]


def _matlab_average_precision(matches: list[bool]) -> float:
    """The loop of the official evaluation code of Market-1501."""
    area, old_recall, old_precision, found = 0.0, 0.0, 1.0, 0
    for position, match in enumerate(matches):
        found += match
        recall, precision = found / sum(matches), found / (position + 1)
        area += (recall - old_recall) * (old_precision + precision) / 2
        old_recall, old_precision = recall, precision
    return area


def _average_precision_at_r(matches: list[bool]) -> float:
    """Precision at each of the first R ranks at which a match stands, summed and divided by R."""
    count = sum(matches)
    return sum(sum(matches[:rank]) / rank for rank in range(1, count + 1) if matches[rank - 1]) / count


def _brute_force(distances: list[list[float]], split: Split, max_rank: int) -> Expected:
    rectangular, trapezoidal, inp, at_r, curves = [], [], [], [], []
    for query, row in enumerate(distances):
        matches = _filtered(row, query, split)
        ranks = [rank for rank, match in enumerate(matches, start=1) if match]
        if not ranks:
            for values in (rectangular, trapezoidal, inp, at_r):
                values.append(math.nan)
            continue
        rectangular.append(sum(found / rank for found, rank in enumerate(ranks, start=1)) / len(ranks))
        trapezoidal.append(_matlab_average_precision(matches))
        inp.append(len(ranks) / ranks[-1])
        at_r.append(_average_precision_at_r(matches))
        curve = [float(any(matches[: k + 1])) for k in range(min(max_rank, len(matches)))]
        curves.append(curve + [curve[-1]] * (max_rank - len(curve)))
    cmc = [sum(column) / len(curves) for column in zip(*curves, strict=True)]
    return Expected(rectangular, trapezoidal, inp, at_r, cmc)


def _random_split(generator: np.random.Generator) -> Split:
    """A split with junk, distractors, few cameras, queries without a match and short galleries."""
    queries, gallery = int(generator.integers(1, 6)), int(generator.integers(1, 25))
    identities, cameras = int(generator.integers(1, 5)), int(generator.integers(1, 4))
    return Split(
        generator.integers(1, identities + 2, queries).tolist(),
        generator.integers(-1, identities + 1, gallery).tolist(),
        generator.integers(0, cameras, queries).tolist(),
        generator.integers(0, cameras, gallery).tolist(),
    )


@pytest.fixture(scope="session")
def brute_force() -> Callable[[list[list[float]], Split, int], Expected]:
    return _brute_force


@pytest.fixture(scope="session")
def random_split() -> Callable[[np.random.Generator], Split]:
    return _random_split


@pytest.fixture(scope="session")
def make_split() -> type[Split]:
    return Split

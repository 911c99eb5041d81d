"""The moves of a path: axes that exist only under another go and come with it."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from reid_search.study.question.axes import Level
from reid_search.study.question.designs.path import Move, end_of_path, moves, path_arms
from reid_search.study.question.space import Space

MakeSpace = Callable[..., Space]

POOLING, NECK, MARGIN, WEIGHT = "model.pooling", "model.neck", "losses.triplet.margin", "losses.triplet.weight"
AXES = {
    WEIGHT: {"choice": [1.0, 2.0], "when": {NECK: "bnneck", POOLING: "max"}},
    MARGIN: {"uniform": [0.1, 2.0], "when": {POOLING: "avg"}},
    POOLING: {"choice": ["max", "avg"]},
    NECK: {"choice": ["none", "bnneck"]},
}


@pytest.fixture
def made(space: MakeSpace) -> Space:
    return space(AXES)


def settings(made: Space, **values: Any) -> dict[str, Level]:
    paths = {"pooling": POOLING, "neck": NECK, "margin": MARGIN, "weight": WEIGHT}
    return made.completed({paths[name]: made.axes[paths[name]].level_of(value) for name, value in values.items()})


def shown(found: list[Move]) -> dict[str, dict[str, str]]:
    return {move.axis: values(move.settings) for move in found}


def values(found: Mapping[str, Level]) -> dict[str, str]:
    return {path: level.label for path, level in found.items()}


def test_an_axis_comes_with_the_one_that_it_exists_under(made: Space) -> None:
    start, end = settings(made, pooling="max", neck="none"), settings(made, pooling="avg", neck="none", margin=0.7)
    assert shown(moves(made, start, end)) == {POOLING: {POOLING: "avg", NECK: "none", MARGIN: "0.7"}}


def test_an_axis_goes_with_the_one_that_it_exists_under(made: Space) -> None:
    start, end = settings(made, pooling="avg", neck="none", margin=0.7), settings(made, pooling="max", neck="none")
    assert shown(moves(made, start, end)) == {POOLING: {POOLING: "max", NECK: "none"}}


def test_an_axis_that_exists_at_both_ends_moves_by_itself(made: Space) -> None:
    start, end = settings(made, pooling="avg", margin=0.7), settings(made, pooling="avg", margin=0.9)
    assert shown(moves(made, start, end)) == {MARGIN: values(end)}


def test_an_axis_that_exists_only_on_the_way_has_the_base_s_level(made: Space) -> None:
    start, end = settings(made, pooling="max", neck="none"), settings(made, pooling="avg", neck="bnneck", margin=0.7)
    first = {move.axis: move for move in moves(made, start, end)}
    assert values(first[NECK].settings) == {POOLING: "max", NECK: "bnneck", WEIGHT: "1.0"}
    [last] = moves(made, first[NECK].settings, end)
    assert values(last.settings) == values(end)
    assert moves(made, last.settings, end) == []


def test_a_path_ends_at_the_best_of_its_own_axes_and_stays_elsewhere(made: Space) -> None:
    start = settings(made, pooling="avg", neck="bnneck", margin=0.7)
    best = {MARGIN: Level("0.9", 0.9), POOLING: Level("avg", "avg"), "training.images": Level("9", 9)}
    assert values(end_of_path(made, start, best)) == {POOLING: "avg", NECK: "bnneck", MARGIN: "0.9"}
    gone = end_of_path(made, start, {POOLING: Level("max", "max")})
    assert values(gone) == {POOLING: "max", NECK: "bnneck", WEIGHT: "1.0"}


def test_arms_of_a_path_are_named_after_their_step(made: Space) -> None:
    start, end = settings(made, pooling="max", neck="none"), settings(made, pooling="avg", neck="none", margin=0.7)
    arms = path_arms(made, start, moves(made, start, end))
    assert [arm.name for arm in arms] == ["baseline", "step 1: model.pooling=avg"]
    assert [arm.config.model.pooling for arm in arms] == ["max", "avg"]
    assert arms[1].config.losses["triplet"].margin == 0.7

"""Which runs showed something new of a contrast, and which claims of a log are one."""

import pytest

from reid_search.records import TrialId, View, looks_of
from reid_search.records.contrasts import content_identity


def view(asked: int, seen: int, *, is_current: bool = False) -> View:
    """Return what a run asked for and showed, in seeds of one arm."""
    trials = [TrialId("a", seed) for seed in range(1, max(asked, seen) + 1)]
    return View(frozenset(trials[:asked]), frozenset(trials[:seen]), is_current)


@pytest.mark.parametrize(
    ("views", "looks"),
    [
        ([], []),
        ([(5, 0)], []),
        ([(5, 5)], [5]),
        ([(5, 2), (5, 5)], [5]),  # resumed
        ([(3, 3), (5, 3), (8, 8)], [3, 8]),  # raised to 5, and again before anything more was measured
        ([(3, 2), (5, 5)], [3, 5]),  # raised when results were in
        ([(3, 0), (5, 5)], [5]),  # raised before any
        ([(8, 8), (5, 5), (8, 8)], [8, 5]),
        ([(3, 3), (5, 5), (8, 8), (8, 8)], [3, 5, 8]),
    ],
)
def test_a_look_is_a_run_that_showed_something_new(views: list[tuple[int, int]], looks: list[int]) -> None:
    assert [len(item.asked) for item in looks_of([view(*seeds) for seeds in views])] == looks


def test_what_the_last_run_asks_for_is_a_look_before_anything_is_measured() -> None:
    assert [len(item.asked) for item in looks_of([view(3, 3), view(5, 3, is_current=True)])] == [3, 5]
    assert len(looks_of([view(3, 0, is_current=True)])) == 1
    assert len(looks_of([view(3, 3), view(3, 3, is_current=True)])) == 1


def test_claims_of_early_logs_are_one_if_they_compare_the_same_settings() -> None:
    claim = {"better": {"x": "1"}, "than": {"x": "2"}, "where": {}, "metric": "mAP", "readout": "default"}
    identity, direction = content_identity(claim)
    opposite = {**claim, "better": claim["than"], "than": claim["better"], "smallest_effect": 0.2, "phase": "b"}
    assert content_identity(opposite) == (identity, -direction)
    assert content_identity({**claim, "says": "x helps", "where": None, "grows": None}) == (identity, direction)
    along = {"y": [1, 2]}
    grows, shrinks = (content_identity({**claim, way: along}) for way in ("grows", "shrinks"))
    assert grows == (shrinks[0], -shrinks[1])
    others = [
        {**claim, "where": {"z": "1"}},
        {**claim, "metric": "rank1"},
        {**claim, "readout": "flipped"},
        {**claim, "grows": along},
    ]
    assert len({identity, *(content_identity(other)[0] for other in others)}) == 5

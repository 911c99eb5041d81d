"""Counting, and the time that is left."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from reid_search.cli.progress import RunProgress, duration
from reid_search.cli.watching import PlainLines
from reid_search.scheduling import TrialLabel
from reid_search.study import load_study


class Clock:
    """A clock that is set by hand."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def progress(study_file: Callable[..., Path], clock: Clock) -> RunProgress:
    return RunProgress(load_study(study_file()).plan(), clock)


def _label(number: int, phase: str = "search") -> TrialLabel:
    settings = {"losses.triplet.margin": "0.5"}
    return TrialLabel(phase, f"#{number}", 10_000, f"key{number}", 2, settings, "val/rank1", "whole/val/rank1")


def test_time_left_follows_from_images_seen(progress: RunProgress, clock: Clock) -> None:
    assert progress.seconds_left() is None
    clock.now += 55
    progress.trial_started(_label(0))
    clock.now += 10
    progress.trial_progress(_label(0), {"epoch": 1, "images_seen": 24, "loss": 1.0})
    total = (3 + 2 * 2) * 48
    assert progress.seconds_left() == pytest.approx((total - 24) / 24 * 10)
    progress.trial_ended(_label(0), "stopped", None, None)
    assert progress.seconds_left() == pytest.approx((total - 48) / 24 * 10)
    for name in ("search", "ablate"):
        progress.phase_ended(name)
    assert progress.seconds_left() == 0


def test_a_continued_trial_counts_only_what_this_run_trained(progress: RunProgress, clock: Clock) -> None:
    clock.now += 10
    progress.trial_progress(_label(0), {"epoch": 10, "images_seen": 240})
    assert progress._seen == 24


def test_the_best_is_of_a_search_and_never_a_seed_of_an_ablation(progress: RunProgress) -> None:
    for number, value in enumerate((0.2, 0.4, 0.3)):
        progress.trial_ended(_label(number), "finished", value, None)
    assert progress.best == (0.4, _label(1))
    progress.trial_ended(replace(_label(2), name="finalist #2", seed=1_010_000), "finished", 0.9, None)
    assert progress.best == (0.4, _label(1)), "one seed of a finalist is no mean"
    progress.trial_ended(_label(5, "ablate"), "finished", 0.9, None)
    assert progress.best == (0.4, _label(1))


def test_plain_lines_and_the_live_table_show_the_same_state(study_file: Callable[..., Path]) -> None:
    lines = Console(record=True, width=160, force_terminal=False)
    observer = PlainLines(lines, load_study(study_file()).plan())
    observer.phase_started("search", "search", 3, 1)
    observer.trial_started(_label(0))
    observer.trial_progress(
        _label(0), {"epoch": 1, "images_seen": 24, "loss": 1.25, "val/rank1": 0.456, "whole/val/rank1": 0.123}
    )
    table = Console(record=True, width=160)
    table.print(observer)
    drawn = table.export_text()
    for shown in ("1/3", "val Rank-1", "#0 triplet.margin=0.5", "1/2", "1.250", "12.3"):
        assert shown in drawn
    observer.trial_ended(_label(0), "failed", None, "loss = nan")
    printed = lines.export_text()
    assert "search: 3 trials, 1 measured before" in printed
    assert "search 2/3  #0 triplet.margin=0.5  failed  loss = nan" in printed


@pytest.mark.parametrize(("seconds", "shown"), [(None, "–"), (5, "0:05"), (247, "4:07"), (3909, "1:05:09")])
def test_durations(seconds: float | None, shown: str) -> None:
    assert duration(seconds) == shown

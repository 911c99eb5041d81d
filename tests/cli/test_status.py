"""`reid-search status`: what is told of studies that are over, at work, or several."""

import json
import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from reid_search.cli import status
from reid_search.records import StudyStore

Command = Callable[..., Any]


def unfinished(before: Path) -> str:
    """Take away the record of one trial, so that it is in the middle, and return its name."""
    record = sorted(before.glob("trials/*/record.json"))[0]
    record.unlink()
    return record.parent.name


def test_what_no_run_works_at_is_interrupted_and_nothing_is_left_to_wait_for(command: Command, before: Path) -> None:
    unfinished(before)
    told = json.loads(command("status", before, "--json").out)
    assert (told["at_work"], told["running"], told["seconds_left"]) == (False, [], None)
    assert told["trials"]["interrupted"] == 1


def test_what_runs_is_shown_with_its_epoch_and_the_time_left(command: Command, before: Path) -> None:
    name = unfinished(before)
    with StudyStore.at(before).running():
        told = json.loads(command("status", before, "--json").out)
        lines = command("status", before).out.splitlines()
    (running,) = told["running"]
    assert Path(running["trial"]).name == name
    assert running["name"].endswith(f" {name.partition('-')[2]}")
    assert 0 < running["epoch"] <= running["epochs"]
    assert told["seconds_left"] >= 0
    assert f"  running {running['name']}: epoch {running['epoch']} of {running['epochs']}" in " ".join(lines)
    assert any(line.startswith("  left ") for line in lines)


def test_without_a_name_every_study_is_told(command: Command, before: Path) -> None:
    shutil.copytree(before, before.parent / "other")
    out = command("status", "--storage", before.parent).out
    assert [line.split(":")[0] for line in out.splitlines() if not line.startswith(" ")] == ["before", "before"]
    told = json.loads(command("status", "--storage", before.parent, "--json").out)
    assert len(told) == 2


def test_watching_ends_when_the_run_does(command: Command, before: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(status, "_REFRESH_SECONDS", 0.05)
    over, held = threading.Event(), threading.Event()

    def run() -> None:
        with StudyStore.at(before).running():
            held.set()
            over.wait(30)

    driver = threading.Thread(target=run)
    driver.start()
    held.wait(30)
    threading.Timer(0.5, over.set).start()
    answer = command("status", before, "--watch")
    driver.join()
    assert answer.code == 0
    assert over.is_set()
    assert "before: " in answer.out

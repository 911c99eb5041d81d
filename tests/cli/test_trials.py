"""`reid-search logs` and `stop`: what a trial logged, and the end of a run that another terminal asks for."""

import json
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from reid_search.cli import trials
from reid_search.errors import nearest
from reid_search.records import StudyStore

Command = Callable[..., Any]
# Holds a study's lock until it is interrupted, as a run does.
HOLDS = """
import sys, time
from reid_search.records import StudyStore
with StudyStore.at(sys.argv[1]).running():
    try:
        print("holds", flush=True)
        time.sleep(60)
    except KeyboardInterrupt:
        print("interrupted", flush=True)
"""


def test_a_trial_is_found_by_folder_name_and_arm(command: Command, before: Path) -> None:
    folder = sorted(before.glob("trials/*"))[0]
    told = json.loads(command("logs", folder, "--json").out)
    assert told["epochs"] == [json.loads(line) for line in (folder / "epochs.jsonl").read_text().splitlines()]
    assert (told["trial"], told["status"]) == (str(folder), "finished")
    by_name = command("logs", folder.name[:10], "--storage", before.parent)
    assert by_name.code == 0
    assert by_name.out.startswith(f"{folder}: finished after ")
    phase, _, label = told["asked_by"][0].partition(": ")
    arm = command("logs", f"{label} {folder.name.partition('-')[2]}", "--storage", before.parent)
    assert f"  {phase}: {label}" in arm.out.splitlines()


def test_what_is_no_trial_is_one_message_with_the_nearest(command: Command, before: Path) -> None:
    answer = command("logs", "baselin s1", "--storage", before.parent)
    assert answer.code == 2
    assert "no trial of before; did you mean 'baseline s1'?" in answer.err
    assert len(answer.err) < 1200
    several = command("logs", "", "--storage", before.parent)
    assert several.code == 2
    assert "trials of before begin so: " in several.err


@pytest.mark.parametrize("count", [1, 30, 5_000])
def test_a_list_of_choices_ends_where_a_message_would_be_too_long(count: int) -> None:
    message = nearest("", [f"choice-{number:05}" for number in range(count)])
    shown = message.removeprefix("allowed: ").partition(" and ")[0].split(", ")
    assert len(message) < 1000
    assert message.endswith(f" and {count - len(shown):,} more") == (len(shown) < count)


def test_a_run_ends_when_another_terminal_stops_it(command: Command, before: Path) -> None:
    holder = subprocess.Popen([sys.executable, "-c", HOLDS, str(before)], stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None
    assert holder.stdout.readline() == "holds\n"
    answer = command("stop", before)
    assert (answer.code, f"stopped (process {holder.pid} on {socket.gethostname()})" in answer.err) == (0, True)
    assert holder.communicate(timeout=30)[0] == "interrupted\n"


def test_there_is_nothing_to_stop_where_nothing_runs_or_it_runs_elsewhere(
    command: Command, before: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "no run of it is at work" in command("stop", before).err
    with StudyStore.at(before).running():
        (before / ".lock").write_text("process 17 on node-3\n")
        answer = command("stop", before)
    assert (answer.code, answer.err.strip()) == (2, "reid-search: before: run by process 17 on node-3; stop it there")


def test_a_run_that_does_not_end_is_said(command: Command, before: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trials, "_PATIENCE_SECONDS", 0.2)
    deaf = HOLDS.replace(
        "time.sleep(60)", "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN); time.sleep(60)"
    )
    holder = subprocess.Popen([sys.executable, "-c", deaf, str(before)], stdout=subprocess.PIPE, text=True)
    try:
        assert holder.stdout is not None
        holder.stdout.readline()
        answer = command("stop", before)
        assert answer.code == 2
        assert "is still at work; ask again to end it" in answer.err
    finally:
        holder.kill()
        holder.communicate(timeout=30)

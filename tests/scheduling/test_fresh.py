"""`run --fresh` sets aside what was measured before, under the study's lock."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from analysis.answers.family import family_of
from reid_search.errors import RequestError
from reid_search.records import StudyStore
from reid_search.scheduling import RunOptions, run_study
from reid_search.study import load_study

Begin = Callable[[], Any]


@pytest.fixture
def begin(write_study: Callable[..., Path], watcher: Any, cache: Path, tmp_path: Path) -> Begin:
    """Begin a fresh run in this process, which Ctrl-C interrupts at its first epoch; return who watched."""

    def fresh() -> Any:
        study = load_study(write_study())
        watcher.die_after = 1
        options = RunOptions(address="none", cache=cache, fresh=True)
        assert run_study(study, study.plan(), StudyStore(tmp_path / "runs", study.name), options, watcher).interrupted
        return watcher

    return fresh


def test_what_was_measured_is_set_aside_under_the_lock(begin: Begin, tmp_path: Path) -> None:
    (tmp_path / "runs/small/trials/0123-s1").mkdir(parents=True)
    (tmp_path / "runs/small/asked.jsonl").write_text("what an earlier run asked\n")
    (note,) = begin().notes
    aside = Path(note.removeprefix("Earlier measurements are set aside in "))
    assert sorted(path.name for path in aside.iterdir()) == ["asked.jsonl", "trials"]
    store = StudyStore(tmp_path / "runs", "small")
    history = store.log.history()
    assert [run.set_aside for run in history.runs] == [aside.name]
    assert family_of(store, history).gone == ()
    shutil.rmtree(aside)
    assert family_of(store, history).gone == (aside.name,)
    assert [folder.path.name for folder in store.trials()] != ["0123-s1"]
    assert not store.is_at_work


def test_nothing_is_moved_while_another_run_is_at_work(begin: Begin, tmp_path: Path) -> None:
    store = StudyStore(tmp_path / "runs", "small")
    with store.running():
        (store.path / "asked.jsonl").write_text("{}\n")
        with pytest.raises(RequestError, match="this study is already running"):
            begin()
    assert (store.path / "asked.jsonl").exists()
    assert [path.name for path in store.storage.iterdir()] == ["small"]

"""`run --fresh` sets aside what was measured before, under the study's lock."""

from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from reid_search.errors import RequestError
from reid_search.records import StudyStore
from reid_search.scheduling import RunOptions, cluster, driver
from reid_search.study import load_study


@pytest.fixture
def begin(
    monkeypatch: pytest.MonkeyPatch, write_study: Callable[..., Path], cache: Path, tmp_path: Path
) -> Callable[[], tuple[list[Path], list[str]]]:
    """Begin a fresh run as far as the lock, without Ray; return what it set aside and what the store then held."""

    def fresh() -> tuple[list[Path], list[str]]:
        study, aside, held = load_study(write_study()), [], []
        store = StudyStore(tmp_path / "runs", study.name)

        @contextmanager
        def connected(address: str) -> Any:
            yield

        def run(*_: object) -> None:
            assert store.is_at_work, "the new run holds the lock of the new folder"
            held.extend(path.name for path in store.path.iterdir())

        monkeypatch.setattr(cluster, "connected", connected)
        monkeypatch.setattr(cluster, "trials_at_once", lambda resources: 1)
        monkeypatch.setattr(driver, "_run", run)
        driver.run_study(study, store, RunOptions(cache=cache, fresh=aside.append), None)
        return aside, held

    return fresh


def test_what_was_measured_is_set_aside_under_the_lock(begin: Any, tmp_path: Path) -> None:
    (tmp_path / "runs/small/trials").mkdir(parents=True)
    (tmp_path / "runs/small/asked.jsonl").write_text("{}\n")
    (aside,), held = begin()
    assert sorted(path.name for path in aside.iterdir()) == ["asked.jsonl", "trials"]
    assert held == [".lock"]


def test_nothing_is_moved_while_another_run_is_at_work(begin: Any, tmp_path: Path) -> None:
    store = StudyStore(tmp_path / "runs", "small")
    with store.running():
        (store.path / "asked.jsonl").write_text("{}\n")
        with pytest.raises(RequestError, match="a run of this study is at work"):
            begin()
    assert (store.path / "asked.jsonl").exists()
    assert [path.name for path in store.storage.iterdir()] == ["small"]

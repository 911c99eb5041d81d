"""A process that is killed while it writes leaves nothing that a later sync does not repair."""

import multiprocessing
import os
import signal
from collections.abc import Callable
from typing import Any

import pytest
from mlflow import MlflowClient

from reid_search.tracking import BackgroundSink, sync_study


def _killed_at(method: str, count: int, done: bool, work: Callable[[], Any]) -> None:
    """Work, and die at the given call of MLflow's client: before it, or after it is done."""
    real, calls = getattr(MlflowClient, method), iter(range(1, 1_000_000))

    def call(*args: Any, **kwargs: Any) -> Any:
        last = next(calls) == count
        if last and not done:
            os.kill(os.getpid(), signal.SIGKILL)
        result = real(*args, **kwargs)
        if last:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    setattr(MlflowClient, method, call)
    work()


def _comparable(tracked):
    """Return what MLflow holds, without ids and without hashes over them."""
    ids = ("mlflow.parentRunId", "reid_search.synced")
    found = []
    for status, metrics, params, tags, files in tracked.everything().values():
        name, kept = dict(tags)["mlflow.runName"], [tag for tag in tags if tag[0] not in ids]
        found.append((name, status, metrics, params, kept, files))
    return sorted(found)


_CALLS = (
    ("create_run", 1, True),
    ("create_run", 3, True),
    ("log_batch", 2, True),
    ("log_batch", 4, True),
    ("log_artifacts", 3, False),
    ("set_terminated", 2, False),
    ("set_terminated", 2, True),
    ("set_tag", 2, True),
)


@pytest.mark.parametrize(("method", "count", "done"), _CALLS)
def test_killed_while_it_writes(study, track, shared, method, count, done):
    study.ask(0, "a", 10_000)
    study.whole("a", 10_000)
    study.whole("b", 1, status="stopped", reason="pruned")
    study.begin("c", 1)
    folder = study.store.trial("c", 1)
    folder.append_epoch({"epoch": 1, "images_seen": 1, "loss": 0.5} | {f"loss/{index}": 1.0 for index in range(1_200)})
    folder.add_seconds(1.0)
    context = multiprocessing.get_context("fork")
    process = context.Process(target=_killed_at, args=(method, count, done, lambda: sync_study(study.store)))
    process.start()
    process.join(60)
    assert process.exitcode == -signal.SIGKILL

    assert sync_study(study.store).warnings == []

    tracked = track(study.store.storage)
    assert set(tracked.children()) == {"a-s10000", "b-s1", "c-s1"}
    assert "RUNNING" not in {run.info.status for run in tracked.runs()}
    uri, clean = shared
    sync_study(study.store, uri)
    assert _comparable(tracked) == _comparable(clean)


def test_killed_in_the_middle_of_a_run(study, track):
    """A trial that was running when its driver died runs no more; when it goes on, its run goes on."""
    study.begin("a", 1)
    study.train("a", 1, range(1, 3))

    def work() -> None:
        sink = BackgroundSink(study.store, refresh=0.05)
        sink.sync_trial("a", 1, running=True)
        sink.sync_trial("gone", 1, running=True)
        signal.pause()

    process = multiprocessing.get_context("fork").Process(target=_killed_at, args=("set_tag", 3, True, work))
    process.start()
    process.join(60)
    assert process.exitcode == -signal.SIGKILL
    tracked = track(study.store.storage)
    assert {run.info.status for run in tracked.runs()} == {"RUNNING"}

    sink = BackgroundSink(study.store)
    study.whole("b", 1)
    sink.sync_trial("b", 1)
    assert sink.close() == []
    assert {name: run.info.status for name, run in tracked.children().items()} == {"a-s1": "KILLED", "b-s1": "FINISHED"}

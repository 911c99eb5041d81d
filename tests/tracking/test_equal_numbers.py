"""Every number that MLflow shows of a study is the one that `load_arms`, `load_search` and `load_trials` show.

The study has readouts as an axis, arms that share trainings, an objective other than mAP, a pruner, and a search whose
space changed.
"""

import math
import shutil
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from mlflow.entities import Run

from analysis import load_arms, load_search, load_trials
from reid_search.records import StudyStore, read_state
from reid_search.tracking import sync_study
from reid_search.tracking.content import allowed_name

pytestmark = pytest.mark.slow  # it writes 30 runs, some of which a busy machine takes a second for

COSTS = {
    "images_seen": "images_seen", "seconds": "seconds", "parameters": "parameters/model",
    "loss_parameters": "parameters/losses", "macs": "macs", "dim": "dim",
}  # fmt: skip


@pytest.fixture
def study(before: Path, database: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    shutil.copy(database, before.parent / "mlflow.db")
    return before


def _measurements(values: dict[str, float]) -> dict[str, float]:
    """Return what was measured on a split under a plain name; NaN where a table has no number."""
    found = {name: value for name, value in values.items() if name.split("/")[0] in ("val", "test")}
    return {allowed_name(name): float(value) for name, value in found.items() if not pd.isna(value)}


def _costs(row: "pd.Series[float]", run: Run) -> bool:
    costs = {held: row[column] for column, held in COSTS.items() if column in row and not pd.isna(row[column])}
    return bool(costs) and {held: run.data.metrics[held] for held in costs} == costs


def test_every_number_is_read_one_way(study: Path, track: Callable) -> None:
    result = sync_study(StudyStore.at(study))
    assert result.warnings == []
    tracked = track(study.parent, study="before")
    runs = tracked.children()
    now = {name: run for name, run in runs.items() if run.data.tags["asked"] == "now"}
    assert len(runs) > len(now) > len(load_trials(study))

    visited = _check_arms(study, now) | _check_search(study, now)
    assert visited == set(now)
    _check_trials(study, runs)
    _check_best(study, tracked.parent())
    shown = [run.info.run_name for run in now.values()]
    assert len(set(shown)) == len(shown)
    assert {"#0", "around_best, walk, decide: baseline s1", "decide: baseline s2"} <= set(shown)
    assert not set(shown) & {run.info.run_name for name, run in runs.items() if name not in now}
    assert sync_study(StudyStore.at(study)).written == 0


def _check_arms(study: Path, runs: dict[str, Run]) -> set[str]:
    visited, by_readout = set(), {}
    for name, run in runs.items():
        tags = run.data.tags
        by_readout[tags["key"], int(tags["seed"]), tags["readout"]] = name
    arms = load_arms(study)
    assert len(arms.groupby(["key", "seed"])["stored_as"].nunique().loc[lambda count: count > 1]) > 1
    for _, row in arms.iterrows():
        name = by_readout[row["key"], row["seed"], row["stored_as"]]
        run = runs[name]
        assert row["arm"] in run.data.tags["arm"].split(", ")
        assert row["phase"] in run.data.tags["phase"].split(", ")
        assert run.info.run_name.endswith(f" s{row['seed']}")
        assert run.data.tags["status"] == row["status"] == "finished"
        assert _measurements(run.data.metrics) == _measurements(row.to_dict())
        assert _costs(row, run)
        visited.add(name)
    return visited


def _check_search(study: Path, runs: dict[str, Run]) -> set[str]:
    visited = set()
    search = load_search(study)
    assert set(search["status"]) == {"finished", "stopped"}
    for _, row in search.iterrows():
        (name,) = [
            name for name, run in runs.items()
            if run.data.tags["phase"] == "search" and f"#{row['number']}" in run.data.tags["arm"].split(", ")
        ]  # fmt: skip
        run = runs[name]
        assert (run.data.tags["key"], run.data.tags["status"]) == (row["key"], row["status"])
        shown = row["value"] if row["status"] == "finished" else row["last_value"]
        assert run.data.metrics[row["objective"]] == shown
        assert math.isnan(row["value"]) == (row["status"] == "stopped")
        assert run.data.params["readouts.default.taps"] == row["readouts.default.taps"]
        assert _costs(row, run)
        visited.add(name)
    return visited


def _check_trials(study: Path, runs: dict[str, Run]) -> None:
    """The plain columns of a trial are the readout of its first asker, whose run is named after the trial alone."""
    state = read_state(StudyStore.at(study))
    for _, row in load_trials(study).iterrows():
        run = runs[f"{row['key']}-s{row['seed']}"]
        assert row["readout"] == run.data.tags["readout"]
        assert _costs(row, run)
        if row["status"] == "finished":
            assert _measurements(run.data.metrics) == _measurements(row.to_dict())
        for readout in {state.readout(ask) for ask in state.askers[run_id(row)]} - {row["readout"]}:
            other = runs[f"{row['key']}-s{row['seed']}:{readout}"]
            prefix = f"{readout}/"
            columns = {name.removeprefix(prefix): row[name] for name in row.index if name.startswith(prefix)}
            assert columns
            assert _measurements(other.data.metrics) == _measurements(columns)


def run_id(row: "pd.Series[float]") -> tuple[str, int]:
    return row["key"], row["seed"]


def _check_best(study: Path, parent: Run) -> None:
    state = read_state(StudyStore.at(study))
    best = state.best("search")
    assert best is not None
    search = load_search(study)
    shown = {name: value for name, value in parent.data.metrics.items() if name.startswith("best/")}
    assert shown == {"best/search/val/rank1": state.value(best)}
    assert state.value(best) == search["best_so_far"].iloc[-1]
    counts = load_trials(study)["status"].value_counts()
    assert {name: parent.data.metrics[f"trials/{name}"] for name in counts.index} == counts.to_dict()

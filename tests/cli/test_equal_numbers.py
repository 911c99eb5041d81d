"""A study run by the command: every place that shows a number shows the same one.

Readouts are an axis, arms share trainings, the search maximises Rank-1, and its space changes before it is run again.
"""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from reid_search.analysis import load_arms, load_search, load_trials

STUDY = Path(__file__).parents[1] / "stores" / "before.yaml"
CHANGED = "axes.losses.triplet.margin={choice: [0.3, 0.6, 1.2]}"

pytestmark = pytest.mark.slow  # trains some 25 networks, each in about a second


def test_every_place_shows_the_same_number(command: Callable, tmp_path: Path) -> None:
    shutil.copy(STUDY, tmp_path / "study.yaml")
    first = command("run", "study.yaml", "--address", "none", "--set", "phases.decide.seeds=1")
    assert first.code == 0, first.err
    again = command("run", "study.yaml", "--address", "none", "--set", CHANGED, "--set", "phases.decide.seeds=7")
    assert again.code == 0, again.err
    folder = tmp_path / "runs" / "before"
    arms, trials, search = load_arms(folder), load_trials(folder), load_search(folder)
    assert set(arms["status"]) == {"finished"}
    assert (arms.groupby(["key", "seed"])["stored_as"].nunique() > 1).any()
    _check_trials(arms, trials)
    _check_tables(folder, arms, search)
    _check_mlflow(tmp_path / "runs", arms, search)
    status = json.loads(command("status", "before", "--json").out)
    _check_status(status, arms, search)
    best = search.loc[search["value"].idxmax()]
    assert f"{100 * best['value']:.1f} val/rank1" in again.err
    assert f"#{best['number']}:" in again.err
    centre = arms[(arms["phase"] == "around_best") & (arms["arm"] == "baseline")]
    assert f"{100 * centre['test/mAP'].mean():.1f}" in again.err


def _check_trials(arms: pd.DataFrame, trials: pd.DataFrame) -> None:
    by_name = trials.set_index(["key", "seed"])
    for arm in arms.to_dict("records"):
        row = by_name.loc[(arm["key"], arm["seed"])]
        prefix = "" if row["readout"] == arm["stored_as"] else f"{arm['stored_as']}/"
        assert row[f"{prefix}test/mAP"] == arm["test/mAP"]


def _check_tables(folder: Path, arms: pd.DataFrame, search: pd.DataFrame) -> None:
    written = pd.read_csv(folder / "report" / "tables" / "arms.csv")
    assert list(written["test/mAP"]) == list(arms["test/mAP"])
    proposals = pd.read_csv(folder / "report" / "tables" / "search.csv")
    pd.testing.assert_series_equal(proposals["value"], search["value"], check_exact=True)


def _check_mlflow(storage: Path, arms: pd.DataFrame, search: pd.DataFrame) -> None:
    from mlflow import MlflowClient

    client = MlflowClient(f"sqlite:///{storage / 'mlflow.db'}")
    experiment = client.get_experiment_by_name("before")
    runs = [run for run in client.search_runs([experiment.experiment_id]) if "key" in run.data.tags]
    tags = ("key", "seed", "readout")
    by_readout = {tuple(run.data.tags[tag] for tag in tags): run.data for run in runs}
    for arm in arms.to_dict("records"):
        run = by_readout[arm["key"], str(arm["seed"]), arm["stored_as"]]
        assert run.metrics["test/mAP"] == arm["test/mAP"]
        assert arm["arm"] in run.tags["arm"].split(", ")
    current = search[search["status"] == "finished"].to_dict("records")
    for proposal in current:
        own = [data for data in by_readout.values() if data.tags["key"] == proposal["key"]]
        named = [data for data in own if f"#{proposal['number']}" in data.tags["arm"].split(", ")]
        assert [data.metrics["val/rank1"] for data in named] == [proposal["value"]]
    assert current


def _check_status(status: dict, arms: pd.DataFrame, search: pd.DataFrame) -> None:
    phases = {phase["phase"]: phase for phase in status["phases"]}
    best = search.loc[search["value"].idxmax()]
    shown = phases["search"]["best"]
    assert (shown["number"], shown["value"], shown["objective"]) == (best["number"], best["value"], "val/rank1")
    for phase, rows in arms.groupby("phase"):
        means = rows.groupby("arm")["test/mAP"].mean().to_dict()
        assert phases[phase]["arms"] == pytest.approx(means, rel=1e-12)

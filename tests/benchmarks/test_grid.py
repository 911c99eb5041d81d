"""A recorded grid: what is written of a real study, and searches of a made-up grid whose answers are known."""

import importlib
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import product
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from analysis.statistics.shrinkage import shrunken
from reid_search.records import StudyStore
from reid_search.study import load_study
from tests.scheduling.conftest import InlineDriver

ROOT = Path(__file__).resolve().parents[2]
EPOCHS, IMAGES = 6, 10
LEVELS = {"losses.triplet.margin": [0.1, 0.3, 0.6, 1.2], "training.optimizer.lr": [1e-3, 3e-3, 1e-2]}
STUDY = """\
name: small
base:
  data: {name: synthetic, preset: unit, image_size: [32, 16], holdout: 0.34}
  model: {architecture: mgn, backbone: resnet10_thin, parts: [1, 2], embedding_dim: 8}
  losses:
    identity: {kind: cross_entropy, on: [global@coarse, part@reduced]}
    triplet: {kind: triplet, on: [global@reduced], margin: 0.3}
  training: {images: 32, report_every: 8, batch: {ids: 4, per_id: 2}, optimizer: {kind: adam, lr: 3e-3}}
axes:
  losses.triplet.margin: {choice: [0.3, 1.2]}
  training.optimizer.lr: {choice: [3e-3, 1e-2]}
phases:
  - {kind: ablate, design: factorial, seeds: 3, redraw_data: false, evaluate: val}
"""


Command = Callable[..., str]


@pytest.fixture
def grids(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """The benchmark as a module; those beside it that it imports go again with it."""
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    yield importlib.import_module("grid")
    for name in ("grid", "recorded_grid", "replayed_searches", "simulated_searches"):
        sys.modules.pop(name, None)


@pytest.fixture
def command(
    grids: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., str]:
    """Give a command to the benchmark; return what it prints."""

    def run(*arguments: object) -> str:
        monkeypatch.setattr(sys, "argv", ["grid.py", *map(str, arguments)])
        grids.main()
        return capsys.readouterr().out

    return run


def _write(file: Path, curves: np.ndarray) -> Path:
    """Write a grid of 4 × 3 arms with these curves `(12, seeds, epochs)`."""
    cells = list(product(*([str(value) for value in values] for values in LEVELS.values())))
    rows = [
        {**dict(zip(LEVELS, cell, strict=True)), "seed": seed + 1, "epoch": epoch + 1, "images": IMAGES * (epoch + 1),
         "val/mAP": curves[arm, seed, epoch], "final": curves[arm, seed, -1]}
        for arm, cell in enumerate(cells) for seed in range(curves.shape[1]) for epoch in range(EPOCHS)
    ]  # fmt: skip
    training = {"images": IMAGES * EPOCHS, "report_every": IMAGES, "batch": {"ids": 5, "per_id": 2}}
    base = {"data": {"name": "synthetic"}, "model": {"architecture": "baseline"}, "training": training}
    axes = {path: {"choice": values} for path, values in LEVELS.items()}
    table = pa.Table.from_pandas(pd.DataFrame(rows).sample(frac=1, random_state=0), preserve_index=False)
    study = json.dumps({"base": base, "axes": axes})
    pq.write_table(table.replace_schema_metadata({**table.schema.metadata, b"study": study.encode()}), file)
    return file


def _curves(seeds: int, noise: float = 0.0) -> np.ndarray:
    """Return curves that rise straight to ends of .1, .15, .2, ..., in an order that no axis explains."""
    generator = np.random.default_rng(5)
    ends = generator.permutation(12) / 20 + 0.1
    seeded = ends[:, None] + noise * generator.standard_normal((12, seeds))
    return np.asarray(seeded[:, :, None] * np.arange(1, EPOCHS + 1) / EPOCHS)


@pytest.mark.slow  # trains 12 networks
def test_a_study_becomes_a_file_of_what_its_trials_measured(command: Command, tmp_path: Path, cache: Path) -> None:
    (tmp_path / "small.yaml").write_text(STUDY)
    study, store, file = load_study(tmp_path / "small.yaml"), StudyStore(tmp_path, "small"), tmp_path / "grid.parquet"
    store.write_study(study.resolved())
    InlineDriver(study, store, cache, 1, ()).run()
    assert f"{file}: 48 rows" in command("record", store.path, "--file", file)
    rows = pq.read_table(file).to_pandas()
    labels = zip(*(rows[path].astype(float) for path in LEVELS), strict=True)
    numbers = rows[["seed", "epoch", "images", "val/mAP", "final"]].itertuples(index=False, name=None)
    found = {(arm, seed, epoch): tuple(rest) for arm, (seed, epoch, *rest) in zip(labels, numbers, strict=True)}
    expected = {}
    for folder in (store.path / "trials").iterdir():
        trial, record = (json.loads((folder / name).read_text()) for name in ("config.json", "record.json"))
        arm = trial["config"]["losses"]["triplet"]["margin"], trial["config"]["training"]["optimizer"]["lr"]
        end = record["readouts"]["default"]["metrics"]["val/mAP"]
        for line in map(json.loads, (folder / "epochs.jsonl").read_text().splitlines()):
            expected[arm, trial["seed"], line["epoch"]] = line["images_seen"], line["val/mAP"], end
    assert found == expected
    shown = command("replay", "--runs", "3", "--file", file)
    assert "4 arms × 3 seeds × 4 epochs, 32 images a training; 3 searches a row." in shown
    assert sum(line.startswith("| ") and line.count("[") >= 6 for line in shown.splitlines()) == 2 * 6
    next((store.path / "trials").glob("*/record.json")).unlink()
    with pytest.raises(SystemExit, match="1 of 12 trainings of 'ablate' have not finished; run it again"):
        command("record", store.path, "--file", file)


def test_a_file_that_is_no_grid_is_refused(grids: ModuleType, tmp_path: Path) -> None:
    file = _write(tmp_path / "grid.parquet", _curves(3))
    assert grids.read(file).curves == pytest.approx(_curves(3))
    table = pq.read_table(file)
    pq.write_table(table.slice(1), file)
    with pytest.raises(SystemExit, match="not 12 arms × 3 seeds × 6 epochs"):
        grids.read(file)


def test_truth_is_what_a_report_would_guess_from_the_last_two_of_the_other_seeds(
    grids: ModuleType, tmp_path: Path
) -> None:
    curves = _curves(4, noise=0.05)
    true = grids.truths(grids.read(_write(tmp_path / "grid.parquet", curves)))["the mean of all arms"]
    for seen, own in enumerate(true):
        others = curves[:, [(seen + 2) % 4, (seen + 3) % 4], -1].tolist()
        guesses = [shrunken(sum(two) / 2, 2, [one for one, _ in others], others) for two in others]
        assert own == pytest.approx(guesses)


def test_a_value_that_levels_and_their_pairs_explain_is_its_own_truth(grids: ModuleType, tmp_path: Path) -> None:
    """With two axes, pairs explain everything: arms differ as the means of their seeds, and nothing is shrunken."""
    grid = grids.read(_write(tmp_path / "grid.parquet", _curves(3, noise=0.05)))
    true, means = grids.truth_by_factors(grid, grid.ends), grid.ends.mean(axis=1)
    assert true - true.mean() == pytest.approx(means - means.mean())
    assert np.ptp(grids.truth(grid.ends)) < 0.99 * np.ptp(means)


def test_random_search_finds_the_best_as_often_as_it_tries_it(grids: ModuleType, tmp_path: Path) -> None:
    """Of twelve arms it tries n different ones, whole, so the best is among them in n of twelve searches."""
    grid = grids.read(_write(tmp_path / "grid.parquet", _curves(3)))
    best = int(grid.ends[:, 0].argmax())
    found = [grids.searches(grid)["random search"](replay) for replay in grids.replays(grid, 200)]
    for at, share in enumerate(grids.SHARES):
        tried = int(12 * share)
        assert {run[at].trainings for run in found} == {tried}
        hits = sum(run[at].arm == best for run in found)
        assert abs(hits - 200 * tried / 12) <= 4 * (200 * tried / 12 * (1 - tried / 12)) ** 0.5


def test_every_search_knows_only_the_seeds_that_it_may_see(grids: ModuleType, tmp_path: Path) -> None:
    """Whatever the seeds of truth are changed to, searches find the same; finalists follow their fresh seed."""
    curves = _curves(4, noise=0.02)
    names = list(grids.searches(grids.read(_write(tmp_path / "grid.parquet", curves))))

    def found(changed: np.ndarray) -> dict[str, list[object]]:
        grid = grids.read(_write(tmp_path / "grid.parquet", changed))
        replay = replace(grids.replays(grid, 1)[0], budgets=(int(0.9 * grid.images_of_all),))
        assert (replay.seed, list(replay.fresh)) == (0, [1])
        return {name: search(replay) for name, search in grids.searches(grid).items()}

    other = curves.copy()
    other[:, 2:] = curves[::-1, 2:]
    assert found(other) == found(curves)
    fresh = curves.copy()
    fresh[:, 1] = 1 - curves[:, 1]
    differ = [name for name in names if found(fresh)[name] != found(curves)[name]]
    assert differ == [name for name in names if "finalists" in name]


def test_asha_stops_what_its_rule_stops(grids: ModuleType, tmp_path: Path) -> None:
    """At epochs 1 and 4, a training stops below the third quartile of those that came before it (Li et al. 2020)."""
    grid = grids.read(_write(tmp_path / "grid.parquet", _curves(3)))
    asha = grids.searches(grid)["Ray Tune: random search, ASHA"]
    draws = np.random.default_rng(0)
    spent, rungs, expected = 0, {1: [], 4: []}, []
    while spent < 12 * EPOCHS:
        cell = [draws.choice(len(values)) for values in LEVELS.values()]
        curve = grid.curves[cell[0] * 3 + cell[1], 0]
        ran = EPOCHS
        for epoch, before in rungs.items():
            below = bool(before) and curve[epoch - 1] < np.percentile(before, 75)
            before.append(curve[epoch - 1])
            if below:
                ran = epoch
                break
        spent += ran
        expected.append(spent)
    for epochs in (10, 20, 40, 72):
        replay = replace(grids.replays(grid, 1)[0], budgets=(epochs * IMAGES,))
        assert asha(replay)[0].trainings == sum(cost <= epochs for cost in expected)


def test_regret_is_what_the_arm_with_the_best_truth_is_worth_more(grids: ModuleType) -> None:
    true = [np.array([0.2, 0.5, 0.4]), np.array([0.3, 0.1, 0.2])]
    assert grids.regrets([2, 1, None, 0], true) == pytest.approx([10.0, 20.0, np.inf, 0.0])
    assert grids.cell(np.array([1.0, 2.0, 3.0, np.inf, np.inf])) == "3.00 [2.00, –]"

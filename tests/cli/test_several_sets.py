"""A study trained on two data sets and tested on three, from folders to a report."""

import csv
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from statistics import mean, stdev

import pytest
from PIL import Image

from analysis import load_arms, load_trials
from reid_search.data.synthetic.config import SyntheticConfig
from reid_search.data.synthetic.write import write_dataset

Command = Callable[..., object]

STUDY = """\
name: transfer
base:
  data:
    train: [{name: market1501, root: market}, {name: manifest, root: own}]
    test:
      market: {name: market1501, root: market}
      own: {name: manifest, root: own}
      drawn: {name: synthetic, preset: unit, seed: 5}
    image_size: [16, 8]
  model: {architecture: baseline, backbone: resnet10_thin, embedding_dim: 16}
  training: {images: 32, batch: {ids: 4, per_id: 2}}
axes:
  data.train:
    choice:
      market: [{name: market1501, root: market}]
      both: [{name: market1501, root: market}, {name: manifest, root: own}]
claims:
  more helps elsewhere: {better: {data.train: both}, than: {data.train: market}, metric: drawn/mAP}
phases: [{kind: ablate, design: one_factor, seeds: 6}]
keep: all
"""


@pytest.fixture
def folders(tmp_path: Path, command: Command) -> Path:
    write_dataset(SyntheticConfig.model_validate({"name": "synthetic", "preset": "unit"}), tmp_path / "market")
    for identity in range(12):
        for frame in range(3):
            path = tmp_path / "own" / f"person {identity}" / f"{frame}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.new("RGB", (8, 16), (identity * 20, frame * 40, 255 - identity)).save(path)
    assert command("data", "import", tmp_path / "own").code == 0
    (tmp_path / "study.yaml").write_text(STUDY)
    return tmp_path


def test_trained_on_two_and_tested_on_three_it_reports_every_number_of_the_records(
    folders: Path, command: Command
) -> None:
    ran = command("run", "study.yaml", "--address", "none")
    assert ran.code == 0, ran.err
    store = folders / "runs" / "transfer"
    records = [json.loads(path.read_text()) for path in sorted(store.glob("trials/*/record.json"))]
    assert len(records) == 12
    found = [record["readouts"]["default"] for record in records]
    for readout in found:
        splits = {name.rpartition("/")[0] for name in readout["metrics"]}
        assert splits == {"test", "test/market", "test/own", "test/drawn"} == set(readout["cmc"])
        assert readout["metrics"]["test/mAP"] == readout["metrics"]["test/market/mAP"]
        assert readout["rules"]["test/own"]["left_out"] == ["same image"]
    assert len({record["split_fingerprints"]["test/drawn"] for record in records}) == 1
    assert len({record["data_fingerprint"] for record in records}) == 1  # the same sets, used differently

    trials = load_trials(store).set_index(["key", "seed"])
    for record in records:
        row = trials.loc[(record["key"], record["seed"])]
        assert row["test/own/mAP"] == record["readouts"]["default"]["metrics"]["test/own/mAP"]
    arms = load_arms(store)
    assert arms["protocol"].nunique() == 1
    with (store / "report/tables/train-test-ablate.csv").open() as file:
        cells = list(csv.DictReader(file))
    assert [(cell["arm"], cell["test"], cell["seen"]) for cell in cells] == [
        ("baseline", "market", "True"),
        ("baseline", "own", "True"),
        ("baseline", "drawn", "False"),
        ("data.train=market", "market", "True"),
        ("data.train=market", "own", "False"),
        ("data.train=market", "drawn", "False"),
    ]
    for cell in cells:
        keys = set(arms.loc[arms["arm"] == cell["arm"], "key"])
        own = [record["readouts"]["default"]["metrics"] for record in records if record["key"] in keys]
        values = [metrics[f"test/{cell['test']}/mAP"] for metrics in own]
        assert float(cell["mAP"]) == pytest.approx(mean(values), abs=1e-12)
        assert float(cell["mAP_sd"]) == pytest.approx(stdev(values), abs=1e-12)
        assert float(cell["rank1"]) == pytest.approx(
            mean(item[f"test/{cell['test']}/rank1"] for item in own), abs=1e-12
        )

    report = (store / "report/report.md").read_text()
    assert "## Train × test of ‘ablate’" in report
    assert "| data.train=market | market1501 | 6 |" in report
    assert "**more helps elsewhere: no verdict.** 'baseline' is at chance in every seed" in report
    assert "NO PRETRAINED WEIGHTS: every trial on manifest and market1501" in report
    assert "test, test/drawn and test/market: Market-1501: for each query" in report
    assert "test/own: no cameras: nothing but the query itself is removed" in report

    again = command("evaluate", store / "trials" / f"{records[0]['key']}-s{records[0]['seed']}", "--json")
    expected = {key: value for key, value in found[0]["metrics"].items() if not key.endswith("_untrained")}
    assert json.loads(again.out)["default"]["metrics"] == pytest.approx(expected)


def test_one_trial_of_several_sets_is_refused_for_what_a_study_is_refused_for(folders: Path, command: Command) -> None:
    seen = sorted((folders / "market/bounding_box_train").glob("*.jpg"))[0]
    manifest = (folders / "own/manifest.csv").read_text().splitlines()
    tested = next(line.partition(",")[0] for line in manifest if ",query" in line)
    shutil.copy(seen, folders / "own" / tested)
    for asked in (("plan", "study.yaml"), ("train", "study.yaml"), ("run", "study.yaml", "--address", "none")):
        refused = command(*asked)
        assert refused.code == 2, refused.err
        assert f"{seen} is trained on as an image of market1501, and it is tested on as" in refused.err
    assert not (folders / "runs").exists()


def test_data_names_the_folder_that_holds_all_sets(folders: Path, command: Command) -> None:
    (folders / "all").mkdir()
    (folders / "market").rename(folders / "all/market1501")
    (folders / "own").rename(folders / "all/manifest")
    refused = command("plan", "study.yaml", "--data", "all")
    assert (refused.code, "every data set has a root of its own" in refused.err) == (2, True), refused.err
    (folders / "study.yaml").write_text(STUDY.replace(", root: market", "").replace(", root: own", ""))
    planned = command("plan", "study.yaml", "--data", "all", "--json")
    assert planned.code == 0, planned.err
    assert "provisional" not in planned.err
    without = command("plan", "study.yaml")
    assert without.code == 0, without.err
    assert "provisional" in without.err

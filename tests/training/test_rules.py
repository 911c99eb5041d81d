"""A trial on a data set with its own evaluation rule: what is measured, kept and compared."""

import json
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

from reid_search.data import open_trial_data
from reid_search.data.synthetic.config import CONFIG as SYNTHETIC
from reid_search.evaluation import chance_mean_ap
from reid_search.records import Record, TrialFolder
from reid_search.study import EvaluationRule, SingleShot
from reid_search.study.metrics import METRICS
from reid_search.training import TrialRequest, run_trial

RequestOf = Callable[..., TrialRequest]
ITSELF = EvaluationRule(left_out=("same image",))
DRAWS = EvaluationRule(single_shot=SingleShot(draws=4, seed=3))


def _measured(request: TrialRequest, folder: Path) -> tuple[Record, pd.DataFrame]:
    record = run_trial(request, TrialFolder(folder))
    assert record.status == "finished", record.reason
    return record, pq.read_table(folder / "readouts/default/per_query.parquet").to_pandas()


def _use(rule: EvaluationRule, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SYNTHETIC, "rule", property(lambda _: rule))


def test_without_cameras_more_matches_count_and_the_record_says_so(
    request_of: RequestOf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain, plain_queries = _measured(request_of(), tmp_path / "plain")
    assert "rules" not in json.loads((tmp_path / "plain/record.json").read_text())["readouts"]["default"]
    _use(ITSELF, monkeypatch)
    record, queries = _measured(request_of(), tmp_path / "itself")
    readout = TrialFolder(tmp_path / "itself").record().readouts["default"]  # type: ignore[union-attr]
    assert readout == record.readouts["default"]
    assert readout.rules == {"val": ITSELF, "test": ITSELF}
    assert plain.readouts["default"].rule("test") == EvaluationRule() != readout.rule("test")
    held_out = queries[queries["split"] == "val"]
    assert held_out["identity"].is_unique
    assert set(held_out["identity"]) >= set(plain_queries.loc[plain_queries["split"] == "val", "identity"])
    data = open_trial_data(request_of().config, 1, request_of().cache).sets["test"]
    labels = {
        "query_ids": data.query.identities,
        "gallery_ids": data.gallery.identities,
        "columns": {"image": (data.query.table["path"], data.gallery.table["path"])},
    }
    assert readout.metrics["test/mAP_chance"] == chance_mean_ap(**labels, rule=ITSELF)
    assert readout.metrics["test/mAP_chance"] > plain.readouts["default"].metrics["test/mAP_chance"]


def test_single_shot_numbers_are_means_over_draws_under_their_own_names(
    request_of: RequestOf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain, _ = _measured(request_of(), tmp_path / "plain")
    _use(DRAWS, monkeypatch)
    record, queries = _measured(request_of(), tmp_path / "draws")
    metrics = record.readouts["default"].metrics
    assert record.readouts["default"].rules == {"val": DRAWS, "test": DRAWS}
    for split, rows in queries.groupby("split"):
        matched = rows[rows["first_match_rank"] > 0]
        for name, metric in METRICS.items():
            if metric.single_shot:
                assert metrics[f"{split}/{name}"] == pytest.approx(matched[metric.column].mean(), abs=1e-12)
                assert (4 * matched[metric.column].round(12) % 1 == 0).all() or name == "single_shot_mAP"
        assert f"{split}/rank1" not in metrics
        assert 0 < metrics[f"{split}/mAP_chance"] != metrics[f"{split}/single_shot_mAP_chance"] < 1
        assert record.readouts["default"].cmc[split][0] == pytest.approx(metrics[f"{split}/single_shot_rank1"])
    assert metrics["test/mAP"] == plain.readouts["default"].metrics["test/mAP"], "of the whole gallery, as before"
    last = TrialFolder(tmp_path / "draws").epochs()[-1]
    assert last["val/single_shot_rank1"] == metrics["val/single_shot_rank1"]
    assert "val/rank1" not in last

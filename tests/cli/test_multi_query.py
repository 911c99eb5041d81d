"""A study on Market-1501 with one image a query, and with several: the two are never compared."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import analysis
from reid_search.data.synthetic.config import SyntheticConfig
from reid_search.data.synthetic.write import write_dataset
from reid_search.records import StudyStore


def test_a_study_of_both_query_modes_keeps_them_apart(
    command: Callable[..., Any], study_file: Callable[..., Path], trial_content: Callable[..., Any], tmp_path: Path
) -> None:
    root = tmp_path / "market"
    write_dataset(SyntheticConfig.model_validate({"name": "synthetic", "preset": "tiny"}), root)
    (root / "gt_bbox").mkdir()
    asked = {path.name[:7] for path in (root / "query").glob("*.jpg")}
    for path in (root / "bounding_box_test").glob("*.jpg"):
        if path.name[:7] in asked:
            shutil.copy(path, root / "gt_bbox")
    data = {"name": "market1501", "image_size": [32, 16], "holdout": 0.25}
    study = study_file(
        base=trial_content(data=data),
        axes={"data.multi_query": {"choice": {"single": False, "multi": True}}},
        phases=[{"kind": "ablate", "around": "base", "seeds": 2}],
    )
    answer = command("run", study, "--address", "none", "--data", root, "--storage", tmp_path / "runs")
    assert answer.code == 0, answer.err
    store = StudyStore(tmp_path / "runs", "small")
    arms = analysis.load_arms(store.path)
    assert set(arms["rule"]) == {"same camera", "same camera; multi-query"}
    assert arms.groupby("rule")["protocol"].nunique().tolist() == [1, 1]
    assert arms["protocol"].nunique() == 2
    report = (store.path / "report/report.md").read_text()
    assert "single query; a query without a match" in report
    assert "multi-query: the feature of a query is the mean over all query images of its identity" in report

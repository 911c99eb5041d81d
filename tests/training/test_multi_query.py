"""Multi-query: queries that several images describe, against brute force and through a whole study."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from PIL import Image, ImageOps

from reid_search.data import LabelledImages, open_trial_data
from reid_search.data.synthetic.config import SyntheticConfig
from reid_search.data.synthetic.write import write_dataset
from reid_search.evaluation import evaluate_ranking
from reid_search.models import build_model
from reid_search.records import TrialFolder
from reid_search.study import EvaluationRule, TrialConfig
from reid_search.training import TrialRequest, run_trial
from reid_search.training.measuring import extract, rank, readout_plans

CPU = torch.device("cpu")
READOUT = {"taps": ["global@coarse", "p2.part1@reduced"], "flip": False}
Content = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def hand_drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Drawn people with `gt_bbox`: each query and, mirrored, the gallery's images of its identity in its camera."""
    root = tmp_path_factory.mktemp("made") / "market"
    write_dataset(SyntheticConfig.model_validate({"name": "synthetic", "preset": "tiny"}), root)
    (root / "gt_bbox").mkdir()
    asked = {path.name[:7] for path in (root / "query").glob("*.jpg")}
    for path in (root / "query").glob("*.jpg"):
        shutil.copy(path, root / "gt_bbox")
    for path in (root / "bounding_box_test").glob("*.jpg"):
        if path.name[:7] in asked:
            with Image.open(path) as image:
                ImageOps.mirror(image).save(root / "gt_bbox" / path.name)
    return root


def _content(root: Path, content: Content, **readout: object) -> dict[str, Any]:
    data = {"name": "market1501", "root": str(root), "multi_query": True, "image_size": [32, 16], "holdout": 0.25}
    return content(data=data, readouts={"default": {**READOUT, **readout}})


def _unit(block: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return block / np.linalg.norm(block)


@pytest.mark.parametrize("normalize", ["all", "blocks", "none"])
def test_a_query_is_the_mean_of_its_images_normalised_again(
    hand_drawn: Path, cache: Path, trial_content: Content, normalize: str
) -> None:
    config = TrialConfig.model_validate(_content(hand_drawn, trial_content, normalize=normalize, metric="euclidean"))
    data = open_trial_data(config, 1, cache)
    model, plans = build_model(config.model, image_size=config.data.image_size), readout_plans(config)
    sizes = [tap.dim for tap in config.readout_taps("default")]

    def features(images: LabelledImages) -> npt.NDArray[np.float64]:
        return extract(model, plans, images, CPU)["default"].astype(np.float64)

    for images in data.sets.values():
        assert images.multi_query is not None
        pool, described, counts = features(images.multi_query), [], []
        for identity, camera in images.query.table[["identity", "camera"]].to_numpy():
            own = [
                feature
                for feature, label in zip(pool, images.multi_query.table.itertuples(), strict=True)
                if (label.identity, label.camera) == (identity, camera)
            ]
            mean = sum(own) / len(own)
            counts.append(len(own))
            blocks = np.split(mean, np.cumsum(sizes)[:-1])
            blocks = [_unit(block) for block in blocks] if normalize == "blocks" else blocks
            described.append(_unit(np.concatenate(blocks)) if normalize == "all" else np.concatenate(blocks))
        assert max(counts) > 1
        columns = {"camera": (images.query.cameras, images.gallery.cameras)}
        labels = {"query_ids": images.query.identities, "gallery_ids": images.gallery.identities, "columns": columns}
        expected = evaluate_ranking(np.stack(described), features(images.gallery), metric="euclidean", **labels)
        single = evaluate_ranking(features(images.query), features(images.gallery), metric="euclidean", **labels)
        found = rank(model, plans, images, CPU)["default"]
        np.testing.assert_allclose(found.per_query, expected.per_query, atol=1e-9)
        assert found.mean_ap != single.mean_ap


def test_a_query_without_boxes_is_described_by_its_own_image(
    hand_drawn: Path, cache: Path, trial_content: Content, tmp_path: Path
) -> None:
    root = shutil.copytree(hand_drawn, tmp_path / "market")
    query = sorted((root / "query").glob("*.jpg"))[0]
    for path in (root / "gt_bbox").glob(f"{query.name[:7]}*"):
        path.unlink()
    config = TrialConfig.model_validate(_content(root, trial_content))
    data = open_trial_data(config, 1, cache)
    images = data.sets["test"]
    model, plans = build_model(config.model, image_size=config.data.image_size), readout_plans(config)
    assert images.multi_query is not None
    assert [len(places) for places in images.pooled()].count(0) == 1
    found = {name: extract(model, plans, part, CPU)["default"] for name, part in vars(images).items() if name != "rule"}
    pooled = plans["default"].pooled(found["query"], found["multi_query"], images.pooled())
    alone = [len(places) == 0 for places in images.pooled()].index(True)
    np.testing.assert_allclose(pooled[alone], found["query"][alone], atol=1e-6)
    assert any("1 of" in note and "is described by its own" in note for note in data.facts.notes)


def test_a_trial_records_that_its_queries_were_pooled(
    hand_drawn: Path, cache: Path, trial_content: Content, tmp_path: Path
) -> None:
    config = TrialConfig.model_validate(_content(hand_drawn, trial_content))
    record = run_trial(TrialRequest(config, 1, "0" * 16, ("test",), cache=cache), TrialFolder(tmp_path))
    assert record.status == "finished", record.reason
    rule = EvaluationRule(multi_query=True)
    written = TrialFolder(tmp_path).record()
    assert written is not None
    assert written.readouts["default"].rules == {"val": rule, "test": rule}
    content = json.loads((tmp_path / "record.json").read_text())
    assert content["readouts"]["default"]["rules"]["test"]["multi_query"] is True

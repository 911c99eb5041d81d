"""Readouts: features by hand, and their ranking."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from reid_search.data import Samples, open_trial_data
from reid_search.evaluation import evaluate_ranking
from reid_search.models import build_model
from reid_search.study import TrialConfig
from reid_search.training.batches import to_batch
from reid_search.training.measuring import extract, rank, readout_plans

CPU = torch.device("cpu")


@pytest.mark.parametrize("flip", [True, False])
@pytest.mark.parametrize("normalize", ["all", "blocks", "none"])
def test_features_are_taps_flipped_normalised_and_concatenated(
    cache: Path, trial_content: Callable[..., dict[str, Any]], flip: bool, normalize: str
) -> None:
    readout = {"taps": ["global@coarse", "p2.part1@reduced"], "flip": flip, "normalize": normalize}
    config = TrialConfig.model_validate(trial_content(readouts={"default": readout}))
    data = open_trial_data(config, 1, cache)
    model = build_model(config.model, image_size=config.data.image_size).eval()
    query = data.sets["test"].query
    features = extract(model, readout_plans(config), query, CPU)["default"]
    images = to_batch(Samples(np.stack([query.samples.pixels[row] for row in query.rows])), CPU).images
    with torch.no_grad():
        taps, mirrored = model(images), model(torch.flip(images, dims=[3]))
    blocks = []
    for key in ("p1.global@coarse", "p2.global@coarse", "p2.part1@reduced"):
        block = ((taps[key] + mirrored[key]) / 2 if flip else taps[key]).double().numpy()
        blocks.append(block / np.linalg.norm(block, axis=1, keepdims=True) if normalize == "blocks" else block)
    expected = np.concatenate(blocks, axis=1)
    if normalize == "all":
        expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    np.testing.assert_allclose(features, expected, rtol=2e-4, atol=2e-5)


def test_a_ranking_uses_the_identities_and_cameras_of_the_split(
    cache: Path, trial_content: Callable[..., dict[str, Any]]
) -> None:
    config = TrialConfig.model_validate(trial_content())
    data = open_trial_data(config, 1, cache)
    model = build_model(config.model, image_size=config.data.image_size)
    plans = readout_plans(config)
    for images in data.sets.values():
        query, gallery = (extract(model, plans, part, CPU)["default"] for part in (images.query, images.gallery))
        expected = evaluate_ranking(
            query,
            gallery,
            query_ids=images.query.table["identity"],
            gallery_ids=images.gallery.table["identity"],
            query_cameras=images.query.table["camera"],
            gallery_cameras=images.gallery.table["camera"],
        )
        assert rank(model, plans, images, CPU)["default"].mean_ap == expected.mean_ap


def test_a_network_that_gives_nan_has_no_score(cache: Path, trial_content: Callable[..., dict[str, Any]]) -> None:
    from reid_search.evaluation import EvaluationError

    config = TrialConfig.model_validate(trial_content())
    data = open_trial_data(config, 1, cache)
    model = build_model(config.model, image_size=config.data.image_size)
    torch.nn.init.constant_(next(model.parameters()), float("nan"))
    with pytest.raises(EvaluationError, match="NaN"):
        rank(model, readout_plans(config), data.sets["test"], CPU)

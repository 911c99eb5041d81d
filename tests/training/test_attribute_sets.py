"""Learning the attributes of DukeMTMC-reID, from its own form of table to a record."""

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError
from scipy.io import savemat

from reid_search.data.synthetic.config import SyntheticConfig
from reid_search.data.synthetic.write import write_dataset
from reid_search.records import TrialFolder
from reid_search.study import TrialConfig
from reid_search.study.trial.side_cars import DUKE_ATTRIBUTES
from reid_search.training import TrialRequest, run_trial


def test_duke_s_attributes_are_learnt(
    cache: Path, trial_content: Callable[..., dict[str, Any]], tmp_path: Path
) -> None:
    root = tmp_path / "people"
    write_dataset(SyntheticConfig.model_validate({"name": "synthetic", "preset": "tiny"}), root)
    with (root / "attributes.csv").open(newline="") as file:
        identities = [row["identity"].zfill(4) for row in csv.DictReader(file)]
    values = np.random.default_rng(0).integers(1, 3, (len(DUKE_ATTRIBUTES), len(identities)))
    half = len(identities) // 2
    parts = {
        part: {**dict(zip(DUKE_ATTRIBUTES, values[:, rows], strict=True)), "image_index": identities[rows]}
        for part, rows in {"train": slice(half), "test": slice(half, None)}.items()
    }
    savemat(root / "duke_attribute.mat", {"duke_attribute": parts})
    data = {
        "name": "market1501",
        "root": str(root),
        "attributes": str(root / "duke_attribute.mat"),
        "image_size": [32, 16],
        "holdout": 0.0,
    }
    model = {"architecture": "attributes", "backbone": "resnet10_thin", "attribute_set": "duke"}
    losses = {"attributes": {"attribute_set": "duke"}}
    config = TrialConfig.model_validate(trial_content(data=data, model=model, losses=losses))
    folder = TrialFolder(tmp_path / "trial")
    record = run_trial(TrialRequest(config, 1, "0" * 16, ("test",), cache=cache), folder)
    assert record.status == "finished", record.reason
    assert record.readouts["default"].dim == 128 + 46
    assert all(0 < row["loss/attributes"] < 2 * np.log(2) for row in folder.epochs())
    with pytest.raises(ValidationError, match=r"expected \[56\]: 56 logits, .* of attribute_set market"):
        TrialConfig.model_validate(trial_content(data=data, model=model))

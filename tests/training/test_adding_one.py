"""An architecture, a backbone, a loss and a data set of somebody else's: two small files each, found by all."""

import importlib
import itertools
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from safetensors.torch import save_file

from reid_search.backbones import build_backbone
from reid_search.models import build_model, count_parameters
from reid_search.records import Record, TrialFolder
from reid_search.study import ARCHITECTURES, BACKBONES, DATASETS, LOSSES, ComponentFamily, TrialConfig
from reid_search.training import TrialRequest, run_trial

CONFIG = """
from typing import Literal
from reid_search.backbones import backbone_config
from reid_search.models.layers.settings import BackboneSettings
from reid_search.study import Scope, Stage, TapSpec

class HalvesConfig(BackboneSettings):
    default_losses = {"identity": {"kind": "cross_entropy", "on": ["global@coarse", "part@coarse"]},
                      "parsing": {"kind": "parsing", "on": ["map@coarse"]}}
    modes = ("whole",)
    architecture: Literal["halves"]

    @property
    def default_readout(self):
        return ("global@coarse", "part@coarse")

    def taps(self, image_size):
        vectors = [TapSpec(f"halves.{name}", scope, Stage.COARSE, (self.channels,))
                   for name, scope in (("global", Scope.GLOBAL), ("left", Scope.PART), ("right", Scope.PART))]
        grid = backbone_config(self.backbone).map_size(image_size, 1)
        return (*vectors, TapSpec("parsing", Scope.MAP, Stage.COARSE, (5, *grid)))

CONFIG = HalvesConfig
"""
MODEL = """
from torch import nn
from reid_search.backbones import build_backbone
from reid_search.models import ReidModel

def build(config, image_size):
    blocks = build_backbone(config.backbone, config.weights, 1)
    return Halves(config.taps(image_size), config.default_readout, blocks, nn.Conv2d(config.channels, 5, 1))

class Halves(ReidModel):
    def __init__(self, taps, readout, blocks, parser):
        super().__init__(taps, readout)
        self.blocks, self.parser, self.mode = blocks, parser, None

    def use_mode(self, mode):
        self.mode = mode

    def taps_of(self, batch):
        features = self.blocks(batch.images)
        half = features.shape[3] // 2 if self.mode != "whole" else 0
        pooled = (features, features[..., half:], features[..., : features.shape[3] - half])
        taps = {tap.key: part.mean((2, 3)) for tap, part in zip(self.tap_specs, pooled, strict=False)}
        return {**taps, "parsing@coarse": self.parser(features)}
"""


BACKBONE_CONFIG = """
from typing import Literal
from reid_search.backbones import BackboneConfig, Block

class PlainConfig(BackboneConfig):
    weights_form = "tensors by the names of its blocks"
    name: Literal["plain"]

    def blocks(self, last_stride):
        return Block("first", 16, 4), Block("second", 24, 2), Block("third", 40, last_stride)

CONFIG = PlainConfig
"""
BACKBONE_MODEL = """
from collections import OrderedDict
from torch import nn
from reid_search.backbones import Backbone, load_weights

class Plain(Backbone):
    def set_last_stride(self, stride):
        if hasattr(self, "third"):
            self.third[0].stride = (stride, stride)

def _block(before, after, kernel, stride):
    convolution = nn.Conv2d(before, after, kernel, stride, padding=kernel // 2, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(after), nn.ReLU())

def build(config, weights):
    backbone = Plain(OrderedDict(first=_block(3, 16, 5, 4), second=_block(16, 24, 3, 2), third=_block(24, 40, 3, 1)))
    if weights is not None:
        load_weights(backbone, config, weights)
    return backbone
"""


def _add(family: ComponentFamily, name: str, texts: tuple[str, str], folder: Path, patch: pytest.MonkeyPatch) -> None:
    """Make the package of somebody else's known in this process, for one test."""
    package = folder / "somebody" / name
    package.mkdir(parents=True)
    for module, text in zip(("__init__", "config", family._work), ("", *texts), strict=True):
        (package / f"{module}.py").write_text(text)
    patch.syspath_prepend(str(package.parent))
    for module in ("", ".config", f".{family._work}"):
        patch.delitem(sys.modules, name + module, raising=False)
    config = importlib.import_module(f"{name}.config").CONFIG
    patch.setitem(family._added, name, config)


LOSS_CONFIG = """
from typing import Literal
from pydantic import Field
from reid_search.study import LossConfig

class ShrinkConfig(LossConfig):
    of_identities = False
    kind: Literal["shrink"]
    power: float = Field(default=2.0, gt=0.0)

CONFIG = ShrinkConfig
"""
LOSS = """
from reid_search.losses.tap_loss import TapLoss

def build(config, taps, classes):
    return Shrink(config, taps)

class Shrink(TapLoss):
    def __init__(self, config, taps):
        super().__init__(taps)
        self.power = config.power

    def value(self, index, features, targets):
        return features.abs().pow(self.power).mean()
"""
DATA_CONFIG = """
import hashlib
from typing import Literal
from reid_search.study import DataConfig
from reid_search.study.component import AbsolutePath

class FlatConfig(DataConfig):
    places = ("root",)
    name: Literal["flat"]
    root: AbsolutePath

    def files(self):
        return sorted(self.root.glob("*.png"))

    def fingerprint(self):
        return hashlib.sha256(b"".join(path.read_bytes() for path in self.files())).hexdigest()[:16]

CONFIG = FlatConfig
"""
DATA = """
import pandas as pd
from reid_search.data import ReidDataset

def load(config, cache):
    rows = [(str(path), *path.stem.split("-")) for path in config.files()]
    images = pd.DataFrame(rows, columns=["path", "split", "identity", "camera"])
    images = images.astype({"identity": int, "camera": int})
    tables = {name: rows.drop(columns="split").reset_index(drop=True) for name, rows in images.groupby("split")}
    return ReidDataset("flat", **tables, fingerprint=config.fingerprint())
"""


@pytest.mark.parametrize(
    "texts", [(CONFIG, MODEL), (BACKBONE_CONFIG, BACKBONE_MODEL), (LOSS_CONFIG, LOSS), (DATA_CONFIG, DATA)]
)
def test_it_takes_less_than_forty_lines(texts: tuple[str, str]) -> None:
    assert len([line for line in "".join(texts).splitlines() if line.strip()]) < 40


@pytest.mark.parametrize("model", [{"architecture": "mgn", "split": "second"}, {"architecture": "pcb", "parts": 2}])
def test_a_backbone_trains_in_architectures_that_cut_it_or_its_map(
    model: dict[str, object], cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _add(BACKBONES, "plain", (BACKBONE_CONFIG, BACKBONE_MODEL), tmp_path, monkeypatch)
    content = {
        "data": {"name": "synthetic", "preset": "tiny", "image_size": [32, 16]},
        "model": {"backbone": "plain", "embedding_dim": 16, **model},
        "training": {"images": 12, "batch": {"ids": 4, "per_id": 3}, "report_every": 12},
    }
    with pytest.raises(ValueError, match="'layer2' is not a choice; allowed: first, input, second"):
        TrialConfig.model_validate(
            {**content, "model": {"architecture": "mgn", "backbone": "plain", "split": "layer2"}}
        )
    config = TrialConfig.model_validate(content)
    record = run_trial(TrialRequest(config, 1, "0" * 16, ("test",), cache=cache), TrialFolder(tmp_path / "trial"))
    assert record.status == "finished", record.reason
    weights = tmp_path / "plain.safetensors"
    save_file(build_backbone("plain", None, 1).state_dict(), weights)
    pretrained = config.model.model_copy(update={"weights": weights})
    new = build_model(pretrained, image_size=(32, 16)).new_parameters()
    assert new
    assert not [name for name in new if "third" in name or "first" in name]


def _train(content: dict[str, object], cache: Path, folder: Path) -> Record:
    config = TrialConfig.model_validate(
        {
            "data": {"name": "synthetic", "preset": "tiny", "image_size": [32, 16]},
            "model": {"architecture": "baseline", "backbone": "resnet10_thin", "embedding_dim": 16},
            "training": {"images": 12, "batch": {"ids": 4, "per_id": 3}, "report_every": 12},
            **content,
        }
    )
    return run_trial(TrialRequest(config, 1, "0" * 16, ("test",), cache=cache), TrialFolder(folder))


def test_a_loss_is_trained_with_its_settings(cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _add(LOSSES, "shrink", (LOSS_CONFIG, LOSS), tmp_path, monkeypatch)
    shrink = {"kind": "shrink", "on": ["global@reduced"]}
    seen = {}
    for power in (1.0, 3.0):
        folder = tmp_path / f"trial-{power}"
        record = _train({"losses": {"small": {**shrink, "power": power}}}, cache, folder)
        assert record.status == "finished", record.reason
        seen[power] = TrialFolder(folder).epochs()[0]["loss/small"]
    assert seen[1.0] != seen[3.0]


def test_a_data_set_is_trained_on_and_tested(cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _add(DATASETS, "flat", (DATA_CONFIG, DATA), tmp_path, monkeypatch)
    root = tmp_path / "images"
    root.mkdir()
    colours = np.random.default_rng(0)
    splits = {"train": (range(1, 5), (1, 2, 3)), "query": ((5, 6), (1,)), "gallery": ((5, 6), (2,))}
    for split, (people, cameras) in splits.items():
        for person, camera in itertools.product(people, cameras):
            pixels = colours.integers(0, 255, (32, 16, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(root / f"{split}-{person}-{camera}.png")
    data = {"name": "flat", "root": str(root), "image_size": [32, 16], "holdout": 0}
    record = _train({"data": data}, cache, tmp_path / "trial")
    assert record.status == "finished", record.reason
    assert record.data_fingerprint == DATASETS.validate(data).fingerprint()
    # With two queries and one match each among two, average precision is 1 or 1/2.
    assert record.readouts["default"].metrics["test/mAP"] in (0.5, 0.75, 1.0)


def test_it_trains_in_stages_with_a_map_loss_and_is_tested(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _add(ARCHITECTURES, "halves", (CONFIG, MODEL), tmp_path, monkeypatch)
    stages = [
        {
            "name": "parsing",
            "images": 12,
            "losses": ["parsing"],
            "train": ["blocks.*", "parser.*"],
            "data": {"seed": 1},
        },
        {"name": "whole", "images": 12, "mode": "whole", "losses": ["identity"]},
        {"name": "halves", "images": 12},
    ]
    config = TrialConfig.model_validate(
        {
            "data": {"name": "synthetic", "preset": "tiny", "image_size": [32, 16]},
            "model": {"architecture": "halves", "backbone": "resnet10_thin"},
            "training": {"batch": {"ids": 4, "per_id": 3}, "report_every": 12, "stages": stages},
            "readouts": {"default": {}, "reranked": {"scorer": {"kind": "k_reciprocal", "k1": 4, "k2": 2}}},
        }
    )
    folder = TrialFolder(tmp_path / "trial")
    record = run_trial(TrialRequest(config, 1, "0" * 16, ("test",), cache=cache), folder)
    assert record.status == "finished", record.reason
    assert [sorted(name for name in row if name.startswith("loss/")) for row in folder.epochs()] == [
        ["loss/parsing"],
        ["loss/identity"],
        ["loss/identity", "loss/parsing"],
    ]
    assert record.readouts["default"].dim == 3 * 128
    assert record.readouts["reranked"].transductive
    assert record.parameters["model"] == count_parameters(build_model(config.model, image_size=(32, 16)))

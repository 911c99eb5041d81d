"""An architecture of somebody else's, as CONTRIBUTING describes: two small files, and everything else finds it."""

import importlib
import sys
from pathlib import Path

import pytest

from reid_search.models import count_parameters
from reid_search.records import TrialFolder
from reid_search.study import ARCHITECTURES, TrialConfig
from reid_search.training import TrialRequest, run_trial

CONFIG = """
from typing import Literal
from reid_search.models.layers.settings import BackboneSettings
from reid_search.models.layers.shapes import map_size
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
        return (*vectors, TapSpec("parsing", Scope.MAP, Stage.COARSE, (5, *map_size(self.backbone, image_size, 1))))
"""
MODEL = """
from torch import nn
from reid_search.models import ReidModel
from reid_search.models.layers.backbone import build_blocks, set_last_stride

def build(config, image_size):
    blocks = build_blocks(config.backbone, config.weights)
    set_last_stride(blocks, 1)
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


@pytest.fixture
def halves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> type:
    """The package of somebody else's, known in this process."""
    package = tmp_path / "somebody" / "halves"
    package.mkdir(parents=True)
    for name, text in (("__init__", ""), ("config", CONFIG), ("model", MODEL)):
        (package / f"{name}.py").write_text(text)
    monkeypatch.syspath_prepend(str(tmp_path / "somebody"))
    config = importlib.import_module("halves.config").HalvesConfig
    monkeypatch.setitem(ARCHITECTURES._added, (ARCHITECTURES.package, "halves"), config)
    yield config
    for name in [name for name in sys.modules if name.partition(".")[0] == "halves"]:
        del sys.modules[name]


def test_it_takes_less_than_forty_lines() -> None:
    assert len([line for line in (CONFIG + MODEL).splitlines() if line.strip()]) < 40


def test_it_trains_in_stages_with_a_map_loss_and_is_tested(halves: type, cache: Path, tmp_path: Path) -> None:
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
    from reid_search.models import build_model

    assert record.parameters["model"] == count_parameters(build_model(config.model, image_size=(32, 16)))

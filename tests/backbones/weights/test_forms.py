"""Every form of weights into every family of backbones: each tensor equals that of the source."""

import importlib.util
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch.testing import assert_close

from reid_search.backbones import build_backbone
from reid_search.study.trial.weights import WeightsConfig

_PATH = Path(__file__).parents[3] / "benchmarks" / "weight_forms.py"
_SPEC = importlib.util.spec_from_file_location("weight_forms", _PATH)
assert _SPEC is not None
assert _SPEC.loader is not None
table = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(table)


@pytest.mark.parametrize("form", [*table.FORMS, "safetensors"])
@pytest.mark.parametrize("name", table.families())
def test_every_form_arrives_tensor_by_tensor(name, form, tmp_path):
    same, count = table.equal_tensors(name, form, tmp_path)
    assert same == count > 0


@pytest.mark.parametrize("name", table.families())
@pytest.mark.parametrize(
    "holders", [("backbone.",), ("model.branches.0.blocks.", "model.branches.1.blocks."), ("a.", "b.")]
)
def test_our_own_names_load(name: str, holders: tuple[str, ...], tmp_path):
    state = table.source(name).backbone.state_dict()
    later = {f"{holder}{key}": item + 1 for holder in holders[1:] for key, item in state.items()}
    saved = {f"{holders[0]}{key}": item for key, item in state.items()} | later | {"head.neck.weight": torch.ones(3)}
    save_file({key: item.clone() for key, item in saved.items()}, tmp_path / "own.safetensors")
    found = build_backbone(name, tmp_path / "own.safetensors", table.last_stride(name))
    assert_close(found.state_dict(), state, rtol=0, atol=0)
    report = found.pretrained.report
    assert set(report.dropped) >= {"head.neck.weight", *later}
    if later:
        other = WeightsConfig(file=tmp_path / "own.safetensors", take=holders[1].rstrip("."))
        taken = build_backbone(name, other, table.last_stride(name)).state_dict()
        key = next(iter(state))
        assert torch.equal(taken[key], state[key] + 1)

"""Pretrained weights from a file, and files that hold none."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch.testing import assert_close
from torchvision.models import resnet18

from reid_search.errors import StudyError


@pytest.fixture(scope="module")
def state():
    with torch.random.fork_rng():
        torch.manual_seed(9)
        network = resnet18(weights=None).train()
        network(torch.randn(4, 3, 64, 32))
    return network.state_dict()


@pytest.fixture(scope="module", params=["weights.safetensors", "weights.pth"])
def weights(state, tmp_path_factory, request):
    path = tmp_path_factory.mktemp("weights") / request.param
    save_file(state, path) if path.suffix == ".safetensors" else torch.save(state, path)
    return path


def _blocks(state):
    """Torchvision's names as those of the blocks."""
    for name, value in state.items():
        layer, _, rest = name.partition(".")
        if layer.startswith("layer"):
            index, _, rest = rest.partition(".")
            yield f"{layer}_{index}.{rest}", value
        elif layer in ("conv1", "bn1"):
            yield f"stem.{['conv1', 'bn1'].index(layer)}.{rest}", value


@pytest.mark.parametrize("split", ["input", "layer3.0"])
def test_every_branch_starts_from_the_file(weights, state, split, make_model):
    model = make_model({"architecture": "mgn", "backbone": "resnet18", "weights": str(weights), "split": split})
    expected = dict(_blocks(state))
    for branch in model.branches:
        found = {**model.shared.state_dict(), **branch.blocks.state_dict()}
        assert found.keys() == expected.keys()
        assert_close(found, expected, rtol=0, atol=0)


@pytest.mark.parametrize(
    "settings",
    [
        {"architecture": "mgn"},
        {"architecture": "mgn", "branches": "one", "pooling": "fc"},
        {"architecture": "mgn", "reduction_shared": True},
        {"architecture": "baseline"},
        {"architecture": "pcb", "parts": 2, "global_head": True},
        {"architecture": "pcb", "parts": 2, "partition": "refined", "reduction_shared": True},
    ],
    ids=str,
)
def test_only_heads_are_new(weights, settings, make_model):
    model = make_model({**settings, "backbone": "resnet18", "weights": str(weights), "embedding_dim": 64})
    heads = {
        name
        for name, _ in model.named_parameters()
        if not (name.startswith(("shared.", "backbone.")) or ".blocks." in name)
    }
    assert model.new_parameters() == heads
    assert heads


def test_part_based_baseline_starts_from_the_file(weights, state, make_model):
    model = make_model({"architecture": "pcb", "parts": 2, "backbone": "resnet18", "weights": str(weights)})
    assert_close(model.backbone.state_dict(), dict(_blocks(state)), rtol=0, atol=0)


def test_weights_do_not_depend_on_the_seed(weights, make_model):
    settings = {"architecture": "baseline", "backbone": "resnet18", "weights": str(weights)}
    first, second = (make_model(settings, seed=seed) for seed in (1, 2))
    assert_close(first.branches[0].blocks.state_dict(), second.branches[0].blocks.state_dict(), rtol=0, atol=0)


def test_a_projector_is_passed_over_and_counters_may_be_missing(state, tmp_path, make_model):
    changed = {name: value for name, value in state.items() if not name.endswith("num_batches_tracked")}
    path = tmp_path / "weights.pth"
    torch.save({**changed, "projector.weight": torch.zeros(3)}, path)
    make_model({"architecture": "baseline", "backbone": "resnet18", "weights": str(path)})


def _broken(kind, state, folder):
    path = folder / ("weights.safetensors" if kind == "text as safetensors" else "weights.pth")
    match kind:
        case "missing":
            pass
        case "text" | "text as safetensors":
            path.write_text("these are no weights\nand neither is this\n")
        case "list":
            torch.save([1, 2, 3], path)
        case "wrapped in what nobody knows":
            torch.save({"my_weights": dict(state)}, path)
        case "code":
            torch.save({"conv1.weight": Path("a")}, path)
        case "deeper":
            torch.save({**state, "layer1.2.bn1.bias": torch.zeros(64)}, path)
        case "shape":
            torch.save({**state, "layer2.0.conv1.weight": torch.zeros(1)}, path)
        case "lacks":
            torch.save({name: value for name, value in state.items() if name != "bn1.running_mean"}, path)
    return path


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("missing", "no such file"),
        ("text", "not a weights file"),
        ("text as safetensors", "not a weights file"),
        ("list", "holds no state dict"),
        ("wrapped in what nobody knows", "holds no state dict"),
        ("code", "not a weights file"),
        ("deeper", "has layer1.2.bn1.bias as well, so it holds no weights of resnet18"),
        ("shape", "has layer2.0.conv1.weight of another shape, so it holds no weights of resnet18"),
        ("lacks", "lacks bn1.running_mean, so it holds no weights of resnet18"),
    ],
)
def test_a_wrong_file_is_one_clear_error(kind, message, state, tmp_path, make_model):
    path = _broken(kind, state, tmp_path)
    with pytest.raises(StudyError) as caught:
        make_model({"architecture": "mgn", "backbone": "resnet18", "weights": str(path)})
    text = str(caught.value)
    assert text.startswith(f"model.weights: {path}: ")
    assert message in text
    assert "\n" not in text

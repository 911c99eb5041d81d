"""ResNets against torchvision's, and their weights files."""

import pytest
import torch
import torchvision
from safetensors.torch import save_file
from torch import nn
from torch.testing import assert_close

from reid_search.backbones import backbone_config, build_backbone
from reid_search.backbones.resnet.model import ThinResNet
from reid_search.study import BACKBONES

PUBLISHED = ["resnet18", "resnet34", "resnet50", "resnet101", "resnet152", "resnext50_32x4d", "wide_resnet50_2"]
NAMES = [*PUBLISHED, "resnet10_thin"]


def _source(name, seed=0):
    """The network whose names a weights file has."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return ThinResNet() if name == "resnet10_thin" else getattr(torchvision.models, name)(weights=None)


def _renamed(state):
    """A source's names as those of the blocks."""
    renamed = {}
    for name, value in state.items():
        layer, _, rest = name.partition(".")
        if layer.startswith("layer"):
            index, _, rest = rest.partition(".")
            renamed[f"{layer}_{index}.{rest}"] = value
        elif layer != "fc":
            renamed[f"stem.{['conv1', 'bn1'].index(layer)}.{rest}"] = value
    return renamed


@pytest.mark.parametrize("name", PUBLISHED)
def test_it_is_the_network_of_torchvision(name):
    """The same initial values from the same seed, and the same map; torchvision's last stride is 2."""
    network = _source(name).eval()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        backbone = build_backbone(name, None, 2).eval()
    assert_close(backbone.state_dict(), _renamed(network.state_dict()), rtol=0, atol=0)
    network.fc = nn.Identity()
    image = torch.randn(1, 3, 64, 32, generator=torch.Generator().manual_seed(1))
    assert_close(backbone(image).mean(dim=(2, 3)), network(image))


def test_the_thin_one_is_what_it_was_when_first_measured():
    """Parameters by layer sizes; values as drawn by the first release."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        backbone = build_backbone("resnet10_thin", None, 1).eval()
    stem, plain = 3 * 16 * 9 + 2 * 16, 2 * 16 * 16 * 9 + 4 * 16
    wider = sum(9 * a * b + 9 * b * b + 4 * b + a * b + 2 * b for a, b in ((16, 32), (32, 64), (64, 128)))
    assert sum(parameter.numel() for parameter in backbone.parameters()) == stem + plain + wider
    ramp = torch.linspace(-1, 1, 3 * 32 * 16).reshape(1, 3, 32, 16)
    assert backbone(ramp).double().mean().item() == pytest.approx(0.0354552763, rel=1e-4)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("form", ["weights.safetensors", "weights.pth", "without counters", "with a projector"])
def test_weights_of_the_known_forms_load(name, form, tmp_path):
    state = _source(name, seed=7).state_dict()
    path = tmp_path / (form if form.startswith("weights") else "weights.pth")
    saved = dict(state)
    if form == "without counters":
        saved = {key: value for key, value in state.items() if not key.endswith("num_batches_tracked")}
    if form == "with a projector":
        saved["projector.weight"] = torch.zeros(3)
    save_file(saved, path) if path.suffix == ".safetensors" else torch.save(saved, path)
    assert_close(build_backbone(name, path, 1).state_dict(), _renamed(state), rtol=0, atol=0)


@pytest.mark.parametrize(
    ("after", "shared"),
    [
        ("input", 0),
        ("layer1", 1 + 3),
        ("layer2", 1 + 3 + 4),
        ("layer3.0", 1 + 3 + 4 + 1),
        ("layer3", 1 + 3 + 4 + 6),
        ("layer4.0", 1 + 3 + 4 + 6 + 1),
    ],
)
def test_a_cut_comes_after_the_named_block(after, shared):
    assert backbone_config("resnet50").cuts[after] == shared


def test_all_of_them_are_in_one_folder():
    assert set(NAMES) <= set(BACKBONES.names())
    assert {BACKBONES.config_class(name) for name in NAMES} == {BACKBONES.config_class("resnet50")}

"""Backbones against the code that they come from: timm's, and once that of the authors of IBN-Net and OSNet."""

import pytest
import timm
import torch
from safetensors.torch import save_file
from torch.testing import assert_close

from reid_search.backbones import backbone_config, build_backbone
from reid_search.study import BACKBONES

ANY_SIZE = {"vit": {"dynamic_img_size": True}, "deit": {"dynamic_img_size": True}, "swin": {"strict_img_size": False}}
OF_TIMM = [
    ("resnet18", (64, 32)),
    ("resnest14d", (64, 32)),
    ("convnext_atto", (64, 32)),
    ("convnext_atto", (72, 52)),
    ("swin_tiny_patch4_window7_224", (64, 32)),
    ("swin_tiny_patch4_window7_224", (92, 60)),
    ("vit_tiny_patch16_224", (64, 32)),
    ("vit_tiny_patch16_224", (224, 224)),
    ("deit_tiny_distilled_patch16_224", (96, 64)),
    ("inception_v3", (96, 80)),
]


@pytest.mark.parametrize(("name", "size"), OF_TIMM)
def test_features_are_those_of_timm(name, size, tmp_path):
    """At timm's own strides, from a file that timm's network wrote, its head included."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        network = timm.create_model(name, pretrained=False, **ANY_SIZE.get(name.split("_")[0], {})).eval()
    generator = torch.Generator().manual_seed(4)
    for key, value in network.named_parameters():  # some start where they hardly matter
        if value.ndim == 1 or key.endswith("_token"):
            value.data.add_(torch.randn(value.shape, generator=generator), alpha=0.3)
    save_file(network.state_dict(), tmp_path / "weights.safetensors")
    backbone = build_backbone(name, tmp_path / "weights.safetensors", backbone_config(name).last_strides[-1]).eval()
    with torch.no_grad():
        images = torch.randn(2, 3, *size, generator=torch.Generator().manual_seed(1))
        features, expected = backbone(images), network.forward_features(images)
    if expected.ndim == 3:
        expected = expected[:, network.num_prefix_tokens :].transpose(1, 2).reshape(features.shape)
    elif name.startswith("swin"):
        expected = expected.permute(0, 3, 1, 2)
    assert expected.abs().max() > 1e-2
    assert_close(features / expected.abs().max(), expected / expected.abs().max(), rtol=0, atol=1e-6)


def test_vgg_ends_with_the_relu_of_its_last_convolution(tmp_path):
    """Its features are what timm's network pools last."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        network = timm.create_model("vgg16", pretrained=False).eval()
    save_file(network.state_dict(), tmp_path / "weights.safetensors")
    backbone = build_backbone("vgg16", tmp_path / "weights.safetensors", 2).eval()
    images = torch.randn(2, 3, 64, 32, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        assert_close(backbone(images), network.features[:30](images))


@pytest.mark.parametrize(
    ("name", "plain", "size"),
    [("resnet50_ceil", "resnet50", (66, 34)), ("inception_v3_ceil", "inception_v3", (98, 90))],
)
def test_a_stem_that_rounds_up_differs_in_its_poolings_alone(name, plain, size):
    """The same weights, and torch's own poolings with `ceil_mode` and no padding."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        rounding = build_backbone(name, None, 2).eval()
        torch.manual_seed(0)
        other = build_backbone(plain, None, 2).eval()
    for index, layer in enumerate(other[0]):
        if isinstance(layer, torch.nn.MaxPool2d):
            other[0][index] = torch.nn.MaxPool2d(3, stride=2, ceil_mode=True)
    images = torch.randn(2, 3, *size, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        found = rounding(images)
        assert_close(found, other(images), rtol=0, atol=0)
    assert tuple(found.shape[2:]) == backbone_config(name).map_size(size, 2)


def _from_timm():
    """Names of the backbones whose default weights are timm's."""
    defaults = {name: backbone_config(name).default_weights for name in BACKBONES.names()}
    return [name for name, default in defaults.items() if default is not None and not default.is_url]


@pytest.mark.parametrize("name", _from_timm())
def test_default_weights_are_those_of_timm(name):
    """The repository, and the normalisation of its training, as timm 1.0 has them."""
    default = backbone_config(name).default_weights
    tag = f".{default.source.rpartition('.')[2]}" if "_clip_" in name else ""  # timm's own is another group's
    expected = timm.models.get_pretrained_cfg(backbone_config(name).source_name + tag)
    assert default.source == expected.hf_hub_id
    assert (default.normalization.mean, default.normalization.std) == (expected.mean, expected.std)


OF_AUTHORS = {
    "resnet18_ibn_a": (132, (2, 512, 2, 1), 1948.6467, 4593.0234),
    "resnet18_ibn_b": (121, (2, 512, 2, 1), 1903.2788, 4564.2397),
    "resnet50_ibn_a": (344, (2, 2048, 2, 1), 8475.7734, 17493.4696),
    "resnet50_ibn_b": (319, (2, 2048, 2, 1), 7898.6524, 12709.1814),
    "resnet101_ibn_a": (684, (2, 2048, 2, 1), 7795.9454, 12860.8507),
    "osnet_x1_0": (558, (2, 512, 4, 2), 3120.9285, 4351.3705),
    "osnet_x0_75": (558, (2, 384, 4, 2), 2506.6899, 3276.1872),
    "osnet_x0_5": (558, (2, 256, 4, 2), 1695.0062, 2194.4627),
    "osnet_x0_25": (558, (2, 128, 4, 2), 801.4612, 1095.2371),
    "osnet_ibn_x1_0": (559, (2, 512, 4, 2), 3004.3303, 4347.9765),
    "googlenet_caffe": (90, (2, 832, 4, 2), 3589.9274, 4351.7290),
    "openpose": (72, (2, 185, 8, 4), 867921854.1, 299241353635380.0),
}


@pytest.mark.parametrize("name", OF_AUTHORS)
def test_features_are_those_of_the_authors(name):
    """Tensors, and sum and sum of squares of the features of two images in training, for weights made of sines.

    Recorded from XingangPan/IBN-Net at d167338, KaiyangZhou/deep-person-reid at f8cd150, which gave the same values
    as ours to the last digit, and yuminsuh/part_bilinear_reid at 21ea090, which agrees with ours to 1e-6 once its
    response norm is torch's `LocalResponseNorm`: the `CrossMapLRN2d` that it has never drops the first channel.
    """
    backbone = build_backbone(name, None, backbone_config(name).last_strides[-1]).train()
    state = backbone.state_dict()
    for number, (key, value) in enumerate(state.items()):
        if value.is_floating_point():
            value.copy_(_waves(key, value, number))
    images = torch.sin(torch.arange(2 * 3 * 64 * 32, dtype=torch.float64) * 0.37).reshape(2, 3, 64, 32)
    with torch.no_grad():
        features = backbone(images.float())
    tensors, shape, total, squares = OF_AUTHORS[name]
    assert (len(state), tuple(features.shape)) == (tensors, shape)
    # A hundred layers of batch norm over two images make rounding large: it differs between CPUs.
    near = 1e-2 if name.startswith("resnet101") else 1e-4
    assert features.double().sum().item() == pytest.approx(total, rel=near)
    assert features.double().square().sum().item() == pytest.approx(squares, rel=near)


def _waves(key, value, number):
    """Values for a tensor that need no generator."""
    wave = torch.sin(torch.arange(value.numel(), dtype=torch.float64) * 0.7 + number).reshape(value.shape)
    if value.ndim == 4:
        return wave * (2 / value[0].numel()) ** 0.5 * 1.4
    return 1 + 0.3 * wave if key.endswith(("weight", "running_var")) else 0.1 * wave

"""The multiple granularity network against its specification (Wang et al. 2018)."""

import pytest
import torch
from torch.testing import assert_close

from reid_search.models import count_macs, count_parameters

LARGE = (384, 128)
RESNET50 = 23_508_032  # torchvision's 25,557,032 without the classifier of 1,000 classes
REDUCTION = 2048 * 256 + 2 * 256


def _bottleneck(channels, width, downsample=False):
    convolutions = channels * width + 9 * width * width + width * 4 * width
    norms = 2 * (width + width + 4 * width)
    return convolutions + norms + downsample * (channels * 4 * width + 2 * 4 * width)


def _resnet50_up_to_conv4_1():
    stem = 3 * 64 * 7 * 7 + 2 * 64
    layer1 = _bottleneck(64, 64, downsample=True) + 2 * _bottleneck(256, 64)
    layer2 = _bottleneck(256, 128, downsample=True) + 3 * _bottleneck(512, 128)
    return stem + layer1 + layer2 + _bottleneck(512, 256, downsample=True)


def _resnet50_behind_conv4_1():
    return 5 * _bottleneck(1024, 256) + _bottleneck(1024, 512, downsample=True) + 2 * _bottleneck(2048, 512)


def _map_sizes(model):
    sizes = {}
    for branch in model.branches:
        branch.blocks.register_forward_hook(
            lambda module, inputs, output, name=branch.name: sizes.update({name: tuple(output.shape[1:])})
        )
    return sizes


def test_maps_and_features_have_the_published_sizes(make_model, images):
    model = make_model({"architecture": "mgn", "backbone": "resnet50"}, LARGE).eval()
    sizes = _map_sizes(model)
    with torch.no_grad():
        taps = model(images(1, LARGE))
    assert sizes == {"p1": (2048, 12, 4), "p2": (2048, 24, 8), "p3": (2048, 24, 8)}
    reduced = [key for key in taps if key.endswith("@reduced") and "concat" not in key]
    assert reduced == [
        "p1.global@reduced",
        "p2.global@reduced",
        "p2.part1@reduced",
        "p2.part2@reduced",
        "p3.global@reduced",
        "p3.part1@reduced",
        "p3.part2@reduced",
        "p3.part3@reduced",
    ]
    assert {tuple(taps[key].shape) for key in reduced} == {(1, 256)}


def test_the_arithmetic_of_resnet50_is_right():
    assert _resnet50_up_to_conv4_1() + _resnet50_behind_conv4_1() == RESNET50


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, _resnet50_up_to_conv4_1() + 3 * _resnet50_behind_conv4_1() + 8 * REDUCTION),
        ({"split": "input"}, 3 * RESNET50 + 8 * REDUCTION),
        ({"reduction_shared": True}, _resnet50_up_to_conv4_1() + 3 * _resnet50_behind_conv4_1() + REDUCTION),
        ({"parts": [1]}, RESNET50 + REDUCTION),
        ({"parts": [1, 2, 4]}, _resnet50_up_to_conv4_1() + 3 * _resnet50_behind_conv4_1() + 9 * REDUCTION),
        ({"parts": [1], "neck": "bnneck"}, RESNET50 + REDUCTION + 2 * 256),
        ({"parts": [1], "pooling": "gem"}, RESNET50 + REDUCTION + 1),
        ({"parts": [1], "embedding_dim": 1024}, RESNET50 + 2048 * 1024 + 2 * 1024),
    ],
    ids=str,
)
def test_parameters_are_those_of_the_specification(settings, expected, make_model):
    model = make_model({"architecture": "mgn", "backbone": "resnet50", **settings}, LARGE, device="meta")
    assert count_parameters(model) == expected


def test_multiply_adds_of_resnet50_are_the_published_ones(make_model):
    """4.09 billion at 224×224 without the classifier's 2 million (torchvision's model table)."""
    settings = {"architecture": "baseline", "backbone": "resnet50", "last_stride": 2, "neck": "none"}
    model = make_model(settings, (224, 224), device="meta")
    assert count_macs(model, (224, 224)) == pytest.approx(4.087e9, rel=1e-3)


def test_branches_start_alike_and_reductions_do_not(make_model):
    model = make_model({"architecture": "mgn", "backbone": "resnet18"}, (128, 64))
    first, *others = [branch.blocks.state_dict() for branch in model.branches]
    pointers = {parameter.data_ptr() for parameter in model.parameters()}
    assert len(pointers) == len(list(model.parameters()))
    for other in others:
        assert_close(other, first, rtol=0, atol=0)
    weights = [value for name, value in model.state_dict().items() if name.endswith("reduction.conv.weight")]
    assert len(weights) == 8
    assert len({value.sum().item() for value in weights}) == 8


def test_split_at_the_input_shares_nothing(make_model, images):
    """A loss on one branch moves no parameter of another: separate networks that start alike."""
    model = make_model({"architecture": "mgn", "split": "input"})
    assert len(model.shared) == 0
    model(images(4))["p2.global@reduced"].square().sum().backward()
    touched = {name.split(".")[1] for name, value in model.named_parameters() if value.grad is not None}
    assert touched == {"1"}


def test_shared_trunk_learns_from_every_branch(make_model, images):
    model = make_model({"architecture": "mgn"})
    for number in (1, 2, 3):
        model.zero_grad()
        model(images(4))[f"p{number}.global@coarse"].square().sum().backward()
        assert all(value.grad.abs().sum() > 0 for value in model.shared.parameters())


def test_one_shared_reduction_serves_all_heads(make_model, images):
    model = make_model({"architecture": "mgn", "reduction_shared": True}).eval()
    taps = model(images(2))
    for key in [key for key in taps if key.endswith("@coarse") and "concat" not in key]:
        assert_close(model.reduction(taps[key]), taps[key.replace("coarse", "reduced")])
    assert not [name for name in model.state_dict() if name.startswith("branches") and "reduction" in name]


@pytest.mark.parametrize(
    ("backbone", "split"), [("resnet10_thin", "input"), ("resnet10_thin", "layer2"), ("resnet18", "layer4.0")]
)
@pytest.mark.parametrize(
    "head",
    [
        {"pooling": "max", "reduction": "conv_bn_relu", "neck": "none"},
        {"pooling": "gem", "reduction": "conv_bn", "neck": "bnneck"},
    ],
    ids=["max", "gem"],
)
@pytest.mark.parametrize("stride", [1, 2])
def test_one_branch_is_the_baseline(backbone, split, head, stride, make_model, images):
    common = {"backbone": backbone, "embedding_dim": 128, **head}
    mgn = make_model({"architecture": "mgn", "parts": [1], "split": split, "strides": {1: stride}, **common})
    baseline = make_model({"architecture": "baseline", "last_stride": stride, **common}, seed=5)
    state = {name.replace("shared.", "branches.0.blocks."): value for name, value in mgn.state_dict().items()}
    baseline.load_state_dict(state)
    assert_close(baseline(images(3)), mgn(images(3)), rtol=0, atol=0)
    assert_close(baseline.eval()(images(3)), mgn.eval()(images(3)), rtol=0, atol=0)


@pytest.mark.parametrize(("backbone", "rows"), [("resnet10_thin", 8), ("resnet18", 4)])
@pytest.mark.parametrize("stride", [1, 2])
def test_stride_decides_the_rows_of_the_map(backbone, rows, stride, make_model, images):
    settings = {"architecture": "mgn", "backbone": backbone, "parts": [1, 2], "strides": {1: 1, 2: stride}}
    model = make_model(settings)
    sizes = _map_sizes(model)
    model(images(2))
    assert (sizes["p1"][1], sizes["p2"][1]) == (rows, rows // stride)

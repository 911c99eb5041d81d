"""The multiple granularity network against its specification (Wang et al. 2018)."""

import pytest
import torch
from torch.testing import assert_close

from reid_search.losses import Criterion
from reid_search.models import count_macs, count_parameters
from reid_search.study import TrialConfig, select_taps

LARGE = (384, 128)
MARKET = {"name": "market1501", "image_size": list(LARGE), "holdout": 0}
RESNET50 = 23_508_032  # torchvision's 25,557,032 without the classifier of 1,000 classes
RESNET101 = 42_500_160  # torchvision's 44,549,160
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


def _behind_conv4_1(blocks_of_layer3):
    layer4 = _bottleneck(1024, 512, downsample=True) + 2 * _bottleneck(2048, 512)
    return (blocks_of_layer3 - 1) * _bottleneck(1024, 256) + layer4


TRUNK = _resnet50_up_to_conv4_1()
REST = _behind_conv4_1(6)
REST_OF_101 = _behind_conv4_1(23)


def _classifiers(coarse=0, reduced=0, classes=751):
    """Linear layers with a bias from so many features of 2048 and of 256 values to the identities."""
    return coarse * (2048 + 1) * classes + reduced * (256 + 1) * classes


def _map_sizes(model):
    sizes = {}
    for branch in model.branches:
        branch.blocks.register_forward_hook(
            lambda module, inputs, output, name=branch.name: sizes.update({name: tuple(output.shape[1:])})
        )
    return sizes


def test_maps_and_features_have_the_published_sizes(make_model):
    model = make_model({"architecture": "mgn", "backbone": "resnet50"}, LARGE, device="meta")
    sizes = _map_sizes(model)
    taps = model(torch.empty(2, 3, *LARGE, device="meta"))
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
    assert {tuple(taps[key].shape) for key in reduced} == {(2, 256)}
    assert {tuple(taps[key.replace("reduced", "coarse")].shape) for key in reduced} == {(2, 2048)}


def test_the_arithmetic_of_the_backbones_is_right():
    assert (TRUNK + REST, TRUNK + REST_OF_101) == (RESNET50, RESNET101)


IDENTITY_ALONE = {"triplet": {"on": []}}
REDUCED = {"identity": {"on": ["reduced"]}}
SINGLE = RESNET50 + REDUCTION
PART_2 = RESNET50 + 3 * REDUCTION + _classifiers(coarse=1, reduced=2)
PART_3 = RESNET50 + 4 * REDUCTION + _classifiers(coarse=1, reduced=3)
HEADS = 8 * REDUCTION + _classifiers(coarse=3, reduced=5)
ROWS = {
    # Table 2 of the paper
    "ResNet-50": ({"parts": [1]}, IDENTITY_ALONE, SINGLE + _classifiers(coarse=1)),
    "ResNet-101": (
        {"parts": [1], "backbone": "resnet101"},
        IDENTITY_ALONE,
        RESNET101 + REDUCTION + _classifiers(coarse=1),
    ),
    "ResNet-50 + TP": ({"parts": [1]}, {}, SINGLE + _classifiers(coarse=1)),
    "Part-2 (single)": ({"parts": [2]}, {}, PART_2),
    "Part-3 (single)": ({"parts": [3]}, {}, PART_3),
    "ensemble of three": ({"split": "input"}, {}, SINGLE + _classifiers(coarse=1) + PART_2 + PART_3),
    "MGN without TP": ({}, IDENTITY_ALONE, TRUNK + 3 * REST + HEADS),
    "MGN": ({}, {}, TRUNK + 3 * REST + HEADS),
    # said in the text
    "one branch": ({"branches": "one"}, {}, RESNET50 + 6 * REDUCTION + _classifiers(coarse=1, reduced=5)),
    "split shallower": ({"split": "layer2"}, {}, RESNET50 + 2 * (REST + _bottleneck(512, 256, True)) + HEADS),
    "split deeper": ({"split": "layer3"}, {}, RESNET50 + 2 * (REST - 5 * _bottleneck(1024, 256)) + HEADS),
    "MGN, ResNet-101": ({"backbone": "resnet101"}, {}, TRUNK + 3 * REST_OF_101 + HEADS),
    "with Part-4": (
        {"parts": [1, 2, 3, 4]},
        {},
        TRUNK + 4 * REST + 13 * REDUCTION + _classifiers(coarse=4, reduced=9),
    ),
    "without Part-2": ({"parts": [1, 3]}, {}, TRUNK + 2 * REST + 5 * REDUCTION + _classifiers(coarse=2, reduced=3)),
    # as others built it
    "seathiefwang": ({"pooling": "avg"}, REDUCED, TRUNK + 3 * REST + 8 * REDUCTION + _classifiers(reduced=8)),
    "GNAYUOHZ": ({"reduction_shared": True}, REDUCED, TRUNK + 3 * REST + REDUCTION + _classifiers(reduced=8)),
    "fast-reid": (
        {"pooling": "gem", "reduction": "conv", "neck": "bnneck", "strides": {1: 1}},
        {"identity": {"on": ["neck"], "bias": False}},
        70_345_800,  # counted in the public code, whose reduction has one norm: the neck
    ),
    # the other choices of a head
    "linear": ({"reduction": "linear"}, {}, TRUNK + 3 * REST + HEADS + 8 * (256 - 2 * 256)),
    "average and maximum": ({"pooling": "avg_max"}, {}, TRUNK + 3 * REST + HEADS),
    "1024 values": (
        {"parts": [1], "embedding_dim": 1024},
        REDUCED,
        RESNET50 + 2048 * 1024 + 2 * 1024 + (1024 + 1) * 751,
    ),
}


@pytest.mark.parametrize("name", ROWS)
def test_parameters_with_751_identities_are_those_of_the_specification(name, make_model):
    settings, losses, expected = ROWS[name]
    settings = {"architecture": "mgn", "backbone": "resnet50", **settings}
    config = TrialConfig.model_validate({"data": MARKET, "model": settings, "losses": losses})
    with torch.device("meta"):
        criterion = Criterion(config.losses, {key: config.loss_taps(key) for key in config.losses}, 751, seed=0)
    assert set(criterion.losses) == {"identity"} | ({"triplet"} if losses is not IDENTITY_ALONE else set())
    assert count_parameters(make_model(settings, LARGE, device="meta")) + count_parameters(criterion) == expected


@pytest.mark.parametrize("branch", [1, 2, 3])
def test_a_branch_of_mgn_is_a_readout(branch, make_config):
    """Rows "Global (Branch)", "Part-2 (Branch)" and "Part-3 (Branch)" of the paper's table 2."""
    taps = make_config({"architecture": "mgn"}).taps(LARGE)
    read = select_taps([f"p{branch}.*@reduced"], taps)
    single = make_config({"architecture": "mgn", "parts": [branch]})
    assert read == select_taps(single.default_readout, single.taps(LARGE))
    assert len(read) == (1 if branch == 1 else branch + 1)


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


def test_one_branch_cuts_one_map_in_every_way(make_model):
    model = make_model({"architecture": "mgn", "backbone": "resnet50", "branches": "one"}, LARGE, device="meta")
    sizes = _map_sizes(model)
    taps = model(torch.empty(2, 3, *LARGE, device="meta"))
    assert sizes == {"p1": (2048, 24, 8)}
    assert [key for key in taps if key.endswith("@reduced")] == [
        "p1.global@reduced",
        "p2.part1@reduced",
        "p2.part2@reduced",
        "p2.concat@reduced",
        "p3.part1@reduced",
        "p3.part2@reduced",
        "p3.part3@reduced",
        "p3.concat@reduced",
    ]


def test_one_branch_has_the_heads_of_separate_branches(make_model, images):
    """With the same backbone in every branch and the same heads, its features are those of separate branches."""
    common = {"architecture": "mgn", "parts": [2, 3], "embedding_dim": 16, "neck": "bnneck"}
    separate = make_model({**common, "split": "layer4.0"}, (72, 32)).eval()
    one = make_model({**common, "split": "layer4.0", "branches": "one"}, (72, 32), seed=1).eval()
    state = separate.state_dict()
    heads = {name.replace("branches.1.stripes", "branches.0.stripes"): value for name, value in state.items()}
    one.load_state_dict({name: heads[name] for name in one.state_dict()})
    expected = separate(images(2, (72, 32)))
    found = one(images(2, (72, 32)))
    assert set(expected) - set(found) == {f"p3.global@{stage}" for stage in ("coarse", "reduced", "neck")}
    assert_close(found, {key: expected[key] for key in found}, rtol=0, atol=0)


@pytest.mark.parametrize("parts", [[1], [3]])
def test_a_single_granularity_is_one_branch_either_way(parts, make_config):
    separate, one = (
        make_config({"architecture": "mgn", "parts": parts, "branches": branches}) for branches in ("separate", "one")
    )
    assert one.taps((72, 32)) == separate.taps((72, 32))
    assert one.plans == separate.plans


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
        {"pooling": "avg_max", "reduction": "linear", "neck": "bnneck"},
        {"pooling": "fc", "reduction": "conv_bn_relu", "neck": "none"},
    ],
    ids=["max", "gem", "avg_max", "fc"],
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

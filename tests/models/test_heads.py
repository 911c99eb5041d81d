"""Pooled heads and fully connected ones: what they compute, how many parameters they have, which images they take."""

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from reid_search.errors import StudyError
from reid_search.models import count_parameters
from reid_search.models.layers.branch import Head, HeadSettings, Stripes
from reid_search.models.layers.shapes import Region

LARGE = (384, 128)
RESNET50 = 23_508_032
POOLED = ["max", "avg", "gem", "avg_max"]
REGION = Region(rows=6, columns=4, backbone="resnet10_thin", image_size=(48, 32))


def _head(region=REGION, seed=0, **settings):
    default = {"channels": 5, "pooling": "fc", "reduction": "conv_bn_relu", "dim": 16, "neck": False}
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return Head(HeadSettings(**{**default, **settings}), region=region)


def _map(rows=6, columns=4, channels=5, batch=8):
    return torch.randn(batch, channels, rows, columns, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize(("dim", "coarse"), [(16, 16), (None, 5)])
def test_fully_connected_head_is_a_convolution_as_large_as_the_map(dim, coarse):
    head = _head(dim=dim)
    convolution = nn.Conv2d(5, coarse, (6, 4), bias=dim is None)
    with torch.no_grad():
        convolution.weight.copy_(head.pooling.linear.weight.view(coarse, 5, 6, 4))
        if dim is None:
            convolution.bias.copy_(head.pooling.linear.bias.normal_())
    assert_close(head(_map())["coarse"], convolution(_map()).flatten(1))


def test_behind_a_fully_connected_layer_stands_the_norm_of_the_reduction_and_no_second_layer():
    relu, norm, linear = (_head(reduction=kind).train() for kind in ("conv_bn_relu", "conv_bn", "linear"))
    for head in (relu, norm):
        stages = head(_map())
        coarse = stages["coarse"]
        expected = (coarse - coarse.mean(0)) / (coarse.var(0, unbiased=False) + 1e-5).sqrt() * head.reduction.bn.weight
        assert_close(stages["reduced"], expected.relu() if head is relu else expected, rtol=1e-4, atol=1e-5)
    stages = linear(_map())
    assert_close(stages["reduced"], stages["coarse"], rtol=0, atol=0)


@pytest.mark.parametrize("reduction", ["conv_bn_relu", "conv_bn", "linear"])
def test_average_pooling_is_a_fully_connected_head_with_the_same_weights_everywhere(reduction):
    """So that at one embedding size the two compare: one linear layer each, then the same norm."""
    pooled, connected = (_head(pooling=pooling, reduction=reduction, neck=True, seed=4) for pooling in ("avg", "fc"))
    layer = pooled.reduction[0]
    with torch.no_grad():
        everywhere = layer.weight[:, :, None].expand(16, 5, 24) / 24
        connected.pooling.linear.weight.copy_(everywhere.flatten(1))
        if reduction != "linear":
            connected.reduction.bn.load_state_dict(pooled.reduction.bn.state_dict())
    expected, found = pooled(_map()), connected(_map())
    for stage in ("reduced", "neck"):
        assert_close(found[stage], expected[stage], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"reduction": "conv_bn"}, {"avg": 2048 * 256 + 2 * 256, "fc": 2048 * 24 * 8 * 256 + 2 * 256}),
        ({"reduction": "linear"}, {"avg": 2048 * 256 + 256, "fc": 2048 * 24 * 8 * 256 + 256}),
        ({"embedding_dim": None}, {"avg": 0, "fc": 2048 * 24 * 8 * 2048 + 2048}),
        ({"last_stride": 2}, {"avg": 2048 * 256 + 2 * 256, "fc": 2048 * 12 * 4 * 256 + 2 * 256}),
        ({"neck": "bnneck"}, {"avg": 2048 * 256 + 4 * 256, "fc": 2048 * 24 * 8 * 256 + 4 * 256}),
        ({"embedding_dim": 8}, {"max": 2048 * 8 + 2 * 8, "avg_max": 2048 * 8 + 2 * 8, "gem": 2048 * 8 + 2 * 8 + 1}),
    ],
    ids=str,
)
def test_parameters_of_one_head_on_resnet50(settings, expected, make_model):
    common = {"architecture": "baseline", "backbone": "resnet50", "neck": "none", "embedding_dim": 256, **settings}
    found = {
        pooling: count_parameters(make_model({**common, "pooling": pooling}, LARGE, device="meta")) - RESNET50
        for pooling in expected
    }
    assert found == expected


@pytest.mark.parametrize(
    ("settings", "places"),
    [
        ({"architecture": "mgn", "parts": [1]}, 12 * 4),
        ({"architecture": "mgn", "parts": [2]}, 24 * 8 + 2 * 12 * 8),
        (
            {"architecture": "mgn", "parts": [5]},
            24 * 8 + (5 + 6 + 6 + 6 + 5) * 8,
        ),  # stripes share rows, as adaptively cut
        ({"architecture": "mgn", "parts": [1, 2, 3], "branches": "one"}, 3 * 24 * 8),
        ({"architecture": "pcb", "parts": 6}, 24 * 8),
        ({"architecture": "pcb", "parts": 2, "global_head": True, "last_stride": 2}, 2 * 12 * 4),
    ],
    ids=str,
)
def test_every_stripe_has_a_weight_for_each_of_its_places(settings, places, make_model):
    settings = {**settings, "backbone": "resnet50", "pooling": "fc", "reduction": "linear", "embedding_dim": 256}
    model = make_model(settings, LARGE, device="meta")
    weights = sum(value.numel() for name, value in model.named_parameters() if name.endswith("pooling.linear.weight"))
    biases = sum(value.numel() for name, value in model.named_parameters() if name.endswith("pooling.linear.bias"))
    assert (weights, biases % 256) == (2048 * places * 256, 0)
    assert count_parameters(model) == RESNET50 + weights + biases


@pytest.mark.parametrize(
    "settings",
    [{"architecture": "baseline", "embedding_dim": 64}, {"architecture": "mgn"}, {"architecture": "pcb", "parts": 2}],
    ids=str,
)
def test_only_pooled_heads_take_images_of_any_size(settings, make_model, images):
    other = images(2, (96, 48))
    for pooling in POOLED:
        make_model({**settings, "pooling": pooling}, (64, 32))(other)
    model = make_model({**settings, "pooling": "fc"}, (64, 32))
    model(images(2, (64, 32)))
    with pytest.raises(
        StudyError, match=r"built for images of 64×32.*pooled head \(avg, avg_max, gem, max\).*any size"
    ):
        model(other)


def test_a_stripe_says_which_images_it_was_built_for():
    stripes = Stripes("p3", 3, HeadSettings(5, "fc", "linear", 16, neck=False), region=REGION)
    stripes(_map())
    with pytest.raises(StudyError, match=r"images of 48×32, on which its part of the map is 2×4, and got 3×4; give"):
        stripes(_map(rows=9))


def test_a_head_built_of_no_region_cannot_be_fully_connected():
    with pytest.raises(ValueError, match="region"):
        _head(region=None)


def test_dropout_leaves_out_its_share_in_training_alone():
    head, plain = _head(dropout=0.75, reduction="linear", dim=None), _head(reduction="linear", dim=None)
    assert_close(head.eval()(_map())["coarse"], plain.eval()(_map())["coarse"], rtol=0, atol=0)
    with torch.random.fork_rng(), torch.no_grad():
        torch.manual_seed(0)
        head.pooling.linear.weight.fill_(1)
        kept = head.train()(torch.ones(100, 5, 6, 4))["coarse"][:, 0] * 0.25
    assert kept.mean().item() == pytest.approx(120 * 0.25, rel=0.1)
    assert len(kept.unique()) > 5


def test_dropout_comes_before_the_reduction_of_a_pooled_head_too():
    """Where PCB's code has it; the coarse feature, on which the paper tests, keeps all values."""
    head = _head(pooling="avg", dropout=0.75, reduction="conv", dim=16, region=None).train()
    with torch.random.fork_rng(), torch.no_grad():
        torch.manual_seed(0)
        next(head.reduction.parameters()).fill_(1)
        stages = head(torch.ones(200, 5, 6, 4))
    assert_close(stages["coarse"], torch.ones(200, 5))
    kept = stages["reduced"][:, 0] * 0.25
    assert set(kept.tolist()) <= set(range(6))
    assert kept.mean().item() == pytest.approx(5 * 0.25, rel=0.15)
    assert_close(head.eval()(torch.ones(2, 5, 6, 4))["reduced"], torch.full((2, 16), 5.0))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"architecture": "mgn", "pooling": "fc", "reduction_shared": True},
            "cannot be shared.*avg, avg_max, gem, max",
        ),
        (
            {"architecture": "pcb", "pooling": "fc", "reduction_shared": True},
            "cannot be shared.*avg, avg_max, gem, max",
        ),
        ({"architecture": "baseline", "dropout": 0.5}, "0.5 without a reduction.*allowed: 0, an embedding_dim, or"),
        ({"architecture": "mgn", "pooling": "fc", "dropout": 1}, "dropout"),
    ],
    ids=str,
)
def test_heads_that_cannot_be_built_are_refused(settings, message, make_config):
    with pytest.raises(ValueError, match=message):
        make_config(settings)

"""Pooling, stripes, reductions and BNNeck against what torch computes by other ways."""

import math

import pytest
import torch
from torch import nn
from torch.nn import functional
from torch.testing import assert_close

from reid_search.models.layers.heads import Pooling, build_neck, build_reduction
from reid_search.models.layers.shapes import stripe_bounds


def _map(rows=24, columns=8, channels=5, batch=3):
    return torch.randn(batch, channels, rows, columns, generator=torch.Generator().manual_seed(0))


def _adaptive_sum(features, size):
    return functional.adaptive_max_pool2d(features, size) + functional.adaptive_avg_pool2d(features, size)


ADAPTIVE = {
    "max": functional.adaptive_max_pool2d,
    "avg": functional.adaptive_avg_pool2d,
    "avg_max": _adaptive_sum,
}


@pytest.mark.parametrize("kind", ADAPTIVE)
@pytest.mark.parametrize("rows", [6, 7, 12, 24])
@pytest.mark.parametrize("parts", [1, 2, 3, 4, 6])
def test_stripes_are_those_of_adaptive_pooling(kind, rows, parts):
    features, pooling = _map(rows), Pooling(kind)
    stripes = [pooling(features[:, :, low:high]) for low, high in stripe_bounds(rows, parts)]
    assert_close(torch.stack(stripes, dim=2), ADAPTIVE[kind](features, (parts, 1)).squeeze(3))


@pytest.mark.parametrize("kind", ADAPTIVE)
def test_branch_pools_its_own_map(kind, make_model, images):
    model = make_model({"architecture": "mgn", "parts": [3, 2], "pooling": kind}, (72, 32))
    maps = []
    for branch in model.branches:
        branch.blocks.register_forward_hook(lambda module, inputs, output: maps.append(output))
    taps = model(images(2, (72, 32)))
    for parts, features in zip((3, 2), maps, strict=True):
        whole = ADAPTIVE[kind](features, 1).flatten(1)
        stripes = ADAPTIVE[kind](features, (parts, 1)).squeeze(3)
        assert_close(taps[f"p{parts}.global@coarse"], whole)
        for number in range(parts):
            assert_close(taps[f"p{parts}.part{number + 1}@coarse"], stripes[:, :, number])
        assert_close(taps[f"p{parts}.concat@coarse"], stripes.transpose(1, 2).flatten(1))


def _gem(exponent):
    pooling = Pooling("gem")
    nn.init.constant_(pooling.exponent, exponent)
    return pooling


def test_generalised_mean_starts_at_the_cubic_mean():
    features = _map().abs()
    assert_close(Pooling("gem")(features), features.pow(3).mean(dim=(2, 3)).pow(1 / 3))


def test_generalised_mean_is_the_average_at_one_and_the_maximum_far_above():
    features = _map().relu()
    assert_close(_gem(1.0)(features), features.mean(dim=(2, 3)), rtol=1e-4, atol=1e-5)
    assert_close(_gem(2000.0)(features), features.amax(dim=(2, 3)), rtol=5e-3, atol=0)


@pytest.mark.parametrize("exponent", [1.0, 3.0, 9.0, 50.0])
def test_generalised_mean_learns_on_dead_channels(exponent):
    """1e-6 to the power of 9 underflows in float32, and a root of 0 has no gradient."""
    features = _map().relu()
    features[:, 0] = 0
    features.requires_grad_()
    pooling = _gem(exponent)
    pooling(features).sum().backward()
    assert features.grad.isfinite().all()
    assert pooling.exponent.grad.isfinite()


@pytest.mark.parametrize("kind", ["max", "avg", "avg_max", "gem"])
def test_gradient_of_pooling(kind):
    features = (_map(4, 3, 2, 2).double().abs() + 0.1).requires_grad_()
    pooling = Pooling(kind).double()
    if kind == "gem":
        assert torch.autograd.gradcheck(pooling._generalised_mean, (features.flatten(2),))
    else:
        assert torch.autograd.gradcheck(pooling, (features,))


@pytest.mark.parametrize("kind", ["conv_bn_relu", "conv_bn"])
@pytest.mark.parametrize("training", [True, False])
def test_reduction_is_a_convolution_of_a_single_pixel(kind, training):
    reduction = build_reduction(40, 64, kind).train(training)
    convolution, norm = nn.Conv2d(40, 64, 1, bias=False), nn.BatchNorm2d(64)
    with torch.no_grad():
        reduction.bn.running_mean.normal_()
        reduction.bn.bias.normal_()
        convolution.weight.copy_(reduction.conv.weight[:, :, None, None])
        norm.load_state_dict(reduction.bn.state_dict())
    reference = nn.Sequential(convolution, norm, nn.ReLU() if kind == "conv_bn_relu" else nn.Identity())
    reference.train(training)
    features = torch.randn(6, 40)
    ours, theirs = (features.clone().requires_grad_() for _ in range(2))
    result, expected = reduction(ours), reference(theirs[:, :, None, None]).flatten(1)
    assert_close(result, expected)
    result.square().sum().backward()
    expected.square().sum().backward()
    assert_close(ours.grad, theirs.grad)


def test_linear_reduction_is_a_linear_layer_with_a_bias():
    reduction = build_reduction(40, 64, "linear")
    assert {name: tuple(value.shape) for name, value in reduction.named_parameters()} == {
        "linear.weight": (64, 40),
        "linear.bias": (64,),
    }
    nn.init.normal_(reduction.linear.bias)
    features = torch.randn(6, 40)
    assert_close(reduction(features), features @ reduction.linear.weight.T + reduction.linear.bias)


def test_reduction_starts_as_the_public_code_does():
    reduction = build_reduction(2048, 256, "conv_bn_relu")
    assert reduction.conv.weight.std().item() == pytest.approx(math.sqrt(2 / 2048), rel=0.01)
    assert reduction.bn.weight.mean().item() == pytest.approx(1, abs=0.01)
    assert reduction.bn.weight.std().item() == pytest.approx(0.02, rel=0.3)
    assert reduction.bn.bias.abs().max().item() == 0


def test_neck_has_no_shift_to_learn():
    neck = build_neck(32)
    neck(torch.randn(8, 32)).square().sum().backward()
    assert neck.weight.grad is not None
    assert neck.bias.grad is None
    assert neck.bias.abs().max().item() == 0

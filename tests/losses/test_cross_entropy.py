"""Identification loss against softmax written out, and against a library's CosFace."""

import math

import pytest
import torch
from pytorch_metric_learning.losses import CosFaceLoss
from torch.testing import assert_close

from reid_search.errors import StudyError
from reid_search.losses import Targets
from reid_search.study import Scope, Stage, TapSpec


def _written_out(logits, labels, smoothing):
    total = 0.0
    for row, label in zip(logits.double(), labels, strict=True):
        log_probabilities = row - math.log(sum(math.exp(value) for value in row.tolist()))
        total += -(1 - smoothing) * log_probabilities[label] - smoothing * log_probabilities.mean()
    return (total / len(labels)).float()


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.9])
@pytest.mark.parametrize("bias", [True, False])
def test_is_softmax_cross_entropy_averaged_over_taps(smoothing, bias, make_taps, make_loss):
    taps = make_taps(6, 3)
    settings = {"kind": "cross_entropy", "label_smoothing": smoothing, "bias": bias}
    loss = make_loss(settings, taps, classes=5)
    torch.manual_seed(0)
    for parameter in loss.parameters():
        torch.nn.init.normal_(parameter)
    features = {tap.key: torch.randn(8, tap.dim) for tap in taps}
    labels = torch.randint(0, 5, (8,))
    values = []
    for index, tap in enumerate(taps):
        state = loss.classifiers[index].state_dict()
        logits = features[tap.key] @ state["weight"].T
        values.append(_written_out(logits + state["bias"] if bias else logits, labels, smoothing))
    assert_close(loss(features, Targets(labels)), torch.stack(values).mean())


@pytest.mark.parametrize("bias", [True, False])
def test_owns_a_classifier_for_each_tap(bias, make_taps, make_loss):
    loss = make_loss({"kind": "cross_entropy", "bias": bias}, make_taps(2048, 256), classes=751)
    assert sum(value.numel() for value in loss.parameters()) == 751 * (2048 + 256) + bias * 2 * 751
    assert [tuple(classifier.weight.shape) for classifier in loss.classifiers] == [(751, 2048), (751, 256)]


def test_starts_near_chance(make_taps, make_loss):
    taps = make_taps(256)
    loss = make_loss({"kind": "cross_entropy", "bias": True}, taps, classes=751)
    assert loss.classifiers[0].weight.std().item() == pytest.approx(0.001, rel=0.01)
    assert loss.classifiers[0].bias.abs().max().item() == 0
    value = loss({taps[0].key: torch.randn(8, 256)}, Targets(torch.arange(8)))
    assert value.item() == pytest.approx(math.log(751), rel=0.01)


def test_a_tap_of_several_axes_is_flattened(make_loss):
    tap = TapSpec("p1.map", Scope.MAP, Stage.COARSE, (4, 3, 2))
    loss = make_loss({"kind": "cross_entropy"}, [tap])
    features = torch.randn(3, 4, 3, 2)
    expected = torch.nn.functional.cross_entropy(features.flatten(1) @ loss.classifiers[0].weight.T, torch.arange(3))
    assert_close(loss({tap.key: features}, Targets(torch.arange(3))), expected)


def test_one_classifier_can_serve_all_taps(make_taps, make_loss):
    taps = make_taps(6, 6, 6)
    loss = make_loss({"kind": "cross_entropy", "shared": True, "bias": True}, taps)
    assert sum(value.numel() for value in loss.parameters()) == 5 * 6 + 5
    torch.nn.init.normal_(loss.classifiers[0].weight)
    features, labels = {tap.key: torch.randn(8, 6) for tap in taps}, torch.randint(0, 5, (8,))
    values = [_written_out(feature @ loss.classifiers[0].weight.T, labels, 0.0) for feature in features.values()]
    assert_close(loss(features, Targets(labels)), torch.stack(values).mean())


def test_one_classifier_for_taps_of_several_lengths_is_refused(make_taps, make_loss):
    with pytest.raises(StudyError, match=r"p1\.global@reduced has 2048 values and p2\.global@reduced has 256"):
        make_loss({"kind": "cross_entropy", "shared": True}, make_taps(2048, 256))


def test_dropout_leaves_out_values_of_the_feature_in_training_only(make_taps, make_loss):
    taps = make_taps(5000)
    loss = make_loss({"kind": "cross_entropy", "dropout": 0.75}, taps)
    seen = []
    loss.classifiers[0].register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    features = torch.randn(2, 5000).abs()
    for mode in (True, False):
        loss.train(mode)({taps[0].key: features}, Targets(torch.arange(2)))
    kept = seen[0] > 0
    assert 1 - kept.float().mean().item() == pytest.approx(0.75, abs=0.03)
    assert_close(seen[0][kept], 4 * features[kept])
    assert_close(seen[1], features, rtol=0, atol=0)


def test_without_dropout_nothing_is_drawn(make_taps, make_loss):
    taps = make_taps(6)
    loss, before = make_loss({"kind": "cross_entropy"}, taps), torch.random.get_rng_state()
    loss({taps[0].key: torch.ones(2, 6)}, Targets(torch.arange(2)))
    assert torch.equal(torch.random.get_rng_state(), before)


def _both_ways(settings, make_taps, make_loss, reference):
    """Compare value and gradients of a loss and of `reference(features, weights, labels)` in double precision."""
    taps, labels = make_taps(6), torch.tensor([0, 1, 1, 4, 3, 0])
    loss = make_loss({"kind": "cross_entropy", "bias": True, **settings}, taps)
    generator = torch.Generator().manual_seed(1)
    features = torch.randn(6, 6, generator=generator).requires_grad_()
    doubles = features.detach().double().requires_grad_()
    weights = loss.classifiers[0].weight.detach().double().requires_grad_()
    value, expected = loss({taps[0].key: features}, Targets(labels)), reference(doubles, weights, labels)
    value.backward()
    expected.backward()
    assert [name for name, _ in loss.named_parameters()] == ["classifiers.0.weight"]
    assert_close(value, expected.float(), rtol=1e-4, atol=1e-5)
    assert_close(features.grad, doubles.grad.float(), rtol=1e-3, atol=1e-4)
    assert_close(loss.classifiers[0].weight.grad, weights.grad.float(), rtol=1e-3, atol=1e-2)


@pytest.mark.parametrize(("scale", "margin"), [(64, 0.35), (16, 0.0), (1, 0.5)])
def test_cosine_logits_are_those_of_cosface(scale, margin, make_taps, make_loss):
    def reference(features, weights, labels):
        library = CosFaceLoss(num_classes=5, embedding_size=6, margin=margin, scale=scale)
        del library.W
        library.W = weights.T
        return library(features, labels)

    _both_ways({"logits": "cosine", "scale": scale, "margin": margin}, make_taps, make_loss, reference)


@pytest.mark.parametrize(("scale", "margin"), [(64, 0.35), (16, 0.0), (1, 0.5)])
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_circle_logits_are_those_of_the_paper(scale, margin, smoothing, make_taps, make_loss):
    """Sun et al. 2020: α_p = [1 + m - s_p]+ and α_n = [s_n + m]+ are constants, the margins are 1 - m and m."""

    def reference(features, weights, labels):
        values = []
        for feature, label in zip(features, labels, strict=True):
            logits = []
            for place, weight in enumerate(weights):
                cosine = (feature @ weight) / feature.norm() / weight.norm()
                constant = cosine.item()
                if place == label:
                    logits.append(scale * max(1 + margin - constant, 0) * (cosine - (1 - margin)))
                else:
                    logits.append(scale * max(constant + margin, 0) * (cosine - margin))
            shares = -torch.stack(logits).log_softmax(0)
            values.append((1 - smoothing) * shares[label] + smoothing * shares.mean())
        return torch.stack(values).mean()

    settings = {"logits": "circle", "scale": scale, "margin": margin, "label_smoothing": smoothing}
    _both_ways(settings, make_taps, make_loss, reference)


@pytest.mark.parametrize(
    "settings", [{"scale": 0}, {"margin": -0.1}, {"margin": 1}, {"dropout": 1}, {"logits": "arc"}], ids=str
)
def test_settings_out_of_range_are_refused(settings, make_config):
    with pytest.raises(ValueError, match=next(iter(settings))):
        make_config({"kind": "cross_entropy", **settings})


@pytest.mark.parametrize("smoothing", [-0.1, 1.0, float("nan")])
def test_label_smoothing_out_of_range_is_refused(smoothing, make_config):
    with pytest.raises(ValueError, match="label_smoothing"):
        make_config({"kind": "cross_entropy", "label_smoothing": smoothing})

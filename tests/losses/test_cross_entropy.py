"""Identification loss against softmax written out."""

import math

import pytest
import torch
from torch.testing import assert_close

from reid_search.losses import Targets


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
    value = loss({taps[0].key: torch.randn(8, 256)}, torch.arange(8))
    assert value.item() == pytest.approx(math.log(751), rel=0.01)


def test_a_tap_of_several_axes_is_flattened(make_loss):
    from reid_search.study import Scope, Stage, TapSpec

    tap = TapSpec("p1.map", Scope.MAP, Stage.COARSE, (4, 3, 2))
    loss = make_loss({"kind": "cross_entropy"}, [tap])
    features = torch.randn(3, 4, 3, 2)
    expected = torch.nn.functional.cross_entropy(features.flatten(1) @ loss.classifiers[0].weight.T, torch.arange(3))
    assert_close(loss({tap.key: features}, torch.arange(3)), expected)


@pytest.mark.parametrize("smoothing", [-0.1, 1.0, float("nan")])
def test_label_smoothing_out_of_range_is_refused(smoothing, make_config):
    with pytest.raises(ValueError, match="label_smoothing"):
        make_config({"kind": "cross_entropy", "label_smoothing": smoothing})

"""Identification, verification, attributes, SGGNN, landmarks, skeleton: sizes and losses by independent arithmetic."""

from typing import Any

import numpy as np
import pytest
import torch
from scipy.special import expit, log_softmax, softmax

from reid_search.losses import Criterion, Targets
from reid_search.models import build_model, count_parameters
from reid_search.study import TrialConfig
from reid_search.study.trial.side_cars import ATTRIBUTES

RESNET50 = 23_508_032
IDENTITY = 2048 * 751 + 751
VALUES = 56  # of 27 attributes
REDUCED = 2048 * 256 + 2 * 256 + 256 * 751 + 751
SIZES = {
    "identification": RESNET50 + IDENTITY,
    "verification": RESNET50 + 2048 * 2 + 2,
    "identification_verification": RESNET50 + IDENTITY + 2048 * 2 + 2,
    "attributes": RESNET50 + (2048 + 1) * VALUES + (VALUES + 1) * VALUES + (2048 + VALUES + 1) * 751,
    "sggnn": RESNET50 + 2 * 2048 + 2048 + 1 + 2 * (2048**2 + 2 * 2048),
    "landmarks": RESNET50 + 4 * REDUCED,
    "skeleton": RESNET50 + 8 * REDUCED,
}


def _config(name: str) -> TrialConfig:
    return TrialConfig.model_validate({"recipe": name, "data": {"name": "market1501"}, "model": {"weights": None}})


def _criterion(config: TrialConfig, classes: int = 751) -> Criterion:
    return Criterion(config.losses, {key: config.loss_taps(key) for key in config.losses}, classes, seed=0)


@pytest.mark.parametrize(("name", "size"), SIZES.items())
def test_parameters_of_the_full_size(name: str, size: int) -> None:
    config = _config(name)
    with torch.device("meta"):
        model, criterion = build_model(config.model, image_size=config.data.image_size), _criterion(config)
    assert count_parameters(model) + count_parameters(criterion) == size


def test_shares_of_the_budget_are_the_published_epochs_and_iterations() -> None:
    both, spindle = _config("identification_verification").training, _config("skeleton").training
    assert both.images == 75 * 12_936 * 2
    assert [share * 75 for share in both.schedule.milestones] == pytest.approx([70], rel=1e-6)
    iterations = [share * 70_000 for share in spindle.schedule.milestones]
    assert iterations == pytest.approx([25_000, *range(35_000, 66_000, 5_000)], rel=1e-6)
    divisors = [1 / both.batch.pairs.share(turn) for turn in (0, 74, 200)]
    assert divisors == pytest.approx([2 * 1.01, 2 * 1.01**75, 5])


def _fixed(criterion: Criterion, dim: int, count: int = 8) -> np.ndarray:
    """Return features, after giving the losses weights that are no longer near zero."""
    generator = torch.Generator().manual_seed(0)
    for parameter in criterion.parameters():
        torch.nn.init.normal_(parameter, std=0.05, generator=generator)
    return torch.randn(count, dim, generator=generator).numpy().astype(np.float64)


def _entropy(features: np.ndarray, layer: Any, labels: np.ndarray) -> np.ndarray:
    """Softmax cross-entropy of each row behind a linear layer."""
    weight, bias = (getattr(layer, name).detach().numpy().astype(np.float64) for name in ("weight", "bias"))
    return -log_softmax(features @ weight.T + bias, axis=1)[np.arange(len(labels)), labels]


def test_identification_and_verification_is_the_sum_of_the_codes_three_objectives() -> None:
    """MatConvNet: weights .5, .5 and 1 of sums over the pairs, and gradients are divided by their number."""
    criterion = _criterion(_config("identification_verification"), 5).eval()
    features, labels = _fixed(criterion, 2048), np.array([0, 0, 1, 2, 3, 3, 4, 1])
    losses: Any = criterion.losses
    identity = _entropy(features, losses["identity"].classifiers[0], labels)
    same = (labels[::2] == labels[1::2]).astype(int)
    pairs = _entropy((features[::2] - features[1::2]) ** 2, losses["verification"].heads[0].decision, same)
    expected = (0.5 * identity[::2].sum() + 0.5 * identity[1::2].sum() + pairs.sum()) / 4
    taps = {"p1.global@coarse": torch.tensor(features).float()}
    assert criterion(taps, torch.tensor(labels))[0].item() == pytest.approx(expected, rel=1e-5)


def test_apr_is_eight_times_the_identity_loss_and_the_mean_over_attributes() -> None:
    criterion = _criterion(_config("attributes"), 5)
    features, labels = _fixed(criterion, 2048 + VALUES), np.arange(8) % 5
    losses: Any = criterion.losses
    logits = np.random.default_rng(0).normal(size=(8, VALUES))
    attributes = np.random.default_rng(1).integers(0, 2, (8, 32))
    ends = np.cumsum(list(ATTRIBUTES.values()))
    each = [
        -log_softmax(logits[:, end - size : end], axis=1)[np.arange(8), attributes[:, place]].mean()
        for place, (end, size) in enumerate(zip(ends, ATTRIBUTES.values(), strict=True))
    ]
    assert len(each) == 27
    expected = 8 * _entropy(features, losses["identity"].classifiers[0], labels).mean() + np.mean(each)
    taps = {
        "p1.global@coarse": torch.tensor(features).float(),
        "attributes.logits@coarse": torch.tensor(logits).float(),
    }
    value = criterion(taps, Targets(torch.tensor(labels), torch.tensor(attributes)))[0]
    assert value.item() == pytest.approx(expected, rel=1e-5)


def _normed(pairs: np.ndarray, layer: Any) -> np.ndarray:
    """Batch norm over pairs, with the statistics of these."""
    weight, bias = (getattr(layer, name).detach().numpy() for name in ("weight", "bias"))
    return (pairs - pairs.mean(0)) / np.sqrt(pairs.var(0) + 1e-5) * weight + bias


def _binary(scores: np.ndarray, targets: np.ndarray) -> float:
    return float(-np.where(targets, np.log(expit(scores)), np.log(expit(-scores))).mean())


@pytest.mark.parametrize("stage", ["base", "graph"])
def test_sggnn_is_binary_cross_entropy_before_and_after_the_messages_and_on_gallery_pairs(stage: str) -> None:
    """Equations of Shen et al. 2018: d = BN((f - g)²), W = softmax of the siamese score, d' = .1 d + .9 W F(d)."""
    criterion = _criterion(_config("sggnn"))
    features, labels = _fixed(criterion, 2048, 12), np.repeat(np.arange(3), 4)
    criterion.enter(stage)
    losses: Any = criterion.losses
    graph, probe = losses["graph"].graphs[0], np.arange(0, 12, 4)
    gallery = np.setdiff1d(np.arange(12), probe)

    def score(nodes: np.ndarray) -> np.ndarray:
        weight, bias = (item.detach().numpy().astype(np.float64) for item in (graph.scorer.weight, graph.scorer.bias))
        return (nodes @ weight.T + bias)[..., 0]

    nodes = _normed(((features[probe, None] - features[None, gallery]) ** 2).reshape(-1, 2048), graph.norm)
    wanted = (labels[probe, None] == labels[None, gallery]).ravel()
    rows, columns = np.triu_indices(9, 1)
    between = score(_normed((features[gallery[rows]] - features[gallery[columns]]) ** 2, graph.norm))
    same = labels[gallery[rows]] == labels[gallery[columns]]
    expected = _binary(score(nodes), wanted) + _binary(between, same)
    if stage == "graph":
        edges = np.full((9, 9), -np.inf)
        edges[rows, columns] = edges[columns, rows] = between
        messages = nodes
        for layer in (1, 2):
            linear = getattr(graph.message, f"linear{layer}").weight.detach().numpy().astype(np.float64)
            messages = np.maximum(_normed(messages @ linear.T, getattr(graph.message, f"norm{layer}")), 0)
        weights = softmax(edges, axis=1)
        updated = 0.1 * nodes.reshape(3, 9, 2048) + 0.9 * (weights @ messages.reshape(3, 9, 2048))
        expected += _binary(score(updated).ravel(), wanted)
    taps = {"p1.global@coarse": torch.tensor(features).float()}
    assert criterion(taps, torch.tensor(labels))[0].item() == pytest.approx(expected, rel=1e-4)

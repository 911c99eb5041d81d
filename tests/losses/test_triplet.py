"""Triplet loss against loops over pairs and triplets, in double precision."""

import itertools

import pytest
import torch
from torch.nn import functional
from torch.testing import assert_close

from reid_search.losses import Targets

MARGINS = [0.3, 1.2, "soft"]


def _brute_force(features, labels, margin):
    """The farthest positive and the nearest negative of each anchor that has both; the mean over those anchors."""
    values = []
    for anchor in range(len(features)):
        positive, negative = [], []
        for other in range(len(features)):
            if other != anchor:
                distance = (features[anchor] - features[other]).norm()
                (positive if labels[other] == labels[anchor] else negative).append(distance)
        if positive and negative:
            violation = torch.stack(positive).max() - torch.stack(negative).min()
            values.append(functional.softplus(violation) if margin == "soft" else (violation + margin).relu())
    return torch.stack(values).mean() if values else features.sum() * 0


def _compare(features, labels, margin, make_taps, make_loss, tolerance=1e-5):
    taps = make_taps(features.shape[1])
    ours, theirs = features.clone().requires_grad_(), features.double().requires_grad_()
    value = make_loss({"kind": "triplet", "margin": margin}, taps)({taps[0].key: ours}, Targets(labels))
    expected = _brute_force(theirs, labels, margin)
    value.backward()
    expected.backward()
    assert_close(value, expected.float(), rtol=tolerance, atol=tolerance)
    assert_close(ours.grad, theirs.grad.float(), rtol=1e-3, atol=tolerance)
    return value.item()


@pytest.mark.parametrize("margin", MARGINS)
def test_agrees_with_loops_on_random_batches(margin, make_taps, make_loss):
    """Batches of 2 to 16 images, with identities of one image and batches of one identity among them."""
    generator = torch.Generator().manual_seed(0)
    silent = 0
    for _ in range(30):
        count, identities, dim = (int(torch.randint(2, 17, (1,), generator=generator)) for _ in range(3))
        labels = torch.randint(0, identities, (count,), generator=generator)
        features = torch.randn(count, dim, generator=generator)
        silent += _compare(features, labels, margin, make_taps, make_loss) == 0
    assert 0 < silent < 15


def test_mean_counts_anchors_within_the_margin_too(make_taps, make_loss):
    """Four anchors violate the margin, by .3, .4, .4 and .3; the two at the start do not; the mean is over six."""
    taps = make_taps(1)
    features = torch.tensor([[0.0], [0.1], [10.0], [10.1], [11.0], [11.1]])
    value = make_loss({"kind": "triplet", "margin": 1.2}, taps)({taps[0].key: features}, Targets(torch.arange(6) // 2))
    assert value.item() == pytest.approx((0.3 + 0.4 + 0.4 + 0.3) / 6, abs=1e-5)


@pytest.mark.parametrize("margin", [0.3, "soft"])
@pytest.mark.parametrize("offset", [0.0, 100.0])
def test_small_distances_between_large_features_are_exact(margin, offset, make_taps, make_loss):
    """32 images: from 26 on, distances would by default come from matrix products."""
    generator = torch.Generator().manual_seed(3)
    features = torch.randn(32, 64, generator=generator) * 0.01 + offset
    _compare(features, torch.arange(32) // 4, margin, make_taps, make_loss)


@pytest.mark.parametrize("margin", MARGINS)
@pytest.mark.parametrize(
    "labels", [[0] * 8, list(range(8)), [3]], ids=["one identity", "one image each", "one image alone"]
)
def test_batch_without_a_triplet_is_worth_nothing_and_can_be_trained_on(margin, labels, make_taps, make_loss):
    taps = make_taps(4, 4)
    features = {tap.key: torch.randn(len(labels), 4).requires_grad_() for tap in taps}
    value = make_loss({"kind": "triplet", "margin": margin}, taps)(features, Targets(torch.tensor(labels)))
    value.backward()
    assert value.item() == 0
    assert all(feature.grad.abs().max() == 0 for feature in features.values())


@pytest.mark.parametrize("margin", MARGINS)
@pytest.mark.parametrize("count", [8, 64])
def test_collapsed_features_have_a_finite_gradient(margin, count, make_taps, make_loss):
    """All distances are 0, where a root has no gradient; the value is the margin."""
    taps = make_taps(16)
    features = torch.full((count, 16), 3.7, requires_grad=True)
    labels = Targets(torch.arange(count) // 4)
    value = make_loss({"kind": "triplet", "margin": margin}, taps)({taps[0].key: features}, labels)
    value.backward()
    assert value.item() == pytest.approx(0.693147 if margin == "soft" else margin, abs=1e-6)
    assert features.grad.abs().max() == 0


@pytest.mark.parametrize("margin", MARGINS)
def test_ties_do_not_change_the_value(margin, make_taps, make_loss):
    """Repeated images: several farthest positives and nearest negatives, some at distance 0."""
    generator = torch.Generator().manual_seed(4)
    base = torch.randn(4, 6, generator=generator)
    features = base[torch.tensor([0, 0, 1, 1, 2, 2, 3, 3, 0, 1])]
    labels = torch.tensor([0, 0, 0, 0, 1, 1, 1, 1, 2, 2])
    taps = make_taps(6)
    ours = features.clone().requires_grad_()
    value = make_loss({"kind": "triplet", "margin": margin}, taps)({taps[0].key: ours}, Targets(labels))
    value.backward()
    assert_close(value, _brute_force(features.double(), labels, margin).float())
    assert ours.grad.isfinite().all()


def test_value_is_the_mean_over_taps_of_any_size(make_taps, make_loss):
    taps = make_taps(512, 768, 2)
    generator = torch.Generator().manual_seed(5)
    features = {tap.key: torch.randn(12, tap.dim, generator=generator) for tap in taps}
    labels = torch.arange(12) // 4
    values = [_brute_force(features[tap.key].double(), labels, 0.3) for tap in taps]
    value = make_loss({"kind": "triplet", "margin": 0.3}, taps)(features, Targets(labels))
    assert_close(value, torch.stack(values).mean().float(), rtol=1e-5, atol=1e-5)


def test_trains_the_same_to_the_last_digit(make_taps, make_loss):
    taps = make_taps(32)
    loss = make_loss({"kind": "triplet", "margin": 0.3}, taps)
    features = torch.randn(64, 32, generator=torch.Generator().manual_seed(6))
    before = torch.are_deterministic_algorithms_enabled()
    torch.use_deterministic_algorithms(True)
    try:
        gradients = []
        for _ in range(2):
            leaf = features.clone().requires_grad_()
            loss({taps[0].key: leaf}, Targets(torch.arange(64) // 4)).backward()
            gradients.append(leaf.grad)
    finally:
        torch.use_deterministic_algorithms(before)
    assert torch.equal(*gradients)


def _distance(first, second, settings):
    if settings.get("normalize"):
        first, second = first / first.norm(), second / second.norm()
    squared = (first - second).square().sum()
    return squared if settings.get("distance") == "squared" else squared.sqrt()


def _all_triplets(features, labels, settings):
    """Every anchor, positive and negative; the mean over those that violate the margin."""
    values, margin, every = [], settings.get("margin", 0.3), range(len(labels))
    for anchor, positive in itertools.permutations(every, 2):
        if labels[anchor] != labels[positive]:
            continue
        near = _distance(features[anchor], features[positive], settings)
        for negative in every:
            if labels[negative] != labels[anchor]:
                violation = near - _distance(features[anchor], features[negative], settings)
                values.append(functional.softplus(violation) if margin == "soft" else (violation + margin).relu())
    active = [value for value in values if value > 0]
    return torch.stack(active).mean() if active else features.sum() * 0


def _hardest_triplets(features, labels, settings):
    values = []
    for anchor, label in enumerate(labels):
        others = [other for other in range(len(labels)) if other != anchor]
        distances = {other: _distance(features[anchor], features[other], settings) for other in others}
        positive = [distances[other] for other in others if labels[other] == label]
        negative = [distances[other] for other in others if labels[other] != label]
        if positive and negative:
            values.append((torch.stack(positive).max() - torch.stack(negative).min() + 0.3).relu())
    return torch.stack(values).mean() if values else features.sum() * 0


VARIANTS = [
    {"mining": "all"},
    {"mining": "all", "margin": "soft"},
    {"mining": "all", "margin": 0.2, "distance": "squared", "normalize": True},
    {"normalize": True},
    {"distance": "squared"},
    {"distance": "squared", "normalize": True},
]


@pytest.mark.parametrize("settings", VARIANTS, ids=str)
def test_variants_agree_with_loops_on_random_batches(settings, make_taps, make_loss):
    generator = torch.Generator().manual_seed(0)
    reference = _all_triplets if "mining" in settings else _hardest_triplets
    silent = 0
    for _ in range(15):
        count, identities, dim = (int(torch.randint(2, 13, (1,), generator=generator)) for _ in range(3))
        labels = torch.randint(0, identities, (count,), generator=generator)
        ours = torch.randn(count, dim, generator=generator)
        theirs = ours.double().requires_grad_()
        ours.requires_grad_()
        taps = make_taps(dim)
        value = make_loss({"kind": "triplet", **settings}, taps)({taps[0].key: ours}, Targets(labels))
        expected = reference(theirs, labels, settings)
        value.backward()
        expected.backward()
        assert_close(value, expected.float(), rtol=1e-4, atol=1e-5)
        assert_close(ours.grad, theirs.grad.float(), rtol=1e-3, atol=1e-4)
        silent += value.item() == 0
    assert silent < 10


def test_mean_over_all_triplets_leaves_out_those_within_the_margin(make_taps, make_loss):
    """Of 24 triplets, those of the two pairs that lie close together violate the margin, eight in number."""
    taps = make_taps(1)
    features = torch.tensor([[0.0], [0.1], [10.0], [10.1], [11.0], [11.1]])
    loss = make_loss({"kind": "triplet", "margin": 1.2, "mining": "all"}, taps)
    value = loss({taps[0].key: features}, Targets(torch.arange(6) // 2))
    violations = [0.3, 0.2, 0.4, 0.3, 0.3, 0.4, 0.2, 0.3]
    assert value.item() == pytest.approx(sum(violations) / len(violations), abs=1e-5)


@pytest.mark.parametrize("mining", ["batch_hard", "all"])
def test_one_broken_image_among_triplets_within_the_margin_is_not_hidden(mining, make_taps, make_loss):
    """No other triplet is active, so a mean over what is above 0 would be 0."""
    taps = make_taps(1)
    features = torch.tensor([[0.0], [0.1], [10.0], [10.1], [20.0], [torch.nan]])
    loss = make_loss({"kind": "triplet", "mining": mining}, taps)
    assert loss({taps[0].key: features}, Targets(torch.arange(6) // 2)).isnan()


@pytest.mark.parametrize("margin", [0, -0.3, True, "hard", None, float("nan"), float("inf"), [0.3]])
def test_margin_out_of_range_is_refused(margin, make_config):
    with pytest.raises(ValueError, match="margin"):
        make_config({"kind": "triplet", "margin": margin})


@pytest.mark.parametrize(("margin", "kept"), [(1, 1.0), (0.3, 0.3), ("soft", "soft")])
def test_margin_is_kept_as_written(margin, kept, make_config):
    assert make_config({"kind": "triplet", "margin": margin}).margin == kept

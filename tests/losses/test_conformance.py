"""What every kind of loss promises. A new one passes these tests as it is, or adds settings to `SETTINGS`.

A loss that sits on maps says in `CHANNELS` how many they have. Where a loss leaves values out at random, the same seed
is set before each evaluation, and what a random choice would change is tested in evaluation mode.
"""

import re
from dataclasses import replace

import pytest
import torch
from torch.testing import assert_close

from reid_search.errors import StudyError
from reid_search.losses import Targets
from reid_search.study import LOSSES
from reid_search.study.trial.side_cars import SIDE_CARS
from reid_search.study.trial.taps import VECTORS

SETTINGS = {
    "centre": [{}, {"rate": 1.0}],
    "circle": [{}, {"gamma": 32.0, "margin": 0.4}],
    "cross_entropy": [
        {},
        {"bias": True, "label_smoothing": 0.1},
        {"shared": True, "dropout": 0.5},
        {"logits": "cosine"},
        {"logits": "circle", "scale": 32.0, "margin": 0.25},
    ],
    "triplet": [
        {"margin": 0.3},
        {"margin": "soft"},
        {"mining": "all", "distance": "squared", "normalize": True},
        {"mining": "all", "margin": "soft"},
    ],
    "verification": [
        {},
        {"batch_norm": True, "negatives_per_positive": None},
        {"comparison": "absolute", "dropout": 0.5},
        {"comparison": "product", "normalize": True, "negatives_per_positive": 4.0},
    ],
}
CHANNELS = {"heatmap": 17, "parsing": 5}
CASES = [
    pytest.param({"kind": kind, **settings}, id=f"{kind}-{index}")
    for kind in LOSSES.names()
    for index, settings in enumerate(SETTINGS.get(kind, [{}]))
]
every_loss = pytest.mark.parametrize("settings", CASES)
LABELS = torch.arange(12) // 3


@pytest.fixture
def make_sites(make_taps, make_maps):
    """Return taps that a loss can sit on: vectors of the same length, or maps."""

    def sites(settings, count):
        if VECTORS & LOSSES.config_class(settings["kind"]).scopes:
            return make_taps(*[6] * count)
        return make_maps(*[(CHANNELS[settings["kind"]], 4, 2)] * count)

    return sites


@pytest.fixture
def evaluate(make_loss):
    """Return the value of a loss built anew, so that nothing an earlier batch left behind counts."""

    def evaluate(settings, taps, features, targets, train=True):
        loss = make_loss(settings, taps).train(train)
        with torch.random.fork_rng():
            torch.manual_seed(0)
            return loss(features, targets)

    return evaluate


def _features(taps, count=12):
    generator = torch.Generator().manual_seed(1)
    return {tap.key: torch.randn(count, *tap.shape, generator=generator).requires_grad_() for tap in taps}


def _taken(targets, order):
    """Return the images of a batch in another order."""
    return Targets(
        targets.identities[order],
        *(getattr(targets, kind)[order] for kind in ("attributes", "maps", "keypoints")),
        targets.image_size,
    )


@every_loss
def test_value_is_one_number_with_a_gradient_on_every_tap(settings, make_sites, make_targets, evaluate):
    taps = make_sites(settings, 2)
    features = _features(taps)
    value = evaluate(settings, taps, features, make_targets(LABELS))
    value.backward()
    assert value.shape == ()
    assert value.isfinite()
    assert value != 0
    assert all(feature.grad.abs().sum() > 0 for feature in features.values())


@every_loss
def test_value_is_the_mean_over_taps(settings, make_sites, make_targets, make_loss):
    """Each tap counts as it would alone."""
    taps = make_sites(settings, 2)
    features, targets = _features(taps), make_targets(LABELS)
    double = make_loss(settings, taps).eval()
    alone = []
    for index, tap in enumerate(taps):
        single = make_loss(settings, [tap]).eval()
        names = {name: re.sub(r"\.\d+\.", f".{index}.", name) for name in single.state_dict()}
        state = double.state_dict()
        single.load_state_dict({name: state.get(own, state.get(name)) for name, own in names.items()})
        alone.append(single(features, targets))
    assert_close(double(features, targets), torch.stack(alone).mean())


@every_loss
def test_looks_at_its_own_taps_only(settings, make_sites, make_targets, evaluate):
    taps = make_sites(settings, 2)
    features, targets = _features(taps), make_targets(LABELS)
    broken = {**features, taps[1].key: torch.full((12, 3), torch.nan)}
    with_broken = evaluate(settings, taps[:1], broken, targets)
    assert_close(with_broken, evaluate(settings, taps[:1], features, targets), rtol=0, atol=0)


@every_loss
def test_says_whether_it_compares_images(settings, make_sites, make_targets, evaluate):
    """A loss that compares images has nothing to say of a single one."""
    taps = make_sites(settings, 1)
    value = evaluate(settings, taps, _features(taps, 1), make_targets(LABELS[:1]), train=False)
    assert LOSSES.config_class(settings["kind"]).compares_images == (value == 0)


@every_loss
def test_order_of_the_batch_does_not_count(settings, make_sites, make_targets, evaluate):
    taps = make_sites(settings, 1)
    features, targets = _features(taps), make_targets(LABELS)
    order = torch.randperm(12, generator=torch.Generator().manual_seed(2))
    shuffled = {key: feature[order] for key, feature in features.items()}
    train = not settings.get("dropout")
    value = evaluate(settings, taps, shuffled, _taken(targets, order), train)
    assert_close(value, evaluate(settings, taps, features, targets, train))


@every_loss
def test_state_survives_a_round_trip(settings, make_sites, make_targets, make_loss):
    taps = make_sites(settings, 2)
    features, targets = _features(taps), make_targets(LABELS)
    first, second = (make_loss(settings, taps, seed=seed) for seed in (1, 2))
    first(features, targets)
    second.load_state_dict(first.state_dict())
    assert_close(second.eval()(features, targets), first.eval()(features, targets), rtol=0, atol=0)


@every_loss
@pytest.mark.parametrize("precision", [torch.bfloat16, torch.float16])
def test_half_precision_features_are_worked_on_in_full_precision(
    settings, precision, make_sites, make_targets, evaluate
):
    """Features of up to some hundreds, whose squares float16 does not hold."""
    taps, targets = make_sites(settings, 1), make_targets(LABELS)
    features = {key: (value.detach() * 100).to(precision) for key, value in _features(taps).items()}
    halves = {key: value.clone().requires_grad_() for key, value in features.items()}
    with torch.autocast("cpu", dtype=precision):
        value = evaluate(settings, taps, halves, targets)
    value.backward()
    assert value.dtype == torch.float32
    assert value.isfinite()
    assert all(half.grad.isfinite().all() for half in halves.values())
    full = {key: value.float() for key, value in features.items()}
    assert_close(value, evaluate(settings, taps, full, targets), rtol=1e-5, atol=1e-6)


@every_loss
@pytest.mark.parametrize("broken", [1, 12])
def test_broken_features_are_not_hidden(settings, broken, make_sites, make_targets, evaluate):
    """A trial with NaN features must fail: its loss may not come out as a number, be it one image that is broken."""
    taps = make_sites(settings, 1)
    features = {key: value.detach().clone() for key, value in _features(taps).items()}
    features[taps[0].key][:broken] = torch.nan
    assert evaluate(settings, taps, features, make_targets(LABELS)).isnan()


@every_loss
def test_trains_the_same_to_the_last_digit(settings, make_sites, make_targets, evaluate):
    taps, targets = make_sites(settings, 1), make_targets(LABELS)
    before = torch.are_deterministic_algorithms_enabled()
    torch.use_deterministic_algorithms(True)
    try:
        gradients = []
        for _ in range(2):
            features = _features(taps)
            evaluate(settings, taps, features, targets).backward()
            gradients.append(features[taps[0].key].grad)
    finally:
        torch.use_deterministic_algorithms(before)
    assert torch.equal(*gradients)


@every_loss
@pytest.mark.parametrize("labels", [[0] * 4, [0, 1, 2, 3], [0]], ids=["one identity", "one image each", "one image"])
def test_batches_with_nothing_to_compare_can_be_trained_on(settings, labels, make_sites, make_targets, evaluate):
    taps = make_sites(settings, 1)
    features = _features(taps, len(labels))
    value = evaluate(settings, taps, features, make_targets(torch.tensor(labels)))
    value.backward()
    assert value.isfinite()
    assert features[taps[0].key].grad.isfinite().all()


@every_loss
def test_looks_at_the_side_cars_that_it_needs(settings, make_sites, make_targets, make_config, evaluate):
    taps, needs = make_sites(settings, 1), make_config(settings).needs
    features, targets = _features(taps), make_targets(LABELS)
    enough = replace(targets, **dict.fromkeys(set(SIDE_CARS) - needs))
    expected = evaluate(settings, taps, features, targets)
    assert_close(evaluate(settings, taps, features, enough), expected, rtol=0, atol=0)
    other = make_targets(LABELS, seed=7)
    for kind in needs:
        changed = replace(targets, **{kind: getattr(other, kind)})
        assert evaluate(settings, taps, features, changed) != expected
        with pytest.raises(StudyError, match=kind.removesuffix("s")):
            evaluate(settings, taps, features, replace(targets, **{kind: None}))


@every_loss
def test_looks_at_identities_if_it_says_so(settings, make_sites, make_targets, make_config, make_loss):
    """Either in the identities' numbers or, like attributes, in what belongs to an identity."""
    taps, config = make_sites(settings, 1), make_config(settings)
    features, targets = _features(taps), make_targets(LABELS)
    values = []
    for labels in (LABELS, torch.tensor([0, 1, 2, 3] * 3)):
        loss, known = make_loss(settings, taps), replace(targets, identities=labels)
        loss(features, known)  # centres start alike
        values.append(loss.eval()(features, known))
    assert (values[0] != values[1]) == (config.of_identities and "attributes" not in config.needs)

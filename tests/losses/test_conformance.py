"""What every kind of loss promises. A new one passes these tests as it is, or adds settings to `SETTINGS`."""

import pytest
import torch
from torch.testing import assert_close

from reid_search.losses import Targets
from reid_search.study import LOSSES

SETTINGS = {
    "cross_entropy": [{}, {"bias": True, "label_smoothing": 0.1}],
    "triplet": [{"margin": 0.3}, {"margin": "soft"}],
}
CASES = [
    pytest.param({"kind": kind, **settings}, id=f"{kind}-{index}")
    for kind in LOSSES.names()
    for index, settings in enumerate(SETTINGS.get(kind, [{}]))
]
every_loss = pytest.mark.parametrize("settings", CASES)
LABELS = torch.arange(12) // 3


def _features(taps, count=12):
    generator = torch.Generator().manual_seed(1)
    return {tap.key: torch.randn(count, tap.dim, generator=generator).requires_grad_() for tap in taps}


@every_loss
def test_value_is_one_number_with_a_gradient_on_every_tap(settings, make_taps, make_loss):
    taps = make_taps(6, 4)
    features = _features(taps)
    value = make_loss(settings, taps)(features, Targets(LABELS))
    value.backward()
    assert value.shape == ()
    assert value.isfinite()
    assert all(feature.grad.abs().sum() > 0 for feature in features.values())


@every_loss
def test_value_is_the_mean_over_taps(settings, make_taps, make_loss):
    """Two taps with the same features weigh as much as one."""
    one, two = make_taps(6), make_taps(6, 6)
    features = _features(one)[one[0].key]
    single, double = make_loss(settings, one), make_loss(settings, two)
    state = single.state_dict()
    copies = {name.replace(".0.", f".{index}."): value for name, value in state.items() for index in range(2)}
    double.load_state_dict(copies)
    expected = single({one[0].key: features}, Targets(LABELS))
    assert_close(double({tap.key: features for tap in two}, Targets(LABELS)), expected)


@every_loss
def test_looks_at_its_own_taps_only(settings, make_taps, make_loss):
    taps = make_taps(6, 4)
    features = _features(taps)
    loss = make_loss(settings, taps[:1])
    with_other = loss({**features, "stranger@reduced": torch.full((12, 3), torch.nan)}, Targets(LABELS))
    assert_close(with_other, loss(features, Targets(LABELS)), rtol=0, atol=0)


@every_loss
def test_order_of_the_batch_does_not_count(settings, make_taps, make_loss):
    taps = make_taps(6)
    features, loss = _features(taps), make_loss(settings, taps, classes=4)
    order = torch.randperm(12, generator=torch.Generator().manual_seed(2))
    shuffled = {key: feature[order] for key, feature in features.items()}
    assert_close(loss(shuffled, Targets(LABELS[order])), loss(features, Targets(LABELS)))


@every_loss
def test_state_survives_a_round_trip(settings, make_taps, make_loss):
    taps = make_taps(6, 4)
    first, second = (make_loss(settings, taps, seed=seed) for seed in (1, 2))
    second.load_state_dict(first.state_dict())
    assert_close(second(_features(taps), Targets(LABELS)), first(_features(taps), Targets(LABELS)), rtol=0, atol=0)


@every_loss
def test_half_precision_features_give_a_finite_value_in_full_precision(settings, make_taps, make_loss):
    taps = make_taps(6)
    features = {key: value.detach().bfloat16().requires_grad_() for key, value in _features(taps).items()}
    with torch.autocast("cpu", dtype=torch.bfloat16):
        value = make_loss(settings, taps)(features, Targets(LABELS))
    value.backward()
    assert value.dtype == torch.float32
    assert value.isfinite()
    assert all(feature.grad.isfinite().all() for feature in features.values())


@every_loss
def test_broken_features_are_not_hidden(settings, make_taps, make_loss):
    """A trial with NaN features must fail: its loss may not come out as a number."""
    taps = make_taps(6)
    value = make_loss(settings, taps)({taps[0].key: torch.full((12, 6), torch.nan)}, Targets(LABELS))
    assert value.isnan()

"""The losses of a trial together: weights, switching off, initial values of their own."""

import pytest
import torch
from torch.testing import assert_close

from reid_search.losses import Criterion
from reid_search.models import build_model
from reid_search.study import TrialConfig

LABELS = torch.arange(8) // 2
IDENTITY = {"kind": "cross_entropy", "on": ["global@coarse"]}
TRIPLET = {"kind": "triplet", "on": ["global@reduced", "concat@reduced"], "margin": 0.5}


def _trial(**losses):
    return TrialConfig.model_validate(
        {
            "data": {"name": "market1501", "image_size": [64, 32]},
            "model": {"architecture": "mgn", "backbone": "resnet10_thin", "parts": [1, 2], "embedding_dim": 64},
            "losses": {"identity": IDENTITY, "triplet": TRIPLET, **losses},
        }
    )


def _criterion(config, seed=0, classes=4):
    return Criterion(config.losses, {name: config.loss_taps(name) for name in config.losses}, classes, seed)


@pytest.fixture(scope="module")
def taps():
    config = _trial()
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = build_model(config.model, image_size=config.data.image_size)
        return model(torch.randn(8, 3, 64, 32))


@pytest.mark.parametrize("weights", [(1, 1), (2, 1), (1, 2), (0.125, 0.2)])
def test_total_is_the_weighted_sum(weights, taps):
    config = _trial(identity={**IDENTITY, "weight": weights[0]}, triplet={**TRIPLET, "weight": weights[1]})
    total, values = _criterion(config)(taps, LABELS)
    _, plain = _criterion(_trial())(taps, LABELS)
    assert_close(values, plain, rtol=0, atol=0)
    assert_close(total, weights[0] * plain["identity"] + weights[1] * plain["triplet"])


@pytest.mark.parametrize("switched_off", [{"on": []}, {"weight": 0}, {"on": ["map@reduced"]}], ids=str)
def test_a_loss_without_taps_is_not_there(switched_off, taps):
    criterion = _criterion(_trial(identity={**IDENTITY, **switched_off}))
    total, values = criterion(taps, LABELS)
    assert list(values) == ["triplet"]
    assert list(criterion.parameters()) == []
    assert_close(total, values["triplet"])


def test_initial_values_do_not_depend_on_the_other_losses():
    alone = _criterion(_trial(triplet={**TRIPLET, "on": []}))
    among = _criterion(_trial(another={"kind": "cross_entropy", "on": ["part@reduced"]}))
    assert_close(among.losses["identity"].state_dict(), alone.losses["identity"].state_dict(), rtol=0, atol=0)
    assert "another" in among.losses


def test_initial_values_are_those_of_seed_and_name():
    config = _trial(identity={**IDENTITY, "bias": False}, another={**IDENTITY, "bias": False})
    first, same, other = (_criterion(config, seed).state_dict() for seed in (1, 1, 2))
    assert_close(first, same, rtol=0, atol=0)
    key = "classifiers.0.weight"
    assert not torch.equal(first[f"losses.identity.{key}"], other[f"losses.identity.{key}"])
    assert not torch.equal(first[f"losses.identity.{key}"], first[f"losses.another.{key}"])


def test_building_draws_nothing_from_the_global_generator():
    before = torch.random.get_rng_state()
    _criterion(_trial())
    assert torch.equal(torch.random.get_rng_state(), before)


def test_only_active_losses_are_computed(taps):
    criterion = _criterion(_trial())
    _, every = criterion(taps, LABELS)
    total, values = criterion(taps, LABELS, active=["identity"])
    assert list(values) == ["identity"]
    assert_close(total, every["identity"])
    nothing, values = criterion(taps, LABELS, active=[])
    assert values == {}
    assert nothing.item() == 0


def test_state_survives_a_round_trip(taps):
    config = _trial()
    first, second = _criterion(config, seed=1), _criterion(config, seed=2)
    second.load_state_dict(first.state_dict())
    assert_close(second(taps, LABELS)[0], first(taps, LABELS)[0], rtol=0, atol=0)


def test_order_of_the_losses_does_not_count(taps):
    config = _trial()
    backwards = config.model_copy(update={"losses": dict(reversed(config.losses.items()))})
    assert_close(_criterion(backwards)(taps, LABELS)[0], _criterion(config)(taps, LABELS)[0], rtol=0, atol=0)

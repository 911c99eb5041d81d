"""Centre loss against the rule of Wen et al. 2016 in loops, in double precision."""

import pytest
import torch
from torch.testing import assert_close

from reid_search.losses import Targets


def _step(centres, features, labels, rate):
    """Equations 2 and 4: the value with the centres as they are, and the centres afterwards."""
    value = sum(((x - centres[y]) ** 2).sum() / 2 for x, y in zip(features, labels, strict=True)) / len(labels)
    moved = centres.clone()
    for place in range(len(centres)):
        members = [x for x, y in zip(features, labels, strict=True) if y == place]
        change = sum((centres[place] - x for x in members), torch.zeros_like(centres[place]))
        moved[place] = centres[place] - rate * change / (1 + len(members))
    return value, moved


@pytest.mark.parametrize("rate", [0.1, 0.5, 1.0])
def test_agrees_with_loops_over_ten_batches(rate, make_taps, make_loss):
    """Some classes come up several times, some once and some not at all."""
    taps = make_taps(4)
    loss = make_loss({"kind": "centre", "rate": rate}, taps, classes=6)
    centres = torch.zeros(6, 4).double()
    generator = torch.Generator().manual_seed(0)
    for _ in range(10):
        features = torch.randn(8, 4, generator=generator)
        labels = torch.randint(0, 5, (8,), generator=generator)
        expected, centres = _step(centres, features.double(), labels, rate)
        value = loss({taps[0].key: features}, Targets(labels))
        assert_close(value, expected.float(), rtol=1e-5, atol=1e-5)
        assert_close(loss.centres[0].positions, centres.float(), rtol=1e-5, atol=1e-5)
    assert loss.centres[0].positions[5].abs().max() == 0


def test_gradient_is_the_way_from_the_centre(make_taps, make_loss):
    taps, labels = make_taps(3), torch.tensor([0, 1, 1, 2])
    loss = make_loss({"kind": "centre"}, taps)
    loss({taps[0].key: torch.randn(4, 3)}, Targets(labels))
    centres = loss.centres[0].positions.clone()
    features = torch.randn(4, 3, requires_grad=True)
    loss({taps[0].key: features}, Targets(labels)).backward()
    assert_close(features.grad, (features.detach() - centres[labels]) / 4)


def test_centres_settle_at_the_means_of_their_classes(make_taps, make_loss):
    taps, labels = make_taps(3), torch.arange(12) // 4
    loss = make_loss({"kind": "centre"}, taps, classes=3)
    features = torch.randn(12, 3) + 5
    for _ in range(100):
        loss({taps[0].key: features}, Targets(labels))
    assert_close(loss.centres[0].positions, features.reshape(3, 4, 3).mean(1))


def test_centres_move_in_training_only_and_without_an_optimiser(make_taps, make_loss):
    taps = make_taps(3, 5)
    loss = make_loss({"kind": "centre"}, taps)
    features = {tap.key: torch.randn(4, tap.dim) for tap in taps}
    assert list(loss.parameters()) == []
    assert sorted(loss.state_dict()) == ["centres.0.positions", "centres.1.positions"]
    loss.eval()(features, Targets(torch.arange(4)))
    assert all(value.abs().max() == 0 for value in loss.state_dict().values())
    loss.train()(features, Targets(torch.arange(4)))
    assert all(value.abs().max() > 0 for value in loss.state_dict().values())


@pytest.mark.parametrize("rate", [0, -0.1, 1.1])
def test_rate_out_of_range_is_refused(rate, make_config):
    with pytest.raises(ValueError, match="rate"):
        make_config({"kind": "centre", "rate": rate})


def test_the_form_of_the_strong_baseline_is_its_codes_loss_and_steps(make_taps, make_loss):
    """The whole distance over the batch's size; centres take SGD at .5 on it, with the weight divided out."""
    taps, weight = make_taps(4), 5e-4
    loss = make_loss({"kind": "centre", "form": "luo", "rate": 0.5}, taps, classes=50)
    centres = torch.nn.Parameter(loss.centres[0].positions.clone().double())
    assert centres.std().item() == pytest.approx(1, abs=0.15)
    steps = torch.optim.SGD([centres], lr=0.5)
    generator = torch.Generator().manual_seed(0)
    for _ in range(5):
        features, labels = torch.randn(8, 4, generator=generator), torch.randint(0, 50, (8,), generator=generator)
        everywhere = torch.cdist(features.double(), centres).pow(2)
        value = everywhere[torch.arange(8), labels].sum() / 8
        steps.zero_grad()
        (weight * value).backward()
        centres.grad *= 1 / weight
        assert_close(loss({taps[0].key: features}, Targets(labels)), value.float(), rtol=1e-5, atol=1e-5)
        steps.step()
        assert_close(loss.centres[0].positions, centres.float(), rtol=1e-5, atol=1e-5)

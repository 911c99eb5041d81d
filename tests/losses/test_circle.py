"""Circle loss on pairs against loops, in double precision."""

import math

import pytest
import torch
from torch.testing import assert_close

from reid_search.losses import Targets


def _brute_force(features, labels, gamma, margin):
    """Equation 4 of Sun et al. 2020 for each anchor with a positive and a negative; the mean over those anchors."""
    directions = [vector / vector.norm() for vector in features]
    values = []
    for anchor, direction in enumerate(directions):
        positive, negative = [], []
        for other in range(len(features)):
            if other == anchor:
                continue
            cosine = direction @ directions[other]
            constant = cosine.item()
            if labels[other] == labels[anchor]:
                positive.append(-gamma * max(1 + margin - constant, 0) * (cosine - (1 - margin)))
            else:
                negative.append(gamma * max(constant + margin, 0) * (cosine - margin))
        if positive and negative:
            total = sum(torch.exp(value) for value in negative) * sum(torch.exp(value) for value in positive)
            values.append(torch.log1p(total))
    return torch.stack(values).mean() if values else features.sum() * 0


@pytest.mark.parametrize(("gamma", "margin"), [(128, 0.25), (32, 0.4), (1, 0.0)])
def test_agrees_with_loops_on_random_batches(gamma, margin, make_taps, make_loss):
    """Batches of 2 to 16 images, with identities of one image and batches of one identity among them."""
    generator = torch.Generator().manual_seed(0)
    silent = 0
    for _ in range(30):
        count, identities, dim = (int(torch.randint(2, 17, (1,), generator=generator)) for _ in range(3))
        labels = torch.randint(0, identities, (count,), generator=generator)
        ours = torch.randn(count, dim, generator=generator)
        theirs = ours.double().requires_grad_()
        ours.requires_grad_()
        taps = make_taps(dim)
        loss = make_loss({"kind": "circle", "gamma": gamma, "margin": margin}, taps)
        value, expected = loss({taps[0].key: ours}, Targets(labels)), _brute_force(theirs, labels, gamma, margin)
        value.backward()
        expected.backward()
        assert_close(value, expected.float(), rtol=1e-4, atol=1e-5)
        assert_close(ours.grad, theirs.grad.float(), rtol=1e-3, atol=1e-4)
        silent += value.item() == 0
    assert 0 < silent < 15


def test_an_anchor_whose_value_vanishes_counts(make_taps, make_loss):
    """All four anchors are averaged, though the two of one identity are worth less than the smallest float."""
    taps = make_taps(3)
    features = torch.tensor([[1.0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0.5, math.sqrt(0.75)]])
    loss = make_loss({"kind": "circle", "gamma": 2000, "margin": 0.25}, taps)
    positive = 2000 * (1.25 - 0.5) * (0.75 - 0.5)  # the identity whose images are at a cosine of .5
    negative = 2000 * 0.25 * -0.25 + math.log(2)  # two images of others, at a cosine of 0
    value = loss({taps[0].key: features}, Targets(torch.tensor([0, 0, 1, 1])))
    assert value.item() == pytest.approx((0 + 0 + 2 * (positive + negative)) / 4, rel=1e-5)


def test_length_of_a_feature_does_not_count(make_taps, make_loss):
    taps, labels = make_taps(6), Targets(torch.arange(8) // 2)
    loss = make_loss({"kind": "circle"}, taps)
    features = torch.randn(8, 6, generator=torch.Generator().manual_seed(1))
    longer = features * torch.arange(1, 9)[:, None]
    assert_close(loss({taps[0].key: longer}, labels), loss({taps[0].key: features}, labels))


@pytest.mark.parametrize("settings", [{"gamma": 0}, {"margin": -0.1}, {"margin": 1}], ids=str)
def test_settings_out_of_range_are_refused(settings, make_config):
    with pytest.raises(ValueError, match=next(iter(settings))):
        make_config({"kind": "circle", **settings})

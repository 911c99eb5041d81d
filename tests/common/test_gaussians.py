"""Gaussians along one side of a grid against the written-out formula."""

import math

import pytest
import torch

from reid_search.common.gaussians import bells


@pytest.mark.parametrize("sigma", [0.5, 2.0])
def test_every_cell_has_the_height_of_the_formula(sigma):
    places, cells = torch.tensor([[-1.0, 2.25], [3.5, 8.0]]), torch.tensor([0.5, 1.5, 2.5])
    found = bells(places, cells, sigma)
    assert found.shape == (2, 2, 3)
    for image, own in enumerate(places.tolist()):
        for number, place in enumerate(own):
            expected = [math.exp(-((cell - place) ** 2) / (2 * sigma**2)) for cell in cells.tolist()]
            assert found[image, number].tolist() == pytest.approx(expected, rel=1e-5)

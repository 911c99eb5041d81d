"""Pooling under maps and resizing by matrices against loops, torch's interpolation and algebra."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional
from torch.testing import assert_close

from reid_search.models.layers.resize import resize, resize_area, resize_bilinear, spread_bilinear
from reid_search.models.layers.weighted import share_out, weighted_pooling, weighted_sum

SIDES = st.integers(1, 40)


def _draw(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_weighted_pooling_is_the_average_written_out():
    features, weights = _draw(2, 5, 4, 3), _draw(2, 3, 4, 3, seed=1).abs()
    expected = np.zeros((2, 3, 5))
    for image in range(2):
        for part in range(3):
            shares = weights[image, part] / weights[image, part].sum()
            for row in range(4):
                for column in range(3):
                    expected[image, part] += float(shares[row, column]) * features[image, :, row, column].numpy()
    assert_close(weighted_pooling(features, weights), torch.from_numpy(expected))


def test_equal_weights_give_the_average():
    features = _draw(2, 5, 4, 3)
    pooled = weighted_pooling(features, torch.full((2, 2, 4, 3), 0.3, dtype=torch.float64))
    assert_close(pooled, features.mean(dim=(2, 3))[:, None].expand(-1, 2, -1))


def test_a_map_of_zeros_gives_a_vector_of_zeros_and_no_nan():
    features, weights = _draw(2, 5, 4, 3).requires_grad_(), _draw(2, 3, 4, 3, seed=1).abs()
    weights[0, 1] = 0
    weights.requires_grad_()
    pooled = weighted_pooling(features, weights)
    assert_close(pooled[0, 1], torch.zeros(5, dtype=torch.float64))
    assert (pooled[1] != 0).all()
    pooled.square().sum().backward()
    assert features.grad.isfinite().all()
    assert weights.grad.isfinite().all()


def test_pooling_does_not_run_in_half_precision():
    with torch.autocast("cpu", dtype=torch.bfloat16):
        pooled = weighted_pooling(_draw(2, 5, 4, 3).bfloat16(), _draw(2, 3, 4, 3).abs().bfloat16())
        resized = resize_bilinear(_draw(2, 5, 4, 3).bfloat16(), (8, 6))
    assert pooled.dtype == resized.dtype == torch.float32


@settings(deadline=None)
@given(SIDES, SIDES, SIDES, SIDES)
def test_bilinear_resizing_is_that_of_torch(height, width, rows, columns):
    maps = _draw(1, 2, height, width)
    expected = functional.interpolate(maps, (rows, columns), mode="bilinear", align_corners=False)
    assert_close(resize_bilinear(maps, (rows, columns)), expected, rtol=0, atol=1e-12)
    single = resize_bilinear(maps.float(), (rows, columns))
    assert_close(single.double(), expected, rtol=0, atol=2e-6)


@settings(deadline=None)
@given(st.integers(1, 12), st.integers(1, 12), st.integers(1, 12), st.integers(1, 12))
def test_area_averaging_counts_what_each_cell_covers(height, width, rows, columns):
    """Pixels made so fine that a cell holds whole ones, and averaged."""
    maps = _draw(1, 2, height, width)
    fine = maps.repeat_interleave(rows, dim=2).repeat_interleave(columns, dim=3)
    expected = functional.avg_pool2d(fine, (height, width))
    assert_close(resize_area(maps, (rows, columns)), expected, rtol=0, atol=1e-12)


def test_a_side_that_shrinks_is_averaged_and_one_that_grows_interpolated():
    maps = _draw(1, 2, 8, 3)
    expected = resize_bilinear(resize_area(maps, (4, 3)), (4, 6))
    assert_close(resize(maps, (4, 6)), expected)
    assert resize(maps, (8, 3)) is maps


@settings(deadline=None)
@given(SIDES, SIDES, SIDES, SIDES)
def test_spreading_weights_is_resizing_features(height, width, rows, columns):
    features, weights = _draw(2, 3, height, width), _draw(2, 4, rows, columns, seed=1).abs()
    expected = weighted_sum(resize_bilinear(features, (rows, columns)), weights)
    spread = spread_bilinear(weights, (height, width))
    assert_close(weighted_sum(features, spread), expected)
    assert_close(spread.sum(dim=(2, 3)), weights.sum(dim=(2, 3)))


@pytest.mark.parametrize("size", [(8, 6), (12, 6), (4, 9)])
def test_gradients_of_resizing(size):
    maps = _draw(1, 1, 4, 3).requires_grad_()
    for how in (resize, resize_area, resize_bilinear):
        assert torch.autograd.gradcheck(how, (maps, size))


def test_shares_sum_to_one():
    shares = share_out(_draw(2, 3, 4, 5).abs())
    assert_close(shares.sum(dim=(2, 3)), torch.ones(2, 3, dtype=torch.float64))

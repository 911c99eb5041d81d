"""Boxes and Gaussians on a grid against counted pixels and written-out formulas."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional
from torch.testing import assert_close

from reid_search.models.layers.regions import bounding_box, box_weights, found, gaussian_weights, stripe_weights

SIZE = (24, 12)


@settings(deadline=None)
@given(
    st.integers(0, 11), st.integers(1, 14), st.integers(-3, 23), st.integers(1, 30), st.sampled_from([(6, 3), (8, 4)])
)
def test_a_box_covers_the_share_of_pixels_in_it(left, width, top, height, grid):
    pixels = torch.zeros(1, 1, *SIZE)
    pixels[:, :, max(top, 0) : max(top + height, 0), left : left + width] = 1
    expected = functional.avg_pool2d(pixels, (SIZE[0] // grid[0], SIZE[1] // grid[1]))[0]
    edges = torch.tensor([[left, top, left + width, top + height]]) - 0.5
    assert_close(box_weights(edges, SIZE, grid), expected)


def test_a_box_need_not_end_between_pixels():
    weights = box_weights(torch.tensor([[0.0, -0.5, 11.5, 5.5]]), SIZE, (2, 2))
    assert_close(weights, torch.tensor([[[5.5 / 6 / 2, 1 / 2], [0, 0]]]))


def test_a_stripe_is_a_share_of_the_height():
    weights = stripe_weights(1 / 6, 1 / 2, (8, 2), torch.zeros(()))
    assert_close(weights[0, :, 0], torch.tensor([0, 2 / 3, 1, 1, 0, 0, 0, 0]))
    assert_close(weights[..., 0], weights[..., 1])


def test_the_smallest_box_is_around_the_points_there_are():
    points = torch.tensor([[[3.0, 4.0], [7.0, 2.0], [100.0, -50.0]]])
    present = torch.tensor([[True, True, False]])
    assert_close(bounding_box(points, present, 1.5), torch.tensor([[1.5, 0.5, 8.5, 5.5]]))
    nothing = bounding_box(points, torch.zeros_like(present), 1.5)
    assert_close(box_weights(nothing, SIZE, (4, 2)), torch.zeros(1, 4, 2))


def test_gaussians_are_those_written_out():
    points = torch.tensor([[[3.0, 4.0], [7.0, 20.0], [1.0, 1.0]]])
    present = torch.tensor([[True, True, False]])
    weights = gaussian_weights(points, present, 2.5, SIZE, (6, 4))
    for row in range(6):
        for column in range(4):
            y, x = 4 * row + 1.5, 3 * column + 1.0
            expected = sum(
                math.exp(-((x - px) ** 2 + (y - py) ** 2) / (2 * 2.5**2)) for px, py in points[0, :2].tolist()
            )
            assert weights[0, row, column].item() == pytest.approx(expected, rel=1e-5)


def test_what_is_absent_may_hold_anything():
    points = torch.tensor([[[3.0, 4.0], [float("nan"), float("inf")]]])
    present = torch.tensor([[True, False]])
    expected = gaussian_weights(points[:, :1], present[:, :1], 2.0, SIZE, (6, 4))
    assert_close(gaussian_weights(points, present, 2.0, SIZE, (6, 4)), expected)
    assert_close(bounding_box(points, present, 1.0), torch.tensor([[2.0, 3.0, 4.0, 5.0]]))


def test_found_is_marked_and_on_the_image():
    places = [
        (5, 5, 2),
        (5, 5, 1),
        (5, 5, 0),
        (-0.6, 5, 2),
        (11.5, 23.5, 2),
        (11.6, 5, 2),
        (5, 24, 2),
        (math.nan, 5, 2),
    ]
    marked = found(torch.tensor([places]), SIZE)
    assert marked.tolist() == [[True, True, False, False, True, False, False, False]]

"""Parsing loss against loops over places; area averages against pooling."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional
from torch.testing import assert_close

from reid_search.errors import StudyError
from reid_search.losses import Targets
from reid_search.losses.parsing.loss import area_average

LABELS = torch.zeros(3, dtype=torch.long)


def test_agrees_with_loops_over_places(make_maps, make_loss, make_targets):
    """Cells of 4 × 4 pixels; the class of no part is the background, which stands first."""
    taps, targets = make_maps((5, 4, 2)), make_targets(LABELS)
    logits = torch.randn(3, 5, 4, 2, generator=torch.Generator().manual_seed(1))
    total = 0.0
    for image in range(3):
        for row in range(4):
            for column in range(2):
                cell = targets.maps[image, :, 4 * row : 4 * row + 4, 4 * column : 4 * column + 4].double()
                parts = cell.mean((1, 2)).tolist()
                values = logits[image, :, row, column].double().tolist()
                whole = math.log(sum(math.exp(value) for value in values))
                shares = [1 - sum(parts), *parts]
                total += sum(share * (whole - value) for share, value in zip(shares, values, strict=True))
    value = make_loss({"kind": "parsing"}, taps)({taps[0].key: logits}, targets)
    assert value.item() == pytest.approx(total / (3 * 4 * 2), rel=1e-5)


@pytest.mark.parametrize("part", range(5))
def test_is_least_where_the_logits_are_right(part, make_maps, make_loss):
    """An image of one part (or of background, 0) everywhere: sure logits cost nothing, and chance costs log 5."""
    taps = make_maps((5, 3, 2))
    maps = torch.zeros(2, 5, 16, 8)
    maps[:, part] = 1
    loss, targets = make_loss({"kind": "parsing"}, taps), Targets(LABELS[:2], maps=maps[:, 1:])
    logits = torch.zeros(2, 5, 3, 2)
    assert loss({taps[0].key: logits}, targets).item() == pytest.approx(math.log(5), rel=1e-5)
    logits[:, part] = 30
    assert loss({taps[0].key: logits}, targets).item() == pytest.approx(0, abs=1e-5)


@pytest.mark.parametrize(("size", "grid"), [((16, 8), (4, 2)), ((16, 8), (16, 8)), ((12, 9), (1, 1)), ((6, 4), (6, 2))])
def test_average_over_whole_cells_is_pooling(size, grid):
    maps = torch.rand(2, 4, *size)
    assert_close(area_average(maps, grid), functional.adaptive_avg_pool2d(maps, grid))


@pytest.mark.parametrize(("size", "grid"), [((16, 8), (6, 3)), ((7, 5), (3, 4)), ((4, 2), (6, 3)), ((5, 5), (7, 7))])
def test_average_over_broken_cells_is_pooling_of_finer_pixels(size, grid):
    """Each pixel cut into as many as the grid has cells, so that cells are whole numbers of them."""
    maps = torch.rand(2, 4, *size)
    fine = maps.repeat_interleave(grid[0], 2).repeat_interleave(grid[1], 3)
    assert_close(area_average(maps, grid), functional.avg_pool2d(fine, size))


@settings(deadline=None, max_examples=50)
@given(*[st.integers(1, 40)] * 4, st.integers(0, 2**32 - 1))
def test_averages_keep_the_mean_and_stay_within_bounds(height, width, rows, columns, seed):
    maps = torch.rand(1, 1, height, width, generator=torch.Generator().manual_seed(seed))
    averages = area_average(maps, (rows, columns))
    assert averages.mean().item() == pytest.approx(maps.mean().item(), rel=1e-4)
    assert maps.min() - 1e-5 <= averages.min()
    assert averages.max() <= maps.max() + 1e-5


@pytest.mark.parametrize("shape", [(4, 6, 3), (20, 6, 3), (5,)])
def test_maps_of_other_channels_are_refused(shape, make_maps, make_loss):
    with pytest.raises(
        StudyError, match=r"s1\.map@coarse.*expected \[5, height, width\]: 5 channels, background, head"
    ):
        make_loss({"kind": "parsing"}, make_maps(shape))

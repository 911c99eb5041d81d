"""Heat map loss against loops over cells."""

import math

import pytest
import torch
from torch.testing import assert_close

from reid_search.errors import StudyError
from reid_search.losses import Targets
from reid_search.losses.heatmap.loss import gaussians
from reid_search.models.model import Batch

LABELS = torch.zeros(3, dtype=torch.long)


@pytest.mark.parametrize("sigma", [0.5, 1.0, 2.0])
def test_agrees_with_loops_over_cells(sigma, make_maps, make_loss, make_targets):
    """Images of 16 × 8 on a grid of 4 × 2: the centre of cell i is at pixel 4 i + 1.5."""
    taps, targets = make_maps((17, 4, 2)), make_targets(LABELS)
    heights = torch.randn(3, 17, 4, 2, generator=torch.Generator().manual_seed(1))
    total, present = 0.0, 0
    for image in range(3):
        for place, (x, y, visible) in enumerate(targets.keypoints[image].tolist()):
            present += visible > 0
            for row in range(4):
                for column in range(2):
                    away = ((4 * row + 1.5 - y) / 4) ** 2 + ((4 * column + 1.5 - x) / 4) ** 2
                    error = heights[image, place, row, column].item() - math.exp(-away / (2 * sigma**2))
                    total += (visible > 0) * error**2 / 8
    assert 0 < present < 3 * 17
    value = make_loss({"kind": "heatmap", "sigma": sigma}, taps)({taps[0].key: heights}, targets)
    assert value.item() == pytest.approx(total / present, rel=1e-5)


def test_peaks_stand_where_the_keypoints_are():
    """A grid as fine as the image, and one of half its size whose cells' centres lie between pixels."""
    places = torch.tensor([[[3.0, 10.0], [0.0, 0.0], [7.0, 15.0]]])
    fine = gaussians(places, (16, 8), (16, 8), 1.0)
    assert [divmod(int(map_.argmax()), 8) for map_ in fine[0]] == [(10, 3), (0, 0), (15, 7)]
    assert_close(fine.amax((2, 3)), torch.ones(1, 3))
    between = gaussians(torch.tensor([[[2.5, 6.5]]]), (16, 8), (8, 4), 1.0)
    assert divmod(int(between[0, 0].argmax()), 4) == (3, 1)
    assert between.max().item() == pytest.approx(1)


def test_maps_turn_with_the_image(make_maps, make_loss, make_targets):
    """A mirrored image has the mirrored maps of the keypoints that changed sides."""
    taps, targets = make_maps((17, 4, 3)), make_targets(LABELS)
    mirrored = Batch(torch.zeros(3, 3, 16, 8), keypoints=targets.keypoints).mirrored().keypoints
    exchanged = [0, *(place + (1 if place % 2 else -1) for place in range(1, 17))]
    heights = torch.randn(3, 17, 4, 3)
    loss = make_loss({"kind": "heatmap"}, taps)
    value = loss({taps[0].key: heights[:, exchanged].flip(3)}, Targets(LABELS, keypoints=mirrored, image_size=(16, 8)))
    assert_close(value, loss({taps[0].key: heights}, targets))


def test_absent_keypoints_leave_their_maps_alone(make_maps, make_loss):
    """Whatever stands where the place of an absent keypoint would; an occluded one counts as a visible one does."""
    taps = make_maps((17, 4, 2))
    keypoints = torch.full((1, 17, 3), torch.nan)
    keypoints[..., 2] = 0
    keypoints[0, 3] = torch.tensor([4.0, 9.0, 1.0])
    heights = torch.randn(1, 17, 4, 2, requires_grad=True)
    loss = make_loss({"kind": "heatmap"}, taps)
    loss({taps[0].key: heights}, Targets(LABELS[:1], keypoints=keypoints, image_size=(16, 8))).backward()
    assert heights.grad.abs().sum((0, 2, 3)).nonzero().flatten().tolist() == [3]
    keypoints[..., 2] = 0
    nothing = loss({taps[0].key: heights}, Targets(LABELS[:1], keypoints=keypoints, image_size=(16, 8)))
    nothing.backward()
    assert nothing.item() == 0


def test_right_maps_cost_nothing(make_maps, make_loss, make_targets):
    taps, targets = make_maps((17, 4, 2)), make_targets(LABELS)
    wanted = gaussians(targets.keypoints[..., :2], (16, 8), (4, 2), 1.0)
    loss = make_loss({"kind": "heatmap"}, taps)
    assert loss({taps[0].key: wanted}, targets).item() == pytest.approx(0, abs=1e-10)
    assert loss({taps[0].key: wanted.roll(1, 2)}, targets).item() > 0.01


def test_keypoints_without_the_size_of_the_image_are_refused(make_maps, make_loss):
    taps = make_maps((17, 4, 2))
    targets = Targets(LABELS, keypoints=torch.zeros(3, 17, 3))
    with pytest.raises(ValueError, match="image_size"):
        make_loss({"kind": "heatmap"}, taps)({taps[0].key: torch.zeros(3, 17, 4, 2)}, targets)


@pytest.mark.parametrize("shape", [(14, 6, 3), (5, 6, 3), (17,)])
def test_maps_of_other_channels_are_refused(shape, make_maps, make_loss):
    with pytest.raises(StudyError, match=r"s1\.map@coarse.*expected \[17, height, width\]"):
        make_loss({"kind": "heatmap"}, make_maps(shape))


@pytest.mark.parametrize("sigma", [0, -1])
def test_sigma_out_of_range_is_refused(sigma, make_config):
    with pytest.raises(ValueError, match="sigma"):
        make_config({"kind": "heatmap", "sigma": sigma})

"""Heat map loss on maps."""

from collections.abc import Sequence

import torch
from torch import Tensor

from reid_search.common.gaussians import bells
from reid_search.losses.heatmap.config import HeatmapConfig
from reid_search.losses.tap_loss import TapLoss
from reid_search.losses.targets import Targets
from reid_search.study import TapSpec


class HeatmapLoss(TapLoss):
    """Squared error of the heat maps of the keypoints present; the mean over cells, keypoints, images and taps.

    A batch without a keypoint has the value 0 and a gradient of 0.
    """

    def __init__(self, config: HeatmapConfig, taps: Sequence[TapSpec], _classes: int) -> None:
        super().__init__(taps)
        self._sigma = config.sigma

    def value(self, _index: int, features: Tensor, targets: Targets) -> Tensor:
        """Return the mean over cells, keypoints and images."""
        if targets.image_size is None:
            raise ValueError("keypoints are in pixels of the image, so Targets.image_size must be given")
        keypoints = targets.need("keypoints").float()
        present = keypoints[..., 2] > 0
        places = torch.where(present[..., None], keypoints[..., :2], 0.0)  # an absent one may hold anything
        wanted = gaussians(places, targets.image_size, features.shape[2:], self._sigma)
        errors = (features - wanted).square().mean((2, 3))
        return (errors * present).sum() / present.sum().clamp(min=1)


def gaussians(places: Tensor, image_size: Sequence[int], size: Sequence[int], sigma: float) -> Tensor:
    """Draw a Gaussian of height 1 around each place, `(B, N, h, w)`, sampled at the centres of the cells.

    Args:
        places: `(B, N, 2)`, x and y in pixels of the image; the centre of the first pixel is (0, 0).
        image_size: Height and width of the image in pixels.
        size: Rows h and columns w of the grid.
        sigma: Standard deviation in cells of the grid.
    """
    columns = _profile(places[..., 0], image_size[1], size[1], sigma)
    rows = _profile(places[..., 1], image_size[0], size[0], sigma)
    return rows[..., :, None] * columns[..., None, :]


def _profile(coordinates: Tensor, pixels: int, cells: int, sigma: float) -> Tensor:
    centres = (coordinates + 0.5) * cells / pixels - 0.5
    return bells(centres, torch.arange(cells, device=coordinates.device), sigma)


build = HeatmapLoss

"""The weights of body regions, computed from keypoints."""

import torch
from torch import Tensor

from reid_search.models.landmarks.config import LandmarksConfig
from reid_search.models.landmarks.skeleton import Region, regions_of
from reid_search.models.layers.precision import full_precision
from reid_search.models.layers.regions import bounding_box, box_weights, found, gaussian_weights, stripe_weights
from reid_search.models.layers.resize import Size


def region_weights(keypoints: Tensor, config: LandmarksConfig, image_size: Size, grid: Size) -> Tensor:
    """Return each region's weights of cells, `(B, K, *grid)`, at least 0 and not all 0, from keypoints `(B, 17, 3)`."""
    with full_precision(keypoints):
        keypoints = keypoints.float()
        present = found(keypoints, image_size)
        weights = []
        for region in regions_of(config.regions):
            own = _weights(keypoints, present, region, config, image_size, grid)
            stripe = stripe_weights(*region.stripe, grid, keypoints)
            is_found = torch.stack([present[:, list(group)].any(dim=1) for group in region.needed]).all(dim=0)
            weights.append(torch.where(is_found[:, None, None], own, stripe))
        return torch.stack(weights, dim=1)


def _weights(
    keypoints: Tensor, present: Tensor, region: Region, config: LandmarksConfig, image_size: Size, grid: Size
) -> Tensor:
    members = list(region.members)
    points, there = keypoints[:, members, :2], present[:, members]
    if config.regions in ("boxes", "limbs"):
        return box_weights(bounding_box(points, there, config.margin * image_size[0]), image_size, grid)
    if config.regions == "joints":
        points, there = _middle(points, there)
    half_a_cell = max(image_size[0] / grid[0], image_size[1] / grid[1]) / 2
    sigma = max(config.sigma * image_size[0], half_a_cell)
    return gaussian_weights(points, there, sigma, image_size, grid)


def _middle(points: Tensor, present: Tensor) -> tuple[Tensor, Tensor]:
    """Return the mean of the points that are present, as one point `(B, 1, 2)`."""
    factors = present[:, :, None].to(points.dtype)
    total = torch.where(present[:, :, None], points, 0).sum(dim=1, keepdim=True)
    return total / factors.sum(dim=1, keepdim=True).clamp(min=1), present.any(dim=1, keepdim=True)

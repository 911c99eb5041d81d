"""Random changes to training images: drawn first, applied afterwards, so that everything of an image changes alike."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from reid_search.study.training import AugmentConfig

Pixels = npt.NDArray[np.uint8]
Integers = npt.NDArray[np.int64]

MEAN_PIXEL = (124, 116, 104)
"""The mean of ImageNet in 8-bit RGB, which erased rectangles are filled with."""

_ERASED_AREA = (0.02, 0.4)
_LOG_ASPECT_RATIO = (math.log(0.3), math.log(3.3))
_ATTEMPTS = 20


@dataclass(frozen=True)
class Transforms:
    """What happens to each of B images, in this order: mirrored, shifted, erased.

    Attributes:
        flip: `(B,)`: mirrored.
        shift: `(B, 2)`: pixels by which the image moves down and right; black comes in.
        erased: `(B, 4)`: top, left, height and width of the erased rectangle; height 0 erases nothing.
    """

    flip: npt.NDArray[np.bool_]
    shift: Integers
    erased: Integers


def draw_transforms(
    count: int, image_size: tuple[int, int], config: AugmentConfig, generator: np.random.Generator
) -> Transforms:
    """Draw what happens to each image of a batch.

    Args:
        count: B, images in the batch.
        image_size: Height and width in pixels.
        config: How often and how much.
        generator: Where the draws come from; the same number of draws whatever the config.
    """
    height, width = image_size
    flip = generator.random(count) < config.flip
    reach = np.array([round(config.pad_crop * height), round(config.pad_crop * width)])
    shift = np.floor(generator.random((count, 2)) * (2 * reach + 1)).astype(np.int64) - reach
    erased = _rectangles(count, image_size, generator)
    erased[generator.random(count) >= config.erase] = 0
    return Transforms(flip, shift, erased)


def transform_images(images: Pixels, transforms: Transforms) -> Pixels:
    """Return the changed images.

    Args:
        images: `(B, H, W, 3)`; stays as it is.
        transforms: What happens to each.
    """
    changed = np.where(transforms.flip[:, None, None, None], images[:, :, ::-1], images)
    if transforms.shift.any():
        changed = _shifted(changed, transforms.shift)
    for image, (top, left, height, width) in zip(changed, transforms.erased, strict=True):
        image[top : top + height, left : left + width] = MEAN_PIXEL
    return changed


def _shifted(images: Pixels, shift: Integers) -> Pixels:
    count, height, width, _ = images.shape
    rows = np.arange(height)[None, :] - shift[:, :1]
    columns = np.arange(width)[None, :] - shift[:, 1:]
    inside = ((rows >= 0) & (rows < height))[:, :, None] & ((columns >= 0) & (columns < width))[:, None, :]
    batch = np.arange(count)[:, None, None]
    moved = images[batch, rows.clip(0, height - 1)[:, :, None], columns.clip(0, width - 1)[:, None, :]]
    return np.where(inside[..., None], moved, np.uint8(0))


def _rectangles(count: int, image_size: tuple[int, int], generator: np.random.Generator) -> Integers:
    """Draw a rectangle for each image as Zhong et al. 2020 (section 3) do: area and aspect ratio until it fits.

    The first of a fixed number of attempts is taken that fits, so that an image's draws do not depend on another's.
    """
    height, width = image_size
    area = generator.uniform(*_ERASED_AREA, (count, _ATTEMPTS)) * height * width
    ratio = np.exp(generator.uniform(*_LOG_ASPECT_RATIO, (count, _ATTEMPTS)))
    heights = np.round(np.sqrt(area * ratio)).astype(np.int64)
    widths = np.round(np.sqrt(area / ratio)).astype(np.int64)
    fits = (heights < height) & (widths < width) & (heights > 0) & (widths > 0)
    first = fits.argmax(axis=1)
    each = np.arange(count)
    chosen_height, chosen_width = heights[each, first] * fits.any(axis=1), widths[each, first]
    place = generator.random((count, 2))
    top = np.floor(place[:, 0] * (height - chosen_height + 1)).astype(np.int64)
    left = np.floor(place[:, 1] * (width - chosen_width + 1)).astype(np.int64)
    return np.stack([top, left, chosen_height, chosen_width], axis=1)

"""Random changes to training images: drawn first, then applied to an image and its side-cars alike."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from reid_search.common.arrays import Integers
from reid_search.data.decoding import MEAN_PIXEL
from reid_search.data.samples import Keypoints, Pixels, Samples
from reid_search.study.trial.normalization import Normalization
from reid_search.study.trial.side_cars import MIRRORED_KEYPOINTS
from reid_search.study.trial.training import AugmentConfig, ErasingConfig

_ATTEMPTS = 20

Fill = Callable[[int, tuple[int, int]], npt.ArrayLike]
"""What an image's erased rectangle of some height and width shows, `(height, width, 3)` or one pixel."""


@dataclass(frozen=True)
class Transforms:
    """How each of B images changes, in this order: mirrored, shifted, cut, erased.

    Attributes:
        flip: `(B,)`: mirrored.
        shift: `(B, 2)`: pixels by which the image moves down and right; black comes in.
        erased: `(B, 4)`: top, left, height and width of the erased rectangle; height 0 erases nothing.
        size: Height and width to which they are cut at the lower right; None leaves them whole.
    """

    flip: npt.NDArray[np.bool_]
    shift: Integers
    erased: Integers
    size: tuple[int, int] | None = None


def draw_transforms(
    count: int, image_size: tuple[int, int], config: AugmentConfig, generator: np.random.Generator
) -> Transforms:
    """Draw the changes of the `count` images of a batch; every config makes the same number of draws."""
    height, width = image_size
    flip = generator.random(count) < config.flip
    if config.crop is not None:
        room = np.array([height, width]) - config.crop
        shift = -np.floor(generator.random((count, 2)) * (room + 1)).astype(np.int64)
        return Transforms(flip, shift, _erased(count, config.crop, config, generator), config.crop)
    shares = np.array([round(config.pad_crop * height), round(config.pad_crop * width)])
    reach = np.array([config.pad, config.pad]) if config.pad else shares
    shift = np.floor(generator.random((count, 2)) * (2 * reach + 1)).astype(np.int64) - reach
    return Transforms(flip, shift, _erased(count, image_size, config, generator))


def filling(
    transforms: Transforms, config: ErasingConfig, normalization: Normalization, generator: np.random.Generator
) -> Fill:
    """Return what fills the erased rectangles of a batch; `noise` alone draws from the generator."""
    if config.fill == "noise":
        mean, deviation = (255 * np.array(values) for values in (normalization.mean, normalization.std))
        sizes = transforms.erased[:, 2:]
        drawn = [generator.normal(mean, deviation, (*size, 3)).round().clip(0, 255).astype(np.uint8) for size in sizes]
        return lambda index, _: drawn[index]
    named = {"mean": normalization.mean_pixel, "black": (0, 0, 0)}
    pixel = named[config.fill] if isinstance(config.fill, str) else config.fill
    return lambda *_: pixel


def transform(samples: Samples, transforms: Transforms, fill: Fill = lambda *_: MEAN_PIXEL) -> Samples:
    """Return changed copies of images and their side-cars.

    Args:
        samples: The images.
        transforms: How each changes.
        fill: What erased rectangles show, in 8-bit RGB.

    An erased area is background; a keypoint in it counts as occluded, and one that was shifted out as absent.
    """
    pixels = _mirrored(samples.pixels, transforms.flip)
    maps, keypoints = samples.maps, samples.keypoints
    if maps is not None:
        maps = _mirrored(maps.transpose(0, 2, 3, 1), transforms.flip)
    if transforms.shift.any():
        pixels = _shifted(pixels, transforms.shift)
        maps = None if maps is None else _shifted(maps, transforms.shift)
    if transforms.size is not None:
        height, width = transforms.size
        pixels = pixels[:, :height, :width].copy()
        maps = None if maps is None else maps[:, :height, :width].copy()
    for index, (top, left, height, width) in enumerate(transforms.erased):
        pixels[index, top : top + height, left : left + width] = fill(index, (height, width))
        if maps is not None:
            maps[index, top : top + height, left : left + width] = 0
    return Samples(
        pixels,
        None if maps is None else maps.transpose(0, 3, 1, 2),
        None if keypoints is None else _moved(keypoints, transforms, samples.pixels.shape[2], pixels.shape[1:3]),
        samples.attributes,
    )


def auto_augmented(
    pixels: Pixels,
    config: AugmentConfig,
    generator: np.random.Generator,
    fill: tuple[int, int, int] = MEAN_PIXEL,
) -> Pixels:
    """Return images `(B, H, W, 3)`, each changed with probability `config.auto` by AutoAugment's ImageNet policy."""
    chosen = np.flatnonzero(generator.random(len(pixels)) < config.auto)
    seed = int(generator.integers(2**62))
    if not chosen.size:
        return pixels
    import torch
    from torchvision.transforms import AutoAugment, AutoAugmentPolicy

    policy = AutoAugment(AutoAugmentPolicy.IMAGENET, fill=list(fill))
    changed = pixels.copy()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        for index in chosen:
            image = torch.from_numpy(changed[index]).permute(2, 0, 1)
            changed[index] = policy(image).permute(1, 2, 0).numpy()
    return changed


def _mirrored(images: npt.NDArray[np.uint8], flip: npt.NDArray[np.bool_]) -> npt.NDArray[np.uint8]:
    return np.where(flip[:, None, None, None], images[:, :, ::-1], images)


def _moved(keypoints: Keypoints, transforms: Transforms, whole: int, image_size: tuple[int, ...]) -> Keypoints:
    """Return keypoints as the images moved; `whole` is the width of the images before, `image_size` that after."""
    height, width = image_size
    mirrored = keypoints[:, list(MIRRORED_KEYPOINTS)]
    mirrored[..., 0] = whole - 1 - mirrored[..., 0]
    moved = np.where(transforms.flip[:, None, None], mirrored, keypoints)
    moved[..., :2] += transforms.shift[:, None, ::-1]
    x, y, visibility = np.moveaxis(moved, 2, 0)
    top, left, tall, wide = transforms.erased.T[:, :, None]
    erased = (y >= top) & (y < top + tall) & (x >= left) & (x < left + wide)
    inside = (x >= -0.5) & (x <= width - 0.5) & (y >= -0.5) & (y <= height - 0.5)
    seen = np.where(erased, np.minimum(visibility, 1), visibility) * inside
    return np.stack([x * (seen > 0), y * (seen > 0), seen], axis=2).astype(np.float32)


def _shifted(images: npt.NDArray[np.uint8], shift: Integers) -> npt.NDArray[np.uint8]:
    count, height, width, _ = images.shape
    rows = np.arange(height)[None, :] - shift[:, :1]
    columns = np.arange(width)[None, :] - shift[:, 1:]
    inside = ((rows >= 0) & (rows < height))[:, :, None] & ((columns >= 0) & (columns < width))[:, None, :]
    batch = np.arange(count)[:, None, None]
    moved = images[batch, rows.clip(0, height - 1)[:, :, None], columns.clip(0, width - 1)[:, None, :]]
    return np.where(inside[..., None], moved, np.uint8(0))


def _erased(count: int, image_size: tuple[int, int], config: AugmentConfig, generator: np.random.Generator) -> Integers:
    erased = _rectangles(count, image_size, config.erasing, generator)
    erased[generator.random(count) >= config.erase] = 0
    return erased


def _rectangles(
    count: int, image_size: tuple[int, int], config: ErasingConfig, generator: np.random.Generator
) -> Integers:
    """Draw a rectangle for each image as Zhong et al. 2020 (section 3) do: area and aspect ratio until it fits.

    The number of attempts is fixed and the first that fits counts, so that no image's draws depend on another's.
    """
    height, width = image_size
    area = generator.uniform(*config.area, (count, _ATTEMPTS)) * height * width
    low, high = config.aspect
    if config.aspect_law == "log":
        ratio = np.exp(generator.uniform(math.log(low), math.log(high), (count, _ATTEMPTS)))
    else:
        ratio = generator.uniform(low, high, (count, _ATTEMPTS))
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

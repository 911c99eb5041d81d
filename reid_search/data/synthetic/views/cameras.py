"""From a scene to the levels of a camera: light, lens, the camera's colours, then grain.

Cameras are drawn, never fixed, so that nothing can learn them by heart. Those of a data set differ in every respect:
what tells them apart most (tint, gamma, saturation) is spread evenly over its range, in an order of its own.
"""

import math
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter

from reid_search.data.synthetic.views.boxes import FITTING, Box
from reid_search.data.synthetic.views.scenes import HEIGHT, WIDTH, Light

Levels = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]

_LUMA = np.array([0.299, 0.587, 0.114])
_LEAST_BLUR = 0.35
_FINE_LEVELS = 2**12
_SPREAD_OF_TWO_BYTES = math.sqrt((256**2 - 1) / 6)
_TINT, _GAIN, _CROSS_TALK = 0.4, 0.25, 0.05
_LEAST_GAMMA, _MOST_GAMMA, _MOST_LIFT = math.log(0.75), math.log(1.45), 0.12
_LEAST_SATURATION, _MOST_SATURATION = 0.65, 1.3


@dataclass(frozen=True)
class Camera:
    """What a camera makes of a scene.

    Attributes:
        matrix: Rows give red, green and blue as sums of the scene's; gains, saturation and cross-talk are in it.
        gamma: Power of the levels in [0, 1]; above 1 darker.
        lift: Level of black in [0, 1].
        vignetting: Share of the light that is missing in the corners of its picture.
        blur: Standard deviation in pixels.
        noise: Standard deviation of the grain in levels of 255.
        resolution: Pixels that it has for each pixel of the image, at most 1.
        quality: Quality of its JPEGs, 0 to 100.
    """

    matrix: tuple[tuple[float, ...], ...]
    gamma: float
    lift: float
    vignetting: float
    blur: float
    noise: float
    resolution: float
    quality: int


PLAIN = Camera(((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)), 1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 90)
"""A camera that changes nothing."""


def sample_cameras(generator: np.random.Generator, count: int, cast: float, optics: float) -> tuple[Camera, ...]:
    """Draw the cameras of a data set.

    Args:
        generator: Source of the random numbers.
        count: How many.
        cast: Strength of their colours, 0 (all see the same) to 1.
        optics: Strength of vignetting, blur, grain, resolution and compression, 0 to 1.
    """
    tint, gamma, saturation, gain, sharpness, clarity = (_spread(generator, count) for _ in range(6))
    return tuple(
        Camera(
            matrix=_matrix(generator, 2.0 * math.pi * tint[at], saturation[at], gain[at], cast),
            gamma=math.exp(cast * (_LEAST_GAMMA + (_MOST_GAMMA - _LEAST_GAMMA) * gamma[at])),
            lift=cast * _MOST_LIFT * float(generator.random()),
            vignetting=optics * 0.5 * float(generator.random()),
            blur=optics * 1.2 * sharpness[at],
            noise=optics * 8.0 * float(generator.random()),
            resolution=1.0 - 0.6 * optics * clarity[at],
            quality=round(PLAIN.quality - optics * 50.0 * float(generator.random())),
        )
        for at in range(count)
    )


def _spread(generator: np.random.Generator, count: int) -> list[float]:
    """Return numbers in [0, 1), one in each of `count` equal cells, in a random order."""
    cells: list[float] = ((generator.permutation(count) + generator.random(count)) / count).tolist()
    return cells


def _matrix(
    generator: np.random.Generator, tint: float, saturation: float, gain: float, cast: float
) -> tuple[tuple[float, ...], ...]:
    """Return what a camera makes of red, green and blue: cross-talk, then saturation, then the gains of its tint."""
    towards = np.cos(tint - np.array([0.0, 2.0, 4.0]) * math.pi / 3.0)
    gains = np.exp(cast * (_TINT * towards + _GAIN * (2.0 * gain - 1.0)))
    kept = 1.0 + cast * (_LEAST_SATURATION + (_MOST_SATURATION - _LEAST_SATURATION) * saturation - 1.0)
    mixed = np.eye(3) + cast * _CROSS_TALK * generator.standard_normal((3, 3))
    mixed /= mixed.sum(axis=1, keepdims=True)
    matrix = gains[:, None] * ((kept * np.eye(3) + (1.0 - kept) * _LUMA) @ mixed)
    return tuple(tuple(row) for row in matrix.tolist())


def lit(image: Floats, light: Light, box: Box = FITTING, vignetting: float = 0.0, pan: float = 0.5) -> Floats:
    """Return an image `(H, W, 3)` in [0, 1] in the light of its scene; `box` says which part of the scene it shows.

    `vignetting` is the share of the light that is missing in the corners of the camera's picture, in which the scene
    stands at `pan`, 0 (left) to 1 (right).
    """
    height, width = image.shape[:2]
    across = _from_edge_to_edge(width, box.left / WIDTH, box.scale)
    down = _from_edge_to_edge(height, box.top / HEIGHT, box.scale)[:, None]
    across_slope, down_slope = (np.float32(slope) for slope in light.slope)
    field = (np.float32(1.0) + across_slope * across) * (np.float32(1.0) + down_slope * down)
    if light.shadow:
        field[_shade(across, down, light.shadow_from)] *= np.float32(1.0 - light.shadow)
    if vignetting:
        aside, above = np.float32(2.0 * pan - 1.0) + across / np.float32(7.0), down / np.float32(2.0)
        field *= np.float32(1.0) - np.float32(vignetting / 1.25) * (aside**2 + above**2)
    np.maximum(field, np.float32(0.05), out=field)
    factors: Floats = np.array(light.tint, dtype=np.float32) * np.float32(light.exposure)
    return image * field[:, :, None] * factors


def _from_edge_to_edge(count: int, start: float, scale: float) -> Floats:
    """Return the places of pixels in their scene, whose edges are at -1 and 1."""
    places: Floats = np.arange(count, dtype=np.float32) / np.float32((count - 1) * scale)
    return np.float32(2.0) * (np.float32(start) + places) - np.float32(1.0)


def _shade(across: Floats, down: Floats, begins: float) -> npt.NDArray[np.bool_]:
    edge = np.float32(2.0 * abs(begins) - 1.0)
    leaning = np.float32(0.3) * down
    return across + leaning > edge if begins > 0 else across - leaning < -edge


def seen_by(image: Floats, camera: Camera) -> Levels:
    """Return a lit image `(H, W, 3)`, at least 0, in the colours of a camera."""
    scene: Floats = image @ np.array(camera.matrix, dtype=np.float32).T
    np.minimum(np.maximum(scene, np.float32(0.0), out=scene), np.float32(1.0), out=scene)
    scene *= np.float32(_FINE_LEVELS)
    levels: Levels = _curve(camera.gamma, camera.lift)[scene.astype(np.uint16)]
    return levels


@cache
def _curve(gamma: float, lift: float) -> Levels:
    """Return the level that a camera gives to each of `_FINE_LEVELS` + 1 levels of a scene."""
    scene = np.linspace(0.0, 1.0, _FINE_LEVELS + 1)
    return np.rint(255.0 * (scene**gamma * (1.0 - lift) + lift)).astype(np.uint8)


def focused(levels: Levels, blur: float, resolution: float) -> Levels:
    """Return an image `(H, W, 3)` as blurred and as coarse as a lens and a sensor make it.

    Args:
        levels: What the camera looks at.
        blur: Standard deviation in pixels.
        resolution: Pixels of the sensor for each pixel of the image, at most 1.
    """
    picture = Image.fromarray(levels)
    if blur >= _LEAST_BLUR:
        picture = picture.filter(ImageFilter.GaussianBlur(blur))
    if resolution < 1.0:
        size = round(picture.width * resolution), round(picture.height * resolution)
        picture = picture.resize(size, Image.Resampling.BOX).resize(picture.size, Image.Resampling.BILINEAR)
    return np.asarray(picture)


def grained(levels: Levels, noise: float, generator: np.random.Generator) -> Levels:
    """Return an image `(H, W, 3)` with grain of a standard deviation in levels of 255.

    Grain is the difference of two random bytes, which are drawn faster than a normal value and look the same.
    """
    if not noise:
        return levels
    dice = np.frombuffer(generator.bytes(2 * levels.size), np.uint8).reshape(2, *levels.shape)
    grain = dice[0].astype(np.float32)
    grain -= dice[1]
    grain *= np.float32(noise / _SPREAD_OF_TWO_BYTES)
    grain += levels
    np.rint(grain, out=grain)
    np.minimum(np.maximum(grain, np.float32(0.0), out=grain), np.float32(255.0), out=grain)
    result: Levels = grain.astype(np.uint8)
    return result

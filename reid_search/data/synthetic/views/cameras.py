"""From a scene to the levels of a camera: light, then the camera's colours, then grain."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from reid_search.data.synthetic.views.boxes import FITTING, Box
from reid_search.data.synthetic.views.scenes import HEIGHT, WIDTH, Light

Levels = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]

_LUMA = np.array([0.299, 0.587, 0.114], dtype=np.float32)


@dataclass(frozen=True)
class Cast:
    """A camera's colours.

    Attributes:
        gains: Factors of red, green and blue.
        saturation: 0 grey, 1 as it is, above 1 more colourful.
        gamma: Power of the levels in [0, 1]; above 1 darker.
        lift: Level of black in [0, 1].
    """

    gains: tuple[float, float, float]
    saturation: float
    gamma: float
    lift: float


CASTS: tuple[Cast, ...] = (
    Cast((1.28, 1.00, 0.62), 1.05, 0.95, 0.00),
    Cast((0.66, 0.94, 1.34), 0.85, 1.10, 0.02),
    Cast((0.80, 1.22, 0.74), 0.95, 0.85, 0.04),
    Cast((1.12, 0.72, 1.06), 0.80, 1.55, 0.00),
    Cast((1.02, 0.98, 0.92), 0.40, 0.70, 0.14),
    Cast((1.42, 1.22, 0.86), 1.35, 1.05, 0.00),
)


def lit(image: Floats, light: Light, box: Box = FITTING) -> Floats:
    """Return an image `(H, W, 3)` in [0, 1] in the light of its scene; `box` says which part of the scene it shows."""
    height, width = image.shape[:2]
    across = _from_edge_to_edge(width, box.left / WIDTH, box.scale)
    down = _from_edge_to_edge(height, box.top / HEIGHT, box.scale)[:, None]
    across_slope, down_slope = (np.float32(slope) for slope in light.slope)
    field = (np.float32(1.0) + across_slope * across) * (np.float32(1.0) + down_slope * down)
    if light.shadow:
        field[_shade(across, down, light.shadow_from)] *= np.float32(1.0 - light.shadow)
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


def seen_by(image: Floats, cast: Cast, strength: float) -> Floats:
    """Return a lit image `(H, W, 3)`, at least 0, in the colours of a camera, applied with a strength from 0 to 1."""
    gains = 1.0 + strength * (np.array(cast.gains, dtype=np.float32) - 1.0)
    saturation = 1.0 + strength * (cast.saturation - 1.0)
    mixing: Floats = ((saturation * np.eye(3) + (1.0 - saturation) * _LUMA) * gains[:, None]).T.astype(np.float32)
    levels: Floats = np.minimum(np.maximum(image @ mixing, np.float32(0.0)), np.float32(1.0))
    lift = np.float32(strength * cast.lift)
    return np.power(levels, np.float32(cast.gamma**strength)) * (np.float32(1.0) - lift) + lift


def grained(image: Floats, noise: float, generator: np.random.Generator) -> Levels:
    """Return an image `(H, W, 3)` in [0, 1] as levels with grain, whose standard deviation is in levels of 255."""
    levels = image * np.float32(255.0)
    if noise:
        levels += np.float32(noise) * generator.standard_normal(image.shape, dtype=np.float32)
    np.rint(levels, out=levels)
    np.minimum(np.maximum(levels, np.float32(0.0), out=levels), np.float32(255.0), out=levels)
    return levels.astype(np.uint8)

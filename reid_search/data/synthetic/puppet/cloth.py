"""Cloth: what is woven into it, and the folds that a pose lays over it, painted over the flat colours of a puppet.

Both are waves over the scene. A weave is the person's; where its threads lie differs from image to image. Folds are the
image's, and get deeper as somebody strides out, so that no cloth has one colour that an image shows as it is.
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from reid_search.data.synthetic.people.person import Colour, Person, Weave
from reid_search.data.synthetic.puppet.body import Pose
from reid_search.data.synthetic.puppet.drawing import Owner, Part
from reid_search.data.synthetic.views.boxes import Box

Floats = npt.NDArray[np.float32]
Codes = npt.NDArray[np.uint8]

_DEPTH = 0.5
_SHARE_OF_FOLDS = 1 / 3


@dataclass(frozen=True)
class Wave:
    """A wave over the scene: its period in pixels, its direction and its phase in radians."""

    period: float
    angle: float
    phase: float


@dataclass(frozen=True)
class Folds:
    """How cloth lies in an image.

    Attributes:
        depth: How much darker and lighter it makes the cloth, as a share of its brightness.
        waves: The folds.
        threads: Phases of the weaves above and below the waist.
    """

    depth: float
    waves: tuple[Wave, ...]
    threads: tuple[float, float]


def sample_folds(generator: np.random.Generator, strength: float, pose: Pose) -> Folds:
    """Draw how cloth lies on somebody in a pose, with folds of a strength from 0 to 1."""
    periods, turns, phases = generator.uniform(9.0, 30.0, 3), generator.normal(0.0, 0.5, 3), generator.uniform(size=3)
    leaning = 0.5 * math.pi + 0.6 * math.sin(pose.phase) * math.cos(pose.yaw)
    waves = zip(periods.tolist(), turns.tolist(), phases.tolist(), strict=True)
    threads = generator.uniform(0.0, 2.0 * math.pi, 2).tolist()
    return Folds(
        depth=_DEPTH * strength * (0.6 + pose.stride),
        waves=tuple(Wave(period, leaning + turn, 2.0 * math.pi * phase) for period, turn, phase in waves),
        threads=(threads[0], threads[1]),
    )


def clothed(image: Floats, codes: Codes, person: Person, folds: Folds, box: Box) -> Floats:
    """Return an image `(H, W, 3)` in [0, 1] with weaves and folds where codes `(H, W)` show the person's clothes."""
    parts = np.where(codes >> 4 != Owner.NOBODY, codes & 15, 0)
    above, below = parts == Part.UPPER, parts == Part.LOWER
    rows, columns = _extent(above | below)
    above, below, result = above[rows, columns], below[rows, columns], image.copy()
    shown = result[rows, columns]
    for where, cloth, thread in (
        (above, person.upper, folds.threads[0]),
        (below, person.lower, folds.threads[1]),
    ):
        if cloth.weave.contrast:
            wave = Wave(cloth.weave.period, cloth.weave.angle, thread)
            threads = wave_over(rows, columns, wave, box) * where
            shown += threads[:, :, None] * _between(cloth.colour, cloth.second, cloth.weave)
    if folds.depth:
        shade = sum(wave_over(rows, columns, wave, box) for wave in folds.waves) * (above | below)
        shown *= (np.float32(1.0) + np.float32(folds.depth * _SHARE_OF_FOLDS) * shade)[:, :, None]
    np.maximum(shown, np.float32(0.0), out=shown)
    return result


def _extent(shown: npt.NDArray[np.bool_]) -> tuple[slice, slice]:
    """Return the rows and the columns from the first to the last that show anything."""
    rows, columns = np.flatnonzero(shown.any(axis=1)), np.flatnonzero(shown.any(axis=0))
    if not len(rows):
        return slice(0, 0), slice(0, 0)
    return slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)


def wave_over(rows: slice, columns: slice, wave: Wave, box: Box) -> Floats:
    """Return the values `(H, W)` in [-1, 1] of a wave over the scene, in some rows and columns of what a box shows."""
    step = 2.0 * math.pi / wave.period
    x, y = np.arange(columns.start, columns.stop) + 0.5, np.arange(rows.start, rows.stop) + 0.5
    across = step * math.cos(wave.angle) * (box.left + x / box.scale) + wave.phase
    down = step * math.sin(wave.angle) * (box.top + y / box.scale)
    sides: Floats = np.array([np.cos(down), np.sin(down)], dtype=np.float32)
    return sides.T @ np.array([np.cos(across), -np.sin(across)], dtype=np.float32)


def _between(first: Colour, second: Colour, weave: Weave) -> Floats:
    """Return half the way between two colours of a cloth, as far as its weave goes."""
    return np.float32(weave.contrast / 510.0) * np.subtract(second, first, dtype=np.float32)

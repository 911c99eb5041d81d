"""The box that cuts an image out of a scene.

A scene has the pixels of an image whose box fits. Nuisances move the box and not the scene, so that a labelled and a
detected image are two cuts of the same scene.
"""

import math
from dataclasses import dataclass

import numpy as np

from reid_search.data.synthetic.config import Nuisances
from reid_search.data.synthetic.views.scenes import HEIGHT, WIDTH, Framing


@dataclass(frozen=True)
class Box:
    """Which part of a scene an image shows: left and top edge in scene pixels, and image pixels per scene pixel."""

    left: float = 0.0
    top: float = 0.0
    scale: float = 1.0

    def point(self, x: float, y: float) -> tuple[float, float]:
        """Return where a place of the scene is in the image."""
        return (x - self.left) * self.scale, (y - self.top) * self.scale

    def within(self, inner: "Box") -> "Box":
        """Return the box that cuts what `inner` cuts from the image of this one."""
        return Box(self.left + inner.left / self.scale, self.top + inner.top / self.scale, self.scale * inner.scale)


FITTING = Box()


def fitting(nuisances: Nuisances) -> Nuisances:
    """Return the nuisances with those of the box switched off, as for a labelled data set."""
    names = ("shift", "shift_horizontal", "shift_vertical", "scale", "truncation")
    return nuisances.model_copy(update=dict.fromkeys(names, 0.0))


def sample_box(generator: np.random.Generator, nuisances: Nuisances, framing: Framing) -> Box:
    """Draw the box of an image; the framing `cut` is off by about half of the person."""
    right, down = generator.uniform(-1.0, 1.0, size=2)
    scale = math.exp(generator.uniform(-0.29, 0.26) * nuisances.scale)
    cut_right, cut_down, cut_scale = generator.uniform(-1.0, 1.0, size=3)
    right *= WIDTH * (nuisances.shift / 6 + nuisances.shift_horizontal / 4)
    down *= HEIGHT * (nuisances.shift / 12 + nuisances.shift_vertical / 4)
    if framing == "cut":
        right += math.copysign(0.3 + 0.25 * abs(cut_right), cut_right) * WIDTH
        down += math.copysign(0.2 + 0.25 * abs(cut_down), cut_down) * HEIGHT
        scale *= math.exp(0.45 * cut_scale)
    left, top = WIDTH / 2 - (WIDTH / 2 + right) / scale, HEIGHT / 2 - (HEIGHT / 2 + down) / scale
    return Box(float(left), float(top), float(scale))


def sample_truncation(generator: np.random.Generator, share: float) -> Box:
    """Draw a box that cuts off the feet (in two of three cases) or the head, or most often nothing."""
    happens, at_head, amount = generator.random(3)
    if happens >= share:
        return FITTING
    kept = 0.9 - 0.25 * float(amount)
    return Box(WIDTH * (1.0 - kept) / 2, HEIGHT * (1.0 - kept) if at_head < 1 / 3 else 0.0, 1.0 / kept)

"""Independent random numbers for each thing, so that any of them can be drawn alone and in any order."""

from collections.abc import Sequence
from enum import IntEnum
from typing import TypeVar

import numpy as np

Item = TypeVar("Item")


class Stream(IntEnum):
    """The uses of random numbers; a value never changes, since every image depends on it."""

    PLAN = 0
    PERSON = 1
    SCENE = 2
    IMAGE = 3
    FAMILY = 4
    HAUNT = 5
    BRIDGE = 6
    IDENTITY_LABELS = 7
    MASK_LABELS = 8
    KEYPOINT_LABELS = 9
    ATTRIBUTE_LABELS = 10
    CAMERA = 11


def generator_of(seed: int, stream: Stream, index: int = 0) -> np.random.Generator:
    """Return the generator of the `index`-th thing of a stream."""
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, int(stream), index])))


def pick(generator: np.random.Generator, items: Sequence[Item], weights: Sequence[float] | None = None) -> Item:
    """Return one of the items, with chances in proportion to `weights`."""
    if weights is None:
        return items[int(generator.integers(len(items)))]
    place = generator.random() * sum(weights)
    for item, weight in zip(items, weights, strict=True):
        place -= weight
        if place < 0:
            return item
    return items[-1]

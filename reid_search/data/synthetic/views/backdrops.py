"""Backgrounds: the place of the camera, that of another camera, or a person's haunt."""

from dataclasses import dataclass

import numpy as np

from reid_search.data.synthetic.config import Nuisances
from reid_search.data.synthetic.presets import CAMERAS
from reid_search.data.synthetic.streams import Stream, generator_of

HAUNT_PLACES = 10
PLACES = CAMERAS + HAUNT_PLACES

_STRANGERS = 100_000


@dataclass(frozen=True)
class Backdrop:
    """A spot: the number of a place from 0 (the cameras', then the haunts, then other cameras'), and where, 0 to 1."""

    place: int
    pan: float


def sample_backdrop(
    generator: np.random.Generator, seed: int, camera: int, pan: float, haunted_by: int | None, nuisances: Nuisances
) -> Backdrop:
    """Draw the background of an image: where the camera looks (`pan`), elsewhere, or a haunt.

    The haunt is that of the subject `haunted_by`, or a random one where that is None.
    """
    elsewhere, at_haunt = generator.random(2)
    first = 0 if camera <= CAMERAS else PLACES
    other, stranger = int(generator.integers(CAMERAS)), int(generator.integers(_STRANGERS))
    if at_haunt < nuisances.background_identity:
        haunt = generator_of(seed, Stream.HAUNT, stranger if haunted_by is None else haunted_by)
        return Backdrop(CAMERAS + int(haunt.integers(HAUNT_PLACES)), float(haunt.random()))
    own = first + (camera - 1) % CAMERAS
    return Backdrop(own if elsewhere < nuisances.background_camera else first + other, pan)

"""What is behind people: the place of their camera, that of another one, or a haunt of their own."""

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
    """A spot of a place.

    Attributes:
        place: Number of the place from 0: first those of the cameras, then those of the haunts.
        pan: Where in it, 0 to 1.
    """

    place: int
    pan: float


def haunt_of(seed: int, subject: int) -> Backdrop:
    """Return the spot where somebody is found again and again."""
    generator = generator_of(seed, Stream.HAUNT, subject)
    return Backdrop(CAMERAS + int(generator.integers(HAUNT_PLACES)), float(generator.random()))


def sample_backdrop(
    generator: np.random.Generator, seed: int, camera: int, pan: float, haunted_by: int | None, nuisances: Nuisances
) -> Backdrop:
    """Draw what is behind a person.

    Args:
        generator: Random numbers of this image's backdrop.
        seed: Seed of the data set.
        camera: Number of the camera, from 1.
        pan: Where the camera looks, 0 to 1.
        haunted_by: Whose haunt an image at a haunt shows; anybody's where omitted.
        nuisances: How often the backdrop tells the camera or the person.
    """
    elsewhere, at_haunt = generator.random(2)
    other, stranger = int(generator.integers(CAMERAS)), int(generator.integers(_STRANGERS))
    if at_haunt < nuisances.background_identity:
        return haunt_of(seed, stranger if haunted_by is None else haunted_by)
    return Backdrop(camera - 1 if elsewhere < nuisances.background_camera else other, pan)

"""Rendering one image: who, how seen, drawn, and developed."""

import numpy as np
from PIL import Image, ImageFilter

from reid_search.data.synthetic.cameras import CASTS, grained, lit, seen_by
from reid_search.data.synthetic.clothes import puppet
from reid_search.data.synthetic.config import Nuisances
from reid_search.data.synthetic.drawing import Part, Shape, paint
from reid_search.data.synthetic.people import Person, sample_person
from reid_search.data.synthetic.plan import PlannedImage
from reid_search.data.synthetic.scenes import HEIGHT, WIDTH, Figure, Shot, sample_shot
from reid_search.data.synthetic.streams import Stream, generator_of
from reid_search.data.synthetic.surroundings import PANORAMA_WIDTH, panorama, shapes_of

_OVERSAMPLE = 2


class Studio:
    """Renders the images of one seed; each depends on the seed, the nuisances and its plan, and on no other image.

    Args:
        seed: Seed of the people, the places and the images.
        nuisances: What varies besides the people.
    """

    def __init__(self, seed: int, nuisances: Nuisances) -> None:
        self._seed = seed
        self._nuisances = nuisances
        self._places = [
            panorama(generator_of(seed, Stream.SCENE, camera), nuisances.clutter, _OVERSAMPLE)
            for camera in range(1, len(CASTS) + 1)
        ]

    def person(self, subject: int) -> Person:
        """Return what the person of this number looks like."""
        return sample_person(generator_of(self._seed, Stream.PERSON, subject))

    def render(self, planned: PlannedImage) -> Image.Image:
        """Return an image of 128 by 64 pixels."""
        generator = generator_of(self._seed, Stream.IMAGE, planned.index)
        shot = sample_shot(generator, self.person(planned.subject), planned.camera, planned.framing, self._nuisances)
        return self._develop(self._draw(shot), shot, generator)

    def _draw(self, shot: Shot) -> Image.Image:
        size = (WIDTH * _OVERSAMPLE, HEIGHT * _OVERSAMPLE)
        left = round(shot.pan * (PANORAMA_WIDTH - WIDTH)) * _OVERSAMPLE
        canvas = self._places[shot.camera - 1].crop((left, 0, left + size[0], size[1]))
        paint(canvas, layers_of(shot), _OVERSAMPLE)
        image = canvas.reduce(_OVERSAMPLE)
        return image.filter(ImageFilter.GaussianBlur(shot.blur)) if shot.blur else image

    def _develop(self, image: Image.Image, shot: Shot, generator: np.random.Generator) -> Image.Image:
        colours = np.asarray(image, dtype=np.float32) / np.float32(255.0)
        seen = seen_by(lit(colours, shot.light), CASTS[shot.camera - 1], self._nuisances.camera_cast)
        return Image.fromarray(grained(seen, shot.noise, generator))


def layers_of(shot: Shot) -> list[Shape]:
    """Return every shape of an image but for the camera's fixed place, in the order in which they are painted."""
    return [
        *shapes_of(shot.behind, Part.BACKGROUND),
        *_others(shot.bystanders, Part.BACKGROUND),
        *(_shapes(shot.figure) if shot.figure else ()),
        *_others(shot.passers, Part.OCCLUDER),
        *shapes_of(shot.front, Part.OCCLUDER),
    ]


def _shapes(figure: Figure) -> list[Shape]:
    return puppet(figure.person, figure.pose, figure.placement)


def _others(figures: tuple[Figure, ...], part: Part) -> list[Shape]:
    return [Shape(part, shape.outline, shape.colour) for figure in figures for shape in _shapes(figure)]

"""Rendering one image: person, shot, drawing, and development."""

import math
from dataclasses import dataclass

import numpy as np
from PIL import Image

from reid_search.data.synthetic.config import Boxes, Nuisances, People
from reid_search.data.synthetic.people.families import Twin, twin_of
from reid_search.data.synthetic.people.person import Person
from reid_search.data.synthetic.people.wardrobe import sample_person
from reid_search.data.synthetic.plan import PlannedImage
from reid_search.data.synthetic.presets import CAMERAS
from reid_search.data.synthetic.puppet.body import Skeleton, skeleton_of
from reid_search.data.synthetic.puppet.cloth import Codes, clothed
from reid_search.data.synthetic.puppet.drawing import Canvas, Layer, Owner, Part
from reid_search.data.synthetic.puppet.figure import puppet
from reid_search.data.synthetic.puppet.masks import Mask, mask_of
from reid_search.data.synthetic.streams import Stream, generator_of
from reid_search.data.synthetic.views.boxes import fitting
from reid_search.data.synthetic.views.cameras import Camera, focused, grained, lit, sample_cameras, seen_by
from reid_search.data.synthetic.views.keypoints import Keypoints, absent_keypoints, keypoints_of
from reid_search.data.synthetic.views.scenes import Figure
from reid_search.data.synthetic.views.shots import Shot, sample_shot
from reid_search.data.synthetic.views.surroundings import panorama, shapes_of, view_of

_OVERSAMPLE = 2


@dataclass(frozen=True)
class Rendering:
    """An image of 128 by 64 pixels with its true mask `(128, 64)` and keypoints `(17, 3)`, and the shot it shows.

    `quality` is that of its camera's JPEGs, 0 to 100.
    """

    image: Image.Image
    mask: Mask
    keypoints: Keypoints
    shot: Shot
    quality: int


class Studio:
    """Renders the images of one seed; each depends only on the seed, the settings and its plan."""

    def __init__(
        self, seed: int, nuisances: Nuisances | None = None, people: People | None = None, boxes: Boxes = "detected"
    ) -> None:
        nuisances = nuisances or Nuisances()
        self._seed = seed
        self._nuisances = fitting(nuisances) if boxes == "labelled" else nuisances
        self._people = people or People()
        self._known: dict[tuple[int, Twin | None], Person] = {}
        self._places: dict[int, Image.Image] = {}
        self._cameras: dict[int, Camera] = {}

    def person(self, subject: int, twin: Twin | None = None) -> Person:
        """Return the person with this number, or with this place in a family."""
        if (subject, twin) not in self._known:
            generator = generator_of(self._seed, Stream.PERSON, subject)
            person = twin_of(self._seed, twin, self._people) if twin else sample_person(generator, self._people)
            self._known[subject, twin] = person
        return self._known[subject, twin]

    def render(self, planned: PlannedImage) -> Rendering:
        """Return a planned image with its mask, keypoints and shot."""
        generator = generator_of(self._seed, Stream.IMAGE, planned.index)
        person = self.person(planned.subject, planned.twin)
        shot = sample_shot(generator, self._seed, planned, person, self._people, self._nuisances)
        skeleton = _skeleton(shot.figure) if shot.figure else None
        canvas = self._draw(shot, skeleton)
        codes = np.asarray(canvas.codes)[::_OVERSAMPLE, ::_OVERSAMPLE]
        return Rendering(
            image=self._develop(canvas.picture, codes, shot, generator),
            mask=mask_of(codes),
            keypoints=keypoints_of(skeleton, shot.box, canvas.codes) if skeleton else absent_keypoints(),
            shot=shot,
            quality=self.camera(planned.camera).quality,
        )

    def camera(self, number: int) -> Camera:
        """Return a camera by its number from 1; those above `CAMERAS` are the others, which only the test has."""
        if number not in self._cameras:
            group = (number - 1) // CAMERAS
            generator, nuisances = generator_of(self._seed, Stream.CAMERA, group), self._nuisances
            drawn = sample_cameras(generator, CAMERAS, nuisances.camera_cast, nuisances.camera_optics)
            self._cameras |= {group * CAMERAS + 1 + at: camera for at, camera in enumerate(drawn)}
        return self._cameras[number]

    def _place(self, number: int) -> Image.Image:
        if number not in self._places:
            generator = generator_of(self._seed, Stream.SCENE, number + 1)
            self._places[number] = panorama(generator, self._nuisances.clutter, _OVERSAMPLE)
        return self._places[number]

    def _draw(self, shot: Shot, skeleton: Skeleton | None) -> Canvas:
        picture = view_of(self._place(shot.backdrop.place), shot.backdrop.pan, shot.box, _OVERSAMPLE)
        scale, asymmetry = _OVERSAMPLE * shot.box.scale, self._nuisances.asymmetry
        canvas = Canvas(picture, Image.new("L", picture.size), scale, shot.box.left, shot.box.top)
        canvas.paint([Layer(0.0, Owner.NOBODY, shapes_of(shot.behind, Part.BACKGROUND))])
        canvas.paint(_others(shot.bystanders, Part.BACKGROUND, asymmetry))
        if shot.figure and skeleton:
            canvas.paint(puppet(shot.figure.person, skeleton, asymmetry))
        canvas.paint(_others(shot.passers, Part.OCCLUDER, asymmetry))
        canvas.paint([Layer(0.0, Owner.NOBODY, shapes_of(shot.front, Part.OCCLUDER))])
        return canvas

    def _develop(self, picture: Image.Image, codes: Codes, shot: Shot, generator: np.random.Generator) -> Image.Image:
        camera = self.camera(shot.camera)
        colours = np.asarray(picture.reduce(_OVERSAMPLE), dtype=np.float32) / np.float32(255.0)
        if shot.figure:
            colours = clothed(colours, codes, shot.figure.person, shot.folds, shot.box)
        seen = seen_by(lit(colours, shot.light, shot.box, camera.vignetting, shot.backdrop.pan), camera)
        image = focused(seen, math.hypot(camera.blur, shot.blur), camera.resolution)
        return Image.fromarray(grained(image, math.hypot(camera.noise, shot.noise), generator))


def _skeleton(figure: Figure) -> Skeleton:
    return skeleton_of(figure.person.build, figure.pose, figure.placement)


def _others(figures: tuple[Figure, ...], part: Part, asymmetry: float) -> list[Layer]:
    """Return the layers of bystanders and passers-by, which belong to no owner."""
    layers = [layer for figure in figures for layer in puppet(figure.person, _skeleton(figure), asymmetry)]
    return [Layer(layer.depth, Owner.NOBODY, [shape._replace(part=part) for shape in layer.shapes]) for layer in layers]

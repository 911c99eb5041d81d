"""Which files a data set has: who is on each, seen by which camera, under which name. Nothing is drawn here."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from reid_search.data.synthetic.presets import CAMERAS, Preset
from reid_search.data.synthetic.scenes import Framing
from reid_search.data.synthetic.streams import Stream, generator_of

Folder = Literal["bounding_box_train", "query", "bounding_box_test"]
Integers = npt.NDArray[np.int64]

_JUNK, _DISTRACTOR = -1, 0
_FEWEST_CAMERAS = 2
_SEQUENCES = 6
_FRAMES_APART = 20
_EMPTY_SHARE, _CUT_SHARE = 0.3, 0.3


@dataclass(frozen=True)
class PlannedImage:
    """One file.

    Attributes:
        index: Its place in the data set, from which its random numbers come.
        folder: Folder of the layout.
        identity: Label in the name: the person, 0 for a distractor, -1 for junk.
        subject: Number of the person who is rendered.
        camera: Number of the camera, from 1.
        sequence: Number of the recording, from 1.
        framing: Whether the box fits.
    """

    index: int
    folder: Folder
    identity: int
    subject: int
    camera: int
    sequence: int
    framing: Framing = "good"

    @property
    def name(self) -> str:
        """File name, such as `0002_c1s1_000451_01.jpg`."""
        label = str(self.identity) if self.identity == _JUNK else f"{self.identity:04d}"
        return f"{label}_c{self.camera}s{self.sequence}_{self.index * _FRAMES_APART + 1:06d}_01.jpg"

    @property
    def path(self) -> str:
        """Path below the data set's folder."""
        return f"{self.folder}/{self.name}"


@dataclass(frozen=True)
class _Sighting:
    identity: int
    camera: int
    sequence: int


def plan_images(preset: Preset, seed: int) -> list[PlannedImage]:
    """Return every file of a data set, in the order of their indices.

    People of training and test are numbered in one mixed sequence from 1. Each person is seen by two cameras or more,
    and each test sighting has its query and at least one gallery image, so every query has a match of another camera.
    """
    generator = generator_of(seed, Stream.PLAN)
    people = preset.train_identities + preset.test_identities
    numbers = generator.permutation(np.arange(1, people + 1))
    train = _sightings(generator, numbers[: preset.train_identities], preset.train_sightings)
    test = _sightings(generator, numbers[preset.train_identities :], preset.queries)
    images = [
        *_repeated(generator, "bounding_box_train", train, preset.train_images),
        *_repeated(generator, "query", test, len(test)),
        *_repeated(generator, "bounding_box_test", test, preset.matches),
        *_distractors(generator, people, preset.distractors),
        *_junk(generator, test, preset.junk),
    ]
    return [PlannedImage(index, *fields) for index, fields in enumerate(images)]


_Fields = tuple[Folder, int, int, int, int, Framing]


def _sightings(generator: np.random.Generator, identities: Integers, total: int) -> list[_Sighting]:
    counts = spread(generator, total, len(identities), _FEWEST_CAMERAS, CAMERAS)
    return [
        _Sighting(int(identity), int(camera), int(generator.integers(1, _SEQUENCES + 1)))
        for identity, count in sorted(zip(identities.tolist(), counts.tolist(), strict=True))
        for camera in np.sort(generator.permutation(CAMERAS)[:count] + 1)
    ]


def _repeated(
    generator: np.random.Generator, folder: Folder, sightings: list[_Sighting], total: int
) -> Iterator[_Fields]:
    most = 3 * -(-total // len(sightings))
    counts = spread(generator, total, len(sightings), 1, most)
    for sighting, count in zip(sightings, counts.tolist(), strict=True):
        for _ in range(count):
            yield folder, sighting.identity, sighting.identity, sighting.camera, sighting.sequence, "good"


def _distractors(generator: np.random.Generator, people: int, total: int) -> Iterator[_Fields]:
    """Yield boxes of strangers, of strangers cut off, and of nobody."""
    for number in range(total):
        camera, sequence, framing = _anywhere(generator)
        yield "bounding_box_test", _DISTRACTOR, people + 1 + number, camera, sequence, framing


def _anywhere(generator: np.random.Generator) -> tuple[int, int, Framing]:
    camera, sequence = int(generator.integers(1, CAMERAS + 1)), int(generator.integers(1, _SEQUENCES + 1))
    place = generator.random()
    if place < _EMPTY_SHARE:
        return camera, sequence, "empty"
    return camera, sequence, "cut" if place < _EMPTY_SHARE + _CUT_SHARE else "good"


def _junk(generator: np.random.Generator, sightings: list[_Sighting], total: int) -> Iterator[_Fields]:
    """Yield boxes that cut the people who are searched for."""
    for _ in range(total):
        sighting = sightings[int(generator.integers(len(sightings)))]
        yield "bounding_box_test", _JUNK, sighting.identity, sighting.camera, sighting.sequence, "cut"


def spread(generator: np.random.Generator, total: int, bins: int, low: int, high: int) -> Integers:
    """Return random counts that sum to `total`, each from `low` to `high`.

    Raises:
        ValueError: No such counts exist.
    """
    if not low * bins <= total <= high * bins:
        raise ValueError(f"total: {total}; {bins} counts of {low} to {high} sum to {low * bins} to {high * bins}")
    places = generator.permutation(np.repeat(np.arange(bins), high - low))[: total - low * bins]
    return low + np.bincount(places, minlength=bins).astype(np.int64)

"""Which files a data set has: who is on each, seen by which camera, and its name. Nothing is rendered here."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from reid_search.common.arrays import Integers
from reid_search.common.labels import DISTRACTOR, JUNK
from reid_search.data.synthetic.config import Nuisances, People, TestCameras
from reid_search.data.synthetic.people.families import Twin, twins_among
from reid_search.data.synthetic.presets import CAMERAS, Preset
from reid_search.data.synthetic.streams import Stream, generator_of
from reid_search.data.synthetic.views.scenes import Framing

Folder = Literal["bounding_box_train", "query", "bounding_box_test"]

_FEWEST_CAMERAS = 2
_SEQUENCES = 6
_FRAMES_APART = 20
_EMPTY_SHARE, _CUT_SHARE = 0.3, 0.3


@dataclass(frozen=True)
class PlannedImage:
    """One file.

    Attributes:
        index: Its place in the data set, which seeds its random numbers.
        folder: Folder of the layout.
        identity: Label in the name: the person, 0 for a distractor, -1 for junk.
        subject: Number of the person who is rendered.
        camera: Number of the camera, from 1.
        sequence: Number of the recording, from 1.
        framing: Whether the box fits.
        twin: The subject's place in a family, if any.
        any_view: Whether the subject may face any way; otherwise it is seen roughly from the front or the back.
    """

    index: int
    folder: Folder
    identity: int
    subject: int
    camera: int
    sequence: int
    framing: Framing = "good"
    twin: Twin | None = None
    any_view: bool = True

    @property
    def frame(self) -> int:
        """Number of the frame in the name."""
        return self.index * _FRAMES_APART + 1

    @property
    def name(self) -> str:
        """File name, such as `0002_c1s1_000451_01.jpg`."""
        label = str(self.identity) if self.identity == JUNK else f"{self.identity:04d}"
        return f"{label}_c{self.camera}s{self.sequence}_{self.frame:06d}_01.jpg"

    @property
    def stem(self) -> str:
        """File name without its ending, which side-cars share."""
        return self.name.removesuffix(".jpg")

    @property
    def path(self) -> str:
        """Path below the data set's folder."""
        return f"{self.folder}/{self.name}"


@dataclass(frozen=True)
class _Sighting:
    identity: int
    camera: int
    sequence: int


def plan_images(
    preset: Preset,
    seed: int,
    people: People | None = None,
    nuisances: Nuisances | None = None,
    test_cameras: TestCameras = "same",
) -> list[PlannedImage]:
    """Return every file of a data set, in the order of their indices.

    People of training and test are numbered in one mixed sequence from 1. At least two cameras see each person, and
    each test sighting has its query and at least one gallery image, so every query has a match of another camera.
    """
    people, nuisances = people or People(), nuisances or Nuisances()
    generator = generator_of(seed, Stream.PLAN)
    count = preset.train_identities + preset.test_identities
    numbers = generator.permutation(np.arange(1, count + 1))
    learnt, tested = numbers[: preset.train_identities], numbers[preset.train_identities :]
    train = _sightings(generator, learnt, preset.train_sightings, preset.cameras)
    test = _sightings(generator, tested, preset.queries, preset.cameras)
    distractors, junk = round(nuisances.distractors * preset.distractors), round(nuisances.junk * preset.junk)
    images = [
        *_repeated(generator, "bounding_box_train", train, preset.train_images, preset.even),
        *_repeated(generator, "query", test, len(test), preset.even),
        *_repeated(generator, "bounding_box_test", test, preset.matches, preset.even),
        *_first(distractors, _distractors(generator, count, preset.distractors, preset.cameras)),
        *_first(junk, _junk(generator, test, preset.junk)),
    ]
    planned = [PlannedImage(index, *fields) for index, fields in enumerate(images) if fields is not None]
    if test_cameras == "others":
        planned = [_by_another_camera(image) for image in planned]
    twins: dict[int, Twin] = {}
    for group in (tested.tolist(), list(range(count + 1, count + 1 + preset.distractors)), learnt.tolist()):
        twins |= twins_among(group, people, first_family=len({twin.family for twin in twins.values()}))
    order = generator_of(seed, Stream.BRIDGE).permutation(tested).tolist()
    planned = _seen_from(planned, set(order[round(nuisances.bridge * len(order)) :]), twins)
    return _mislabelled(planned, generator_of(seed, Stream.IDENTITY_LABELS), nuisances.identity_noise)


def _by_another_camera(image: PlannedImage) -> PlannedImage:
    """Return an image of the test as another camera sees it; those of training come first."""
    return image if image.folder == "bounding_box_train" else replace(image, camera=CAMERAS + image.camera)


def _first(count: int, fields: Iterator["_Fields"]) -> Iterator["_Fields | None"]:
    """Yield the first `count`, and None in place of the others, so that every image keeps its index."""
    for number, of_one in enumerate(fields):
        yield of_one if number < count else None


def _seen_from(images: list[PlannedImage], unbridged: set[int], twins: Mapping[int, Twin]) -> list[PlannedImage]:
    """Set who has twins, and whom the gallery never shows from the side."""
    return [
        replace(
            image,
            twin=twins.get(image.subject),
            any_view=image.folder != "bounding_box_test" or image.subject not in unbridged,
        )
        for image in images
    ]


def _mislabelled(images: list[PlannedImage], generator: np.random.Generator, share: float) -> list[PlannedImage]:
    """Swap labels among a share of the training images; each label keeps its number of images."""
    order = generator.permutation([image.index for image in images if image.folder == "bounding_box_train"])
    chosen = order[: round(share * len(order))].tolist()
    labels = {image.index: image.identity for image in images}
    wrong = {index: labels[other] for index, other in zip(chosen, chosen[1:] + chosen[:1], strict=True)}
    return [replace(image, identity=wrong.get(image.index, image.identity)) for image in images]


_Fields = tuple[Folder, int, int, int, int, Framing]


def _sightings(generator: np.random.Generator, identities: Integers, total: int, cameras: int) -> list[_Sighting]:
    counts = spread(generator, total, len(identities), _FEWEST_CAMERAS, cameras)
    return [
        _Sighting(int(identity), int(camera), int(generator.integers(1, _SEQUENCES + 1)))
        for identity, count in sorted(zip(identities.tolist(), counts.tolist(), strict=True))
        for camera in np.sort(generator.permutation(cameras)[:count] + 1)
    ]


def _repeated(
    generator: np.random.Generator, folder: Folder, sightings: list[_Sighting], total: int, even: bool
) -> Iterator[_Fields]:
    most = -(-total // len(sightings)) * (1 if even else 3)
    counts = spread(generator, total, len(sightings), 1, most)
    for sighting, count in zip(sightings, counts.tolist(), strict=True):
        for _ in range(count):
            yield folder, sighting.identity, sighting.identity, sighting.camera, sighting.sequence, "good"


def _distractors(generator: np.random.Generator, people: int, total: int, cameras: int) -> Iterator[_Fields]:
    """Yield boxes of strangers, of strangers cut off, and without a person."""
    for number in range(total):
        camera, sequence, framing = _anywhere(generator, cameras)
        yield "bounding_box_test", DISTRACTOR, people + 1 + number, camera, sequence, framing


def _anywhere(generator: np.random.Generator, cameras: int) -> tuple[int, int, Framing]:
    camera, sequence = int(generator.integers(1, cameras + 1)), int(generator.integers(1, _SEQUENCES + 1))
    place = generator.random()
    if place < _EMPTY_SHARE:
        return camera, sequence, "empty"
    return camera, sequence, "cut" if place < _EMPTY_SHARE + _CUT_SHARE else "good"


def _junk(generator: np.random.Generator, sightings: list[_Sighting], total: int) -> Iterator[_Fields]:
    """Yield boxes that cut off people of the test."""
    for _ in range(total):
        sighting = sightings[int(generator.integers(len(sightings)))]
        yield "bounding_box_test", JUNK, sighting.identity, sighting.camera, sighting.sequence, "cut"


def spread(generator: np.random.Generator, total: int, bins: int, low: int, high: int) -> Integers:
    """Return `bins` random counts that sum to `total`, each from `low` to `high`.

    Raises:
        ValueError: No such counts exist.
    """
    if not low * bins <= total <= high * bins:
        raise ValueError(f"total: {total}; {bins} counts of {low} to {high} sum to {low * bins} to {high * bins}")
    places = generator.permutation(np.repeat(np.arange(bins), high - low))[: total - low * bins]
    return low + np.bincount(places, minlength=bins).astype(np.int64)

"""Keypoints: a folder with one JSON file for each image, or one JSON file for all.

* COCO's annotation form, `<stem>.json` or one file with `images` and `annotations`: 17 keypoints of x, y, visibility.
* COCO's results, one file: a list of `image_id` (or `file_name`), `keypoints` and `score`; the third number of a
  keypoint is its confidence. Where `image_id` is a number, the file is an object whose `images` name them and whose
  `annotations` are the list. AlphaPose writes the same.
* OpenPifPaf, `<name>.predictions.json` or `<name>_keypoints.json`: a list of people.
* OpenPose, `<stem>_keypoints.json`: `people` with `pose_keypoints_2d`, 18 (COCO) or 25 (BODY_25) points.

Of several people, the one marked `is_target` is taken, else the highest score (the mean confidence where there is
none), else the first. A detector's point counts as visible where its confidence reaches a bound, and else as absent.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import TypeGuard

import numpy as np
import numpy.typing as npt

from reid_search.common.contents import state_of, why_unreadable
from reid_search.data.decoding import size_of
from reid_search.data.side_cars.files import Place, Size, file_of
from reid_search.errors import DataAbsent, DataError
from reid_search.study.trial.side_cars import DEFAULT_CONFIDENCE, KEYPOINTS
from reid_search.words import several

Keypoints = npt.NDArray[np.float32]
_People = list[Mapping[str, object]]

_COCO_18 = (0, 15, 14, 17, 16, 5, 2, 6, 3, 7, 4, 11, 8, 12, 9, 13, 10)
_BODY_25 = (0, 16, 15, 18, 17, 5, 2, 6, 3, 7, 4, 12, 9, 13, 10, 14, 11)
_PLACES = {len(KEYPOINTS): tuple(range(len(KEYPOINTS))), 18: _COCO_18, 25: _BODY_25}


def read_keypoints(image: Path, place: Place, size: Size, confidence: float = DEFAULT_CONFIDENCE) -> Keypoints:
    """Return an image's keypoints, `(17, 3)`: x and y in pixels of the resized image, visibility.

    Args:
        image: The image.
        place: Folder of its keypoints, the file of all, or its own.
        size: Height and width in pixels.
        confidence: From which confidence on a detected point is visible, in [0, 1].

    Raises:
        DataError: The image has no keypoints, their content is wrong, or an annotated keypoint lies outside the image.
    """
    if isinstance(place, Path) and place.is_file():
        index = _index(place, state_of(place))
        path, people, stated = place, index.of(image), index.sizes.get(index.name_of(image))
    else:
        path = file_of(image, place, "keypoints")
        content = _content(path)
        people, stated = _people(path, content), _stated_size(content)
    width, height = size_of(image)
    if stated not in (None, (width, height)):
        raise DataError(
            f"{path}: its keypoints are of an image of {stated[0]:g}×{stated[1]:g} pixels, and {image.name} has "
            f"{width}×{height}; give keypoints in pixels of the image"
        )
    keypoints = _of_person(path, people, confidence, (width, height))
    scale = np.array([size[1] / width, size[0] / height], np.float32)
    keypoints[:, :2] = (keypoints[:, :2] + 0.5) * scale - 0.5
    keypoints[keypoints[:, 2] == 0] = 0
    return keypoints


def keypoints_of(image: Path, place: Place) -> str:
    """Return the file of an image's keypoints, or its name in the file of all.

    Raises:
        DataError: There is none, or there are several.
    """
    if isinstance(place, Path) and place.is_file():
        return f"{place}: {_index(place, state_of(place)).name_of(image)}"
    return str(file_of(image, place, "keypoints"))


def _content(path: Path) -> object:
    try:
        return json.loads(path.read_text())
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(f"{path}: not a readable file of keypoints ({_why_no_json(path, error)})") from error


def _why_no_json(path: Path, error: Exception) -> str:
    if isinstance(error, OSError):
        return why_unreadable(str(path), error)
    if isinstance(error, json.JSONDecodeError):
        return f"no JSON from line {error.lineno}, column {error.colno} on"
    return "nested too deeply" if isinstance(error, RecursionError) else "its text is not in UTF-8"


def _stated_size(content: object) -> tuple[float, float] | None:
    """Return the width and height that a file states of its image, as `image_size` (height, width); None for none."""
    size = content.get("image_size") if isinstance(content, dict) else None
    return (size[1], size[0]) if isinstance(size, list) and len(size) == 2 and _are_numbers(size) else None


def _people(path: Path, content: object) -> _People:
    """Return the people of one image's file; an annotation is its only one."""
    found = content.get("people", [content]) if isinstance(content, dict) else content
    if not isinstance(found, list) or not all(isinstance(person, dict) for person in found):
        raise DataError(f"{path}: expected an object with `keypoints`, one with `people`, or a list of people")
    return found


@dataclass(frozen=True)
class _Index:
    """The people of each image of a file that holds all, by the end of the image's path, of any length.

    `sizes` are the widths and heights that it states of images.
    """

    path: Path
    people: Mapping[str, _People]
    names: Mapping[str, frozenset[str]]
    sizes: Mapping[str, tuple[float, float]]

    def of(self, image: Path) -> _People:
        """Return the people of an image."""
        return self.people[self.name_of(image)]

    def name_of(self, image: Path) -> str:
        """Return the longest name under which the file has an image."""
        ends = ("/".join(image.parts[start:]) for start in range(1, len(image.parts)))
        found = next((name for name in (*ends, image.stem) if name in self.people), None)
        usual = f"{image.parent.name}/{image.name}"
        if found is None:
            raise DataAbsent(
                f"{self.path}: no keypoints of {usual}; its images are named such as {next(iter(self.people))}"
            )
        if len(self.names[found]) > 1:
            first, second, *_ = sorted(self.names[found])
            raise DataError(
                f"{self.path}: {usual} may be {first} or {second}; name each as its path in the data set ends"
            )
        return found


@lru_cache(maxsize=4)
def _index(path: Path, _state: bytes) -> _Index:
    """Return the people of each image of a file that holds all."""
    content = _content(path)
    try:
        names: dict[object, object] = {}
        stated: dict[object, tuple[float, float]] = {}
        if isinstance(content, dict):
            listed = [item for item in content.get("images") or () if isinstance(item, dict)]
            names = {item.get("id"): item.get("file_name") for item in listed}
            sized = {item.get("file_name"): [item.get("width"), item.get("height")] for item in listed}
            stated = {name: (size[0], size[1]) for name, size in sized.items() if _are_numbers(size)}
            content = content.get("annotations")
        if not isinstance(content, list) or not content or not all(isinstance(person, dict) for person in content):
            raise DataError(f"{path}: expected COCO's `images` and `annotations`, or a list of results")
        numbers = [person.get("image_id") for person in content]
        named = [
            person.get("file_name", names.get(number, number)) for person, number in zip(content, numbers, strict=True)
        ]
    except TypeError as error:
        raise DataError(f"{path}: not COCO's form; `images` is a list, and an `id` a number or a text") from error
    people: dict[str, _People] = {}
    meant: dict[str, set[str]] = {}
    sizes: dict[str, tuple[float, float]] = {}
    for name, number, person in zip(named, numbers, content, strict=True):
        if not isinstance(name, str):
            raise DataError(
                f"{path}: image_id {number}: no file name goes with it; add COCO's `images`, which names them"
            )
        pure = PurePosixPath(name)
        for start in range(len(pure.parts)):
            end = "/".join(pure.parts[start:])
            people.setdefault(end, []).append(person)
            meant.setdefault(end, set()).add(str(pure))
            if name in stated:
                sizes[end] = stated[name]
    return _Index(path, people, {end: frozenset(full) for end, full in meant.items()}, sizes)


def _of_person(path: Path, people: _People, confidence: float, size: Size) -> Keypoints:
    if not people:
        return np.zeros((len(KEYPOINTS), 3), np.float32)
    points = [_points(path, person) for person in people]
    scores = [_score(person, found) for person, found in zip(people, points, strict=True)]
    chosen = scores.index(max(scores))
    keypoints = points[chosen]
    if not _is_detected(people[chosen]):
        _check(path, keypoints, *size)
        return keypoints
    if not ((keypoints[:, 2] >= 0).all() and np.isfinite(keypoints).all()):
        raise DataError(f"{path}: a keypoint's confidence is negative or no number; expected 0 or more")
    keypoints[:, 2] = np.where(keypoints[:, 2] >= max(confidence, float(np.finfo(np.float32).tiny)), 2, 0)
    return keypoints


def _points(path: Path, person: Mapping[str, object]) -> Keypoints:
    numbers = person.get("keypoints", person.get("pose_keypoints_2d"))
    try:
        points = np.asarray(numbers, np.float32).reshape(-1, 3)
        return points[list(_PLACES[len(points)])]
    except (ValueError, TypeError, KeyError, OverflowError) as error:
        what = "holds a number beyond all use" if isinstance(error, OverflowError) else _found(numbers)
        raise DataError(
            f"{path}: {what}; expected `keypoints` with 51 numbers, x, y and visibility or confidence, or "
            "OpenPose's 54 or 75"
        ) from error


def _found(numbers: object) -> str:
    if numbers is None:
        return "holds a person without keypoints"
    return f"holds keypoints of {several(len(numbers), 'number')}" if _are_numbers(numbers) else "holds no keypoints"


def _are_numbers(values: object) -> TypeGuard[Sequence[float]]:
    return isinstance(values, list) and all(isinstance(value, int | float) for value in values)


def _is_detected(person: Mapping[str, object]) -> bool:
    return "pose_keypoints_2d" in person or "score" in person


def _score(person: Mapping[str, object], points: Keypoints) -> tuple[bool, float]:
    score = person.get("score")
    mean = float(points[:, 2].mean()) if "pose_keypoints_2d" in person else 0.0
    try:
        known = float(score) if isinstance(score, int | float) else mean
    except OverflowError:
        known = math.inf
    return bool(person.get("is_target")), known


def _check(path: Path, keypoints: Keypoints, width: int, height: int) -> None:
    for name, (x, y, visibility) in zip(KEYPOINTS, keypoints.tolist(), strict=True):
        if visibility not in (0, 1, 2):
            raise DataError(
                f"{path}: {name} has the visibility {visibility:g}; allowed: 0 absent, 1 occluded, 2 visible (a "
                f"detector's confidence needs the `score` of its person beside it)"
            )
        if visibility and not (-0.5 <= x <= width - 0.5 and -0.5 <= y <= height - 0.5):
            raise DataError(
                f"{path}: {name} lies at ({x:g}, {y:g}), outside the image of {width}×{height}; give it visibility 0"
            )

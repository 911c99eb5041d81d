"""The readers of side-cars that each image has, as a data set wants them understood."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy.typing as npt

from reid_search.data.side_cars.files import Size
from reid_search.data.side_cars.keypoints import keypoints_of, read_keypoints
from reid_search.data.side_cars.maps import map_of, read_maps
from reid_search.study.trial.key import digest
from reid_search.study.trial.side_cars import Forms

Reader = Callable[[Path, Path, Size], npt.NDArray[Any]]


def place_of(kind: Literal["maps", "keypoints"], place: Path) -> Callable[[Path], str]:
    """Return what says where the side-car of an image is."""
    return lambda image: str(map_of(image, place)) if kind == "maps" else keypoints_of(image, place)


def readers_of(forms: Forms) -> dict[Literal["maps", "keypoints"], tuple[Reader, str]]:
    """Return the reader of each kind (image, place, size → array), and a suffix that tells forms apart in a cache."""
    usual = Forms()
    labels, confidence = forms.map_labels, forms.keypoint_confidence
    return {
        "maps": (partial(read_maps, labels=labels), "" if labels == usual.map_labels else f"-{digest(labels)}"),
        "keypoints": (
            partial(read_keypoints, confidence=confidence),
            "" if confidence == usual.keypoint_confidence else f"-{confidence:g}",
        ),
    }

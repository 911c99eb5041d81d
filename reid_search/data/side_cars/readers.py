"""The readers of side-cars that each image has, as a data set wants them understood."""

from collections import defaultdict
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy.typing as npt

from reid_search.data.side_cars.files import OwnFile, PerImage, Place, Size
from reid_search.data.side_cars.keypoints import keypoints_of, read_keypoints
from reid_search.data.side_cars.maps import map_of, read_maps
from reid_search.study.trial.key import digest
from reid_search.study.trial.side_cars import Forms

if TYPE_CHECKING:
    import pandas as pd

    from reid_search.data.boxes import Box
    from reid_search.data.dataset import ReidDataset

Reader = Callable[[Path, Place, Size], npt.NDArray[Any]]


def places_of(kind: PerImage, dataset: "ReidDataset", table: "pd.DataFrame") -> list[tuple[str, Place]]:
    """Return the path of every image of a table, and where its side-car is."""
    place = dataset.side_cars[kind]
    if kind not in table:
        return [(path, place) for path in table["path"]]
    boxes: dict[str, set[object]] = defaultdict(set)
    for each in dataset.tables.values():
        for file, box in zip(each.get(kind, ()), _boxes(each), strict=True):
            boxes[file].add(box)
    return [
        (path, OwnFile(place, Path(file) if file else None, box, len(boxes[file]) > 1))
        for path, file, box in zip(table["path"], table[kind], _boxes(table), strict=True)
    ]


def file_at(kind: PerImage) -> Callable[[Path, Place], str]:
    """Return what says which file, or which name in the file of all, is the side-car of an image."""
    return lambda image, place: str(map_of(image, place)) if kind == "maps" else keypoints_of(image, place)


def _boxes(table: "pd.DataFrame") -> "list[Box | None]":
    return list(table["box"]) if "box" in table else [None] * len(table)


def readers_of(forms: Forms) -> dict[PerImage, tuple[Reader, str]]:
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

"""What may come with an image: part maps, keypoints, attributes. Names and layouts that data, models and losses share.

Part maps give the probability of four body parts at every pixel; the rest is background. Keypoints are COCO's 17.
Attributes are the 27 of Market-1501 or the 23 of DukeMTMC-reID (Lin et al. 2019, section 3.1); they describe the
person, not the image.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

SideCar = Literal["maps", "keypoints", "attributes"]
SIDE_CARS: tuple[SideCar, ...] = ("maps", "keypoints", "attributes")

TRUTH, PREDICTED = "truth", "predicted"
"""Where side-cars are from: what an image was made of, perhaps with noise, or something that looked at it."""

TOLD = "‡"
"""Marks the name of an arm that is told the truth in testing."""


def truth(noise: float) -> str:
    """Return `truth`, or `truth with noise 0.5`."""
    return f"{TRUTH} with noise {noise:g}" if noise else TRUTH


Part = Literal["head", "upper", "lower", "shoes"]
PARTS: tuple[Part, ...] = ("head", "upper", "lower", "shoes")
MapLabels = Literal["parts", "lip"] | dict[Part, tuple[Annotated[int, Field(ge=0, le=255)], ...]]
"""What the labels of part maps mean: our parts from 1, those of Look into Person, or the labels of each part."""

_PAIRED = ("eye", "ear", "shoulder", "elbow", "wrist", "hip", "knee", "ankle")
KEYPOINTS = ("nose", *(f"{side}_{joint}" for joint in _PAIRED for side in ("left", "right")))
MIRRORED_KEYPOINTS = (0, 2, 1, 4, 3, 6, 5, 8, 7, 10, 9, 12, 11, 14, 13, 16, 15)
"""Index of the keypoint that takes each place when an image is mirrored."""

UPPER_COLOURS = ("black", "white", "red", "purple", "yellow", "gray", "blue", "green")
LOWER_COLOURS = ("black", "white", "pink", "purple", "yellow", "gray", "blue", "green", "brown")
ATTRIBUTES: dict[str, int] = {
    **dict.fromkeys(("gender", "hair", "up", "down", "clothes", "hat", "backpack", "bag", "handbag"), 2),
    "age": 4,
    **{f"up{colour}": 2 for colour in UPPER_COLOURS},
    **{f"down{colour}": 2 for colour in LOWER_COLOURS},
}
"""Number of values of each attribute, counted from 0, in the order of tables.

Gender, length of hair and sleeves (`up`), length and kind of lower-body clothing (`down`, `clothes`), things carried,
age, and one colour each for the upper and lower body.
"""
_DUKES = ("gender", "top", "boots", "hat", "backpack", "bag", "handbag", "shoes")
_DUKES_UPPER = ("black", "white", "red", "purple", "gray", "blue", "green", "brown")
_DUKES_LOWER = ("black", "white", "red", "gray", "blue", "green", "brown")
DUKE_ATTRIBUTES: dict[str, int] = dict.fromkeys(
    (*_DUKES, *(f"up{colour}" for colour in _DUKES_UPPER), *(f"down{colour}" for colour in _DUKES_LOWER)), 2
)
"""The attributes of DukeMTMC-reID: short or long upper-body clothing (`top`), dark or light `shoes`, and so on."""

AttributeSet = Literal["market", "duke"]
ATTRIBUTE_SETS: dict[AttributeSet, dict[str, int]] = {"market": ATTRIBUTES, "duke": DUKE_ATTRIBUTES}
ALL_ATTRIBUTES: dict[str, int] = {**ATTRIBUTES, **DUKE_ATTRIBUTES}
"""What a table may hold, in the order in which images carry it: those of Market-1501, then those that only Duke has."""
UNKNOWN = -1
"""An attribute that nobody gave; no loss looks at it."""

DEFAULT_CONFIDENCE = 0.2
"""From which confidence on a detected keypoint is visible."""


@dataclass(frozen=True)
class Forms:
    """How the side-cars of a data set are to be understood.

    Attributes:
        map_labels: What the labels of part maps mean.
        keypoint_confidence: From which confidence on a detected keypoint is visible.
    """

    map_labels: MapLabels = "parts"
    keypoint_confidence: float = DEFAULT_CONFIDENCE


_WHAT = {
    "maps": "part maps (one PNG, NPZ or NPY file an image)",
    "keypoints": "keypoints (one JSON file an image, or one for all)",
    "attributes": "attributes (one table of identities)",
}


def logits_of(attributes: AttributeSet) -> int:
    """Return the number of logits of a set of attributes, one for each value of each: 56 or 46."""
    return sum(ATTRIBUTE_SETS[attributes].values())


def missing(needed: Iterable[SideCar], offered: Collection[SideCar]) -> list[SideCar]:
    """Return what is needed and not offered."""
    return [kind for kind in SIDE_CARS if kind in set(needed) and kind not in offered]


def in_words(kind: SideCar) -> str:
    """Describe a kind of side-car in a message."""
    return _WHAT[kind]

"""What a scene consists of: people, things and light; its size is that of an image whose box fits."""

from dataclasses import dataclass
from typing import Literal

from reid_search.data.synthetic.people.person import Colour, Person
from reid_search.data.synthetic.puppet.body import Placement, Pose

HEIGHT, WIDTH = 128, 64

Framing = Literal["good", "cut", "empty"]
ThingKind = Literal["post", "crate", "sign", "bush"]
OccluderKind = Literal["pole", "fence", "crate", "passer_by"]


@dataclass(frozen=True)
class Figure:
    """A person in a pose at a place in the scene."""

    person: Person
    pose: Pose
    placement: Placement


@dataclass(frozen=True)
class Thing:
    """Something in the surroundings or in front; lengths are in pixels, and `x` is its middle."""

    kind: ThingKind | OccluderKind
    x: float
    bottom: float
    width: float
    height: float
    colour: Colour


@dataclass(frozen=True)
class Light:
    """Light of one image; brightness is multiplied.

    Attributes:
        exposure: Factor of all colours.
        tint: Factors of red, green and blue.
        slope: Change of brightness from left to right and from top to bottom, as shares.
        shadow_from: Where the shade begins, as a share of the width (positive: to its right, negative: to its left).
        shadow: Share of the light that the shade takes away.
    """

    exposure: float
    tint: tuple[float, float, float]
    slope: tuple[float, float]
    shadow_from: float
    shadow: float

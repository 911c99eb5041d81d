"""What a scene is made of: people in their places, things, and light; a scene has the size of an image that fits it."""

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
    """A person in a place.

    Attributes:
        person: Who.
        pose: How.
        placement: Where, in pixels of the scene.
    """

    person: Person
    pose: Pose
    placement: Placement


@dataclass(frozen=True)
class Thing:
    """Something that stands in the surroundings or in front; lengths in pixels.

    Attributes:
        kind: What it is.
        x: Its middle.
        bottom: Where it ends.
        width: Its width.
        height: Its height.
        colour: Its colour.
    """

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

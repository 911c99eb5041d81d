"""Who is seen: what a person looks like, whatever the camera, the light and the pose.

Colours come from short palettes, so that many people share one; who somebody is lies in the combination and in details.
"""

from dataclasses import dataclass
from typing import Literal

Colour = tuple[int, int, int]

HairStyle = Literal["bald", "short", "long", "bun", "cap"]
Sleeves = Literal["none", "short", "long"]
UpperPattern = Literal["plain", "hoops", "stripes", "checks", "band", "two_tone", "sleeves", "open"]
LowerKind = Literal["trousers", "shorts", "skirt"]
LowerPattern = Literal["plain", "stripe", "two_tone", "hoops"]
BagKind = Literal["none", "backpack", "handbag", "satchel"]
LogoShape = Literal["none", "disc", "square", "bar", "triangle"]

SKINS: tuple[Colour, ...] = ((244, 208, 180), (226, 180, 142), (190, 140, 102), (140, 96, 68), (92, 62, 46))
HAIRS: tuple[Colour, ...] = ((28, 24, 22), (78, 52, 34), (128, 84, 48), (202, 164, 92), (150, 62, 34), (164, 162, 160))
UPPERS: tuple[Colour, ...] = (
    (34, 34, 38),
    (228, 228, 224),
    (132, 134, 138),
    (40, 52, 104),
    (186, 44, 46),
    (66, 124, 190),
    (58, 124, 74),
    (222, 184, 64),
    (206, 134, 154),
    (112, 66, 120),
)
LOWERS: tuple[Colour, ...] = (
    (34, 34, 38),
    (54, 72, 116),
    (118, 120, 124),
    (188, 168, 132),
    (98, 70, 50),
    (220, 220, 216),
)
SHOES: tuple[Colour, ...] = ((32, 30, 30), (226, 226, 224), (112, 76, 48), (176, 52, 52))
LOGO_SHAPES: tuple[LogoShape, ...] = ("disc", "square", "bar", "triangle")
BAGS: tuple[Colour, ...] = ((40, 38, 40), (150, 56, 52), (60, 92, 150), (120, 92, 58), (96, 120, 76))


@dataclass(frozen=True)
class Build:
    """Size of the body.

    Attributes:
        height: Relative to the average, 0.9 to 1.06.
        girth: Width relative to the average, 0.82 to 1.25.
        shoulders: Width of the shoulders relative to the hips, 0.92 to 1.12.
    """

    height: float
    girth: float
    shoulders: float


@dataclass(frozen=True)
class Hair:
    """Hair, or the cap that covers it.

    Attributes:
        style: Its cut.
        colour: Its colour.
        cap: Colour of the cap, which only the style `cap` shows.
    """

    style: HairStyle
    colour: Colour
    cap: Colour


@dataclass(frozen=True)
class Upper:
    """What is worn above the waist.

    Attributes:
        sleeves: Their length.
        pattern: Hoops lie, stripes stand, a band crosses the chest; `sleeves` have their own colour; `open` shows what
            is worn below, in front.
        long: Whether it reaches down to the thighs.
        colour: Main colour.
        second: Colour of the pattern.
        bands: Number of hoops, stripes or rows of checks, 3 to 6.
    """

    sleeves: Sleeves
    pattern: UpperPattern
    long: bool
    colour: Colour
    second: Colour
    bands: int


@dataclass(frozen=True)
class Lower:
    """What is worn below the waist.

    Attributes:
        kind: Its cut.
        pattern: `two_tone` changes the colour half-way down.
        colour: Main colour.
        second: Colour of the pattern.
    """

    kind: LowerKind
    pattern: LowerPattern
    colour: Colour
    second: Colour


@dataclass(frozen=True)
class Shoes:
    """Shoes.

    Attributes:
        boots: Whether they cover the shin.
        colour: Their colour.
    """

    boots: bool
    colour: Colour


@dataclass(frozen=True)
class Bag:
    """What is carried.

    Attributes:
        kind: A backpack is seen from behind and from the side, a handbag from one side better than from the other; the
            strap of a satchel crosses the chest.
        left: Whether a handbag or satchel hangs on the left.
        colour: Its colour.
    """

    kind: BagKind
    left: bool
    colour: Colour


@dataclass(frozen=True)
class Logo:
    """A mark on the front of the upper garment.

    Attributes:
        shape: Its outline.
        colour: Its colour.
        across: Where it is, -1 at the person's right side and 1 at the left.
        along: Where it is, 0 at the neck and 1 at the hem.
    """

    shape: LogoShape
    colour: Colour
    across: float
    along: float


@dataclass(frozen=True)
class Back:
    """Clothes from behind, for people in whom that differs from the front.

    Attributes:
        chance: Uniform in [0, 1); the back differs where `asymmetry` is larger.
        upper: Colour of the back above the waist.
        lower: Colour of the back below the waist.
    """

    chance: float
    upper: Colour
    lower: Colour


@dataclass(frozen=True)
class Person:
    """Everything that stays with a person from one camera to the next; without a `back` it is as the front."""

    build: Build
    skin: Colour
    hair: Hair
    upper: Upper
    lower: Lower
    shoes: Shoes
    bag: Bag
    logo: Logo
    back: Back | None

"""A person's looks, independent of camera, light and pose.

Colours come from short palettes, so that many people share one; combinations and details tell people apart.
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
TEXTURES = frozenset({"hoops", "stripes", "checks", "stripe"})
"""Patterns that are the same all over a cloth; where the others have their second colour is layout."""
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
    """Hair, or the cap that covers it; only the style `cap` shows the colour of the cap."""

    style: HairStyle
    colour: Colour
    cap: Colour


@dataclass(frozen=True)
class Weave:
    """A second colour that runs through a cloth in waves.

    Attributes:
        period: Pixels of the scene from wave to wave.
        angle: Direction of the waves in radians.
        contrast: How far they reach from the main colour to the second one, 0 (plain) to 1.
    """

    period: float
    angle: float
    contrast: float


@dataclass(frozen=True)
class Upper:
    """What is worn above the waist.

    Attributes:
        sleeves: Their length.
        pattern: Hoops are horizontal, stripes vertical; a band crosses the chest; `sleeves` have the second colour;
            `open` shows what is worn below, in front.
        long: Whether it reaches down to the thighs.
        colour: Main colour.
        second: Colour of the pattern.
        sleeve: Colour of the sleeves.
        bands: Number of hoops, stripes or rows of checks, 3 to 6.
        weave: How the second colour is woven into the cloth.
    """

    sleeves: Sleeves
    pattern: UpperPattern
    long: bool
    colour: Colour
    second: Colour
    sleeve: Colour
    bands: int
    weave: Weave


@dataclass(frozen=True)
class Lower:
    """What is worn below the waist, in a main colour and that of the pattern; `two_tone` changes half-way down."""

    kind: LowerKind
    pattern: LowerPattern
    colour: Colour
    second: Colour
    weave: Weave


@dataclass(frozen=True)
class Shoes:
    """Shoes, or boots, which cover the shin."""

    boots: bool
    colour: Colour


@dataclass(frozen=True)
class Bag:
    """What is carried.

    A backpack shows from behind and from the side, a handbag or satchel mainly on the side, left or right, on which it
    hangs; the strap of a satchel crosses the chest.
    """

    kind: BagKind
    left: bool
    colour: Colour


@dataclass(frozen=True)
class Logo:
    """A mark on the front of the upper garment.

    `across` is -1 at the person's right side and 1 at the left, `along` 0 at the neck and 1 at the hem.
    """

    shape: LogoShape
    colour: Colour
    across: float
    along: float


@dataclass(frozen=True)
class Back:
    """Colours of the back of the clothes above and below the waist, where they differ from the front.

    `chance` is uniform in [0, 1); the back differs where the nuisance `asymmetry` is larger.
    """

    chance: float
    upper: Colour
    lower: Colour


@dataclass(frozen=True)
class Person:
    """Everything about a person that stays the same between cameras; without a `back`, front and back look alike."""

    build: Build
    skin: Colour
    hair: Hair
    upper: Upper
    lower: Lower
    shoes: Shoes
    bag: Bag
    logo: Logo
    back: Back | None

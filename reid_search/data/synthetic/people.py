"""Who is seen: what a person looks like, whatever the camera, the light and the pose.

Colours come from short palettes, so that many people share one; who somebody is lies in the combination and in details.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from reid_search.data.synthetic.streams import pick

Colour = tuple[int, int, int]

HairStyle = Literal["bald", "short", "long", "bun", "cap"]
Sleeves = Literal["none", "short", "long"]
UpperPattern = Literal["plain", "hoops", "stripes", "checks", "band", "two_tone", "sleeves", "open"]
LowerKind = Literal["trousers", "shorts", "skirt"]
LowerPattern = Literal["plain", "stripe", "two_tone", "hoops"]
BagKind = Literal["none", "backpack", "handbag"]

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
BAGS: tuple[Colour, ...] = ((40, 38, 40), (150, 56, 52), (60, 92, 150), (120, 92, 58), (96, 120, 76))

_JITTER = 14.0
_LEAST_CONTRAST = 40.0


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
    """

    sleeves: Sleeves
    pattern: UpperPattern
    long: bool
    colour: Colour
    second: Colour


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
        kind: A backpack is seen from behind and from the side, a handbag from one side better than from the other.
        left: Whether a handbag hangs on the left.
        colour: Its colour.
    """

    kind: BagKind
    left: bool
    colour: Colour


@dataclass(frozen=True)
class Person:
    """Everything that stays with a person from one camera to the next."""

    build: Build
    skin: Colour
    hair: Hair
    upper: Upper
    lower: Lower
    shoes: Shoes
    bag: Bag


def sample_person(generator: np.random.Generator) -> Person:
    """Draw a person."""
    return Person(
        build=Build(
            height=float(generator.uniform(0.9, 1.06)),
            girth=float(generator.uniform(0.82, 1.25)),
            shoulders=float(generator.uniform(0.92, 1.12)),
        ),
        skin=_tone(generator, SKINS, 8.0),
        hair=_sample_hair(generator),
        upper=_sample_upper(generator),
        lower=_sample_lower(generator),
        shoes=Shoes(boots=bool(generator.random() < 0.25), colour=_tone(generator, SHOES)),
        bag=_sample_bag(generator),
    )


def _sample_hair(generator: np.random.Generator) -> Hair:
    style: HairStyle = pick(generator, ("bald", "short", "long", "bun", "cap"), (0.08, 0.4, 0.28, 0.1, 0.14))
    return Hair(style, _tone(generator, HAIRS), _tone(generator, UPPERS))


def _sample_upper(generator: np.random.Generator) -> Upper:
    patterns: tuple[UpperPattern, ...] = (
        "plain",
        "hoops",
        "stripes",
        "checks",
        "band",
        "two_tone",
        "sleeves",
        "open",
    )
    pattern = pick(generator, patterns, (0.16, 0.15, 0.13, 0.1, 0.12, 0.14, 0.1, 0.1))
    sleeves: Sleeves = pick(generator, ("none", "short", "long"), (0.1, 0.45, 0.45))
    main, second = _two_of(generator, UPPERS)
    return Upper(sleeves, pattern, bool(generator.random() < 0.2), main, second)


def _sample_lower(generator: np.random.Generator) -> Lower:
    kind: LowerKind = pick(generator, ("trousers", "shorts", "skirt"), (0.58, 0.24, 0.18))
    patterns: tuple[LowerPattern, ...] = ("plain", "stripe", "two_tone", "hoops")
    pattern = pick(generator, patterns, (0.4, 0.22, 0.22, 0.16))
    main, second = _two_of(generator, LOWERS)
    return Lower(kind, pattern, main, second)


def _sample_bag(generator: np.random.Generator) -> Bag:
    kind: BagKind = pick(generator, ("none", "backpack", "handbag"), (0.45, 0.33, 0.22))
    return Bag(kind, bool(generator.random() < 0.5), _tone(generator, BAGS))


def _two_of(generator: np.random.Generator, palette: tuple[Colour, ...]) -> tuple[Colour, Colour]:
    """Draw a main and a second colour that can be told apart in dim light."""
    first = pick(generator, palette)
    others = [colour for colour in palette if abs(_brightness(colour) - _brightness(first)) >= _LEAST_CONTRAST]
    return _jittered(generator, first, _JITTER), _jittered(generator, pick(generator, others), _JITTER)


def _brightness(colour: Colour) -> float:
    red, green, blue = colour
    return 0.299 * red + 0.587 * green + 0.114 * blue


def _tone(generator: np.random.Generator, palette: tuple[Colour, ...], jitter: float = _JITTER) -> Colour:
    return _jittered(generator, pick(generator, palette), jitter)


def _jittered(generator: np.random.Generator, colour: Colour, jitter: float) -> Colour:
    red, green, blue = (int(min(max(value + generator.normal(0.0, jitter), 0.0), 255.0)) for value in colour)
    return red, green, blue

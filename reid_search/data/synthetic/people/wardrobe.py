"""Drawing a person, with as many traits of their own as the settings allow."""

import math
from dataclasses import replace
from typing import cast

import numpy as np

from reid_search.data.synthetic.config import People
from reid_search.data.synthetic.people.person import (
    BAGS,
    HAIRS,
    LOGO_SHAPES,
    LOWERS,
    SHOES,
    SKINS,
    TEXTURES,
    UPPERS,
    Back,
    Bag,
    BagKind,
    Build,
    Colour,
    Hair,
    HairStyle,
    Logo,
    LogoShape,
    Lower,
    LowerKind,
    LowerPattern,
    Person,
    Shoes,
    Sleeves,
    Upper,
    UpperPattern,
    Weave,
)
from reid_search.data.synthetic.streams import pick

_JITTER = 24.0
_LEAST_CONTRAST = 40.0

Colours = tuple[Colour, Colour, Colour, Colour, Colour, Colour, Colour]

PLAIN = Weave(8.0, 0.0, 0.0)
COMMON = Person(
    build=Build(0.98, 1.0, 1.0),
    skin=SKINS[1],
    hair=Hair("short", HAIRS[1], UPPERS[3]),
    upper=Upper("long", "plain", False, UPPERS[5], UPPERS[1], UPPERS[5], 4, PLAIN),
    lower=Lower("trousers", "plain", LOWERS[4], LOWERS[3], PLAIN),
    shoes=Shoes(False, SHOES[0]),
    bag=Bag("none", True, BAGS[0]),
    logo=Logo("none", UPPERS[0], 0.0, 0.4),
    back=None,
)
"""What everybody looks like if no trait is their own; then they wear `EVERYBODYS` colours."""

EVERYBODYS: Colours = (UPPERS[8], UPPERS[1], UPPERS[6], UPPERS[3], UPPERS[4], UPPERS[7], UPPERS[0])


def sample_person(generator: np.random.Generator, people: People) -> Person:
    """Draw a person."""
    person = _sample_own(generator)
    if min(people.coarse, people.layout, people.texture, people.fine) == 1.0:
        return person
    return _with_common(person, people, generator.spawn(1)[0])


def dealt(person: Person, colours: Colours) -> Person:
    """Return a person in cap, top, trousers and boots whose seven areas, of about equal size, have these colours.

    They are cap and hair; the chest, the belly and the sleeves of the top; the thighs and the knees of the trousers;
    the boots.
    """
    cap, chest, belly, sleeves, thighs, knees, boots = colours
    upper, lower = person.upper, person.lower
    return replace(
        person,
        hair=Hair("long", cap, cap),
        upper=Upper("long", "two_tone", False, chest, belly, sleeves, upper.bands, upper.weave),
        lower=Lower("trousers", "two_tone", thighs, knees, lower.weave),
        shoes=Shoes(True, boots),
        back=None,
    )


def tone(generator: np.random.Generator, palette: tuple[Colour, ...], jitter: float = _JITTER) -> Colour:
    """Draw a colour near one of a palette; `jitter` is the standard deviation in levels of 255."""
    return jittered(generator, pick(generator, palette), jitter)


def jittered(generator: np.random.Generator, colour: Colour, jitter: float = _JITTER) -> Colour:
    """Draw a colour near another one."""
    red, green, blue = (int(min(max(value + generator.normal(0.0, jitter), 0.0), 255.0)) for value in colour)
    return red, green, blue


def contrasting(first: Colour, palette: tuple[Colour, ...]) -> list[Colour]:
    """Return the colours that can be told from another one in dim light."""
    return [colour for colour in palette if abs(_brightness(colour) - _brightness(first)) >= _LEAST_CONTRAST]


def _with_common(person: Person, people: People, generator: np.random.Generator) -> Person:
    """Return a person with the traits that the settings take away replaced by the common ones."""
    shares = np.array([[people.coarse], [people.layout], [people.texture], [people.fine]])
    coarse, layout, texture, fine = generator.random((4, 8)) < shares
    order = np.arange(len(EVERYBODYS))
    moved = np.flatnonzero(layout[:7])
    order[moved] = generator.permutation(moved)

    def of(own: bool | np.bool) -> Person:
        return person if own else COMMON

    own_hair, own_skin = coarse[2] and layout[2], coarse[1] and layout[1]
    kept = replace(
        person,
        build=of(layout[0]).build,
        skin=of(own_skin).skin,
        hair=Hair(of(layout[2]).hair.style, of(own_hair).hair.colour, of(own_hair).hair.cap),
        bag=replace(of(layout[3]).bag, colour=of(coarse[3]).bag.colour),
        shoes=Shoes(of(layout[4]).shoes.boots, of(fine[1]).shoes.colour),
        logo=of(fine[2]).logo,
        upper=replace(person.upper, bands=of(fine[3]).upper.bands),
    )
    kept = kept if texture[0] else _plain(kept)
    if not coarse[0]:
        return dealt(kept, cast("Colours", tuple(EVERYBODYS[place] for place in order.tolist())))
    return kept if layout[5] else in_one_cloth(kept)


def in_one_cloth(person: Person) -> Person:
    """Return a person dressed from neck to ankle in the cloth of their top, without a pattern that has a place."""
    upper = person.upper
    return replace(
        person,
        upper=replace(upper, sleeves="long", pattern="plain", long=False, sleeve=upper.colour),
        lower=Lower("trousers", "plain", upper.colour, upper.second, upper.weave),
        back=None,
    )


def _plain(person: Person) -> Person:
    """Return a person whose cloth is plain; a pattern that is a cut stays."""
    upper, lower = replace(person.upper, weave=PLAIN), replace(person.lower, weave=PLAIN)
    return replace(
        person,
        upper=replace(upper, pattern="plain") if upper.pattern in TEXTURES else upper,
        lower=replace(lower, pattern="plain") if lower.pattern in TEXTURES else lower,
    )


def _sample_own(generator: np.random.Generator) -> Person:
    build = Build(
        height=float(generator.uniform(0.9, 1.06)),
        girth=float(generator.uniform(0.82, 1.25)),
        shoulders=float(generator.uniform(0.92, 1.12)),
    )
    skin, hair = tone(generator, SKINS, 8.0), _sample_hair(generator)
    upper, lower = _sample_upper(generator), _sample_lower(generator)
    shoes = Shoes(boots=bool(generator.random() < 0.25), colour=tone(generator, SHOES))
    bag = _sample_bag(generator)
    upper = replace(upper, bands=int(generator.integers(3, 7)))
    logo = _sample_logo(generator, upper.colour)
    back = Back(float(generator.random()), tone(generator, UPPERS), tone(generator, LOWERS))
    return Person(build, skin, hair, upper, lower, shoes, bag, logo, back)


def _sample_hair(generator: np.random.Generator) -> Hair:
    style: HairStyle = pick(generator, ("bald", "short", "long", "bun", "cap"), (0.08, 0.4, 0.28, 0.1, 0.14))
    return Hair(style, tone(generator, HAIRS), tone(generator, UPPERS))


def _sample_upper(generator: np.random.Generator) -> Upper:
    patterns: tuple[UpperPattern, ...] = ("plain", "hoops", "stripes", "checks", "band", "two_tone", "sleeves", "open")
    pattern = pick(generator, patterns, (0.16, 0.15, 0.13, 0.1, 0.12, 0.14, 0.1, 0.1))
    sleeves: Sleeves = pick(generator, ("none", "short", "long"), (0.1, 0.45, 0.45))
    main, second = _two_of(generator, UPPERS)
    long, sleeve = bool(generator.random() < 0.2), second if pattern == "sleeves" else main
    return Upper(sleeves, pattern, long, main, second, sleeve, COMMON.upper.bands, _sample_weave(generator))


def _sample_lower(generator: np.random.Generator) -> Lower:
    kind: LowerKind = pick(generator, ("trousers", "shorts", "skirt"), (0.58, 0.24, 0.18))
    patterns: tuple[LowerPattern, ...] = ("plain", "stripe", "two_tone", "hoops")
    pattern = pick(generator, patterns, (0.4, 0.22, 0.22, 0.16))
    main, second = _two_of(generator, LOWERS)
    return Lower(kind, pattern, main, second, _sample_weave(generator))


def _sample_weave(generator: np.random.Generator) -> Weave:
    """Draw a weave; every third cloth has none."""
    period, angle, contrast = generator.uniform(6.0, 16.0), generator.uniform(0.0, math.pi), generator.random()
    return Weave(float(period), float(angle), max(1.5 * float(contrast) - 0.5, 0.0))


def _sample_bag(generator: np.random.Generator) -> Bag:
    kind: BagKind = pick(generator, ("none", "backpack", "handbag", "satchel"), (0.45, 0.33, 0.12, 0.1))
    return Bag(kind, bool(generator.random() < 0.5), tone(generator, BAGS))


def _sample_logo(generator: np.random.Generator, cloth: Colour) -> Logo:
    """Draw a logo that can be told from the cloth; every second person has none."""
    shape: LogoShape = pick(generator, LOGO_SHAPES) if generator.random() < 0.5 else "none"
    colour = pick(generator, contrasting(cloth, UPPERS))
    return Logo(shape, colour, float(generator.uniform(-0.45, 0.45)), float(generator.uniform(0.2, 0.45)))


def _two_of(generator: np.random.Generator, palette: tuple[Colour, ...]) -> tuple[Colour, Colour]:
    """Draw a main and a second colour that can be told apart in dim light."""
    first = pick(generator, palette)
    others = contrasting(first, palette)
    return jittered(generator, first), jittered(generator, pick(generator, others))


def _brightness(colour: Colour) -> float:
    red, green, blue = colour
    return 0.299 * red + 0.587 * green + 0.114 * blue

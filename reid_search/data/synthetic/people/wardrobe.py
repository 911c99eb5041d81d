"""Drawing a person, with as many traits of their own as the settings allow."""

from dataclasses import replace

import numpy as np

from reid_search.data.synthetic.config import People
from reid_search.data.synthetic.people.person import (
    BAGS,
    HAIRS,
    LOGO_SHAPES,
    LOWERS,
    SHOES,
    SKINS,
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
)
from reid_search.data.synthetic.streams import pick

_JITTER = 14.0
_LEAST_CONTRAST = 40.0

COMMON = Person(
    build=Build(0.98, 1.0, 1.0),
    skin=SKINS[1],
    hair=Hair("short", HAIRS[1], UPPERS[3]),
    upper=Upper("short", "two_tone", False, UPPERS[5], UPPERS[1], bands=4),
    lower=Lower("trousers", "two_tone", LOWERS[4], LOWERS[3]),
    shoes=Shoes(False, SHOES[0]),
    bag=Bag("none", True, BAGS[0]),
    logo=Logo("none", UPPERS[0], 0.0, 0.4),
    back=Back(0.0, UPPERS[7], LOWERS[0]),
)
"""What everybody looks like if no trait is their own."""


def sample_person(generator: np.random.Generator, people: People) -> Person:
    """Draw a person."""
    person = _sample_own(generator)
    if min(people.coarse, people.layout, people.fine) == 1.0:
        return person
    return _with_common(person, people, generator.spawn(1)[0])


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
    common = _dealt(COMMON, people.layout, generator)
    shares = np.array([[people.coarse], [people.layout], [people.fine]])
    coarse, layout, fine = generator.random((3, 10)) < shares

    def of(own: bool) -> Person:
        return person if own else common

    return Person(
        build=of(layout[0]).build,
        skin=of(coarse[0]).skin,
        hair=Hair(of(layout[1]).hair.style, of(coarse[1]).hair.colour, of(coarse[2]).hair.cap),
        upper=replace(
            of(coarse[3]).upper,
            sleeves=of(layout[2]).upper.sleeves,
            pattern=of(layout[3]).upper.pattern,
            long=of(layout[4]).upper.long,
            bands=of(fine[0]).upper.bands,
        ),
        lower=replace(of(coarse[4]).lower, kind=of(layout[5]).lower.kind, pattern=of(layout[6]).lower.pattern),
        shoes=Shoes(of(layout[7]).shoes.boots, of(fine[1]).shoes.colour),
        bag=replace(of(layout[8]).bag, colour=of(coarse[5]).bag.colour),
        logo=of(fine[2]).logo,
        back=of(coarse[6]).back,
    )


def _dealt(person: Person, layout: float, generator: np.random.Generator) -> Person:
    """Return a person with the four colours of the clothes exchanged, each time with a probability of `layout` / 2."""
    across, above, below = generator.random(3) < 0.5 * layout
    tops, bottoms = (person.upper.colour, person.upper.second), (person.lower.colour, person.lower.second)
    tops, bottoms = (bottoms, tops) if across else (tops, bottoms)
    tops, bottoms = tops[::-1] if above else tops, bottoms[::-1] if below else bottoms
    return replace(
        person,
        upper=replace(person.upper, colour=tops[0], second=tops[1]),
        lower=replace(person.lower, colour=bottoms[0], second=bottoms[1]),
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
    return Upper(sleeves, pattern, bool(generator.random() < 0.2), main, second, COMMON.upper.bands)


def _sample_lower(generator: np.random.Generator) -> Lower:
    kind: LowerKind = pick(generator, ("trousers", "shorts", "skirt"), (0.58, 0.24, 0.18))
    patterns: tuple[LowerPattern, ...] = ("plain", "stripe", "two_tone", "hoops")
    pattern = pick(generator, patterns, (0.4, 0.22, 0.22, 0.16))
    main, second = _two_of(generator, LOWERS)
    return Lower(kind, pattern, main, second)


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

"""The 27 attributes of Market-1501 (Lin et al. 2019, section 3.1), read off a person's looks.

Values count from 0 in the order of the paper: gender male, female; hair short, long; sleeves long, short; clothes below
long, short; dress, trousers; hat, backpack, bag, handbag no, yes; age young, teenager, adult, old. A satchel is the
`bag`. Here gender means long hair, a bun or a skirt, and age means height and grey hair.
"""

import colorsys
from collections.abc import Mapping

import numpy as np

from reid_search.data.synthetic.people.person import HAIRS, Colour, Person
from reid_search.study.trial.side_cars import ATTRIBUTES, LOWER_COLOURS, UPPER_COLOURS

_GREY_HAIR = HAIRS[-1]
_CHILD, _TEENAGER = 0.93, 0.97
_BLACK, _DARK, _BRIGHT, _COLOURLESS = 0.17, 0.3, 0.75, 0.14
_HUES = ((20, "red"), (70, "yellow"), (165, "green"), (262, "blue"), (318, "purple"), (346, "pink"), (360, "red"))
_INSTEAD = {"pink": "red", "brown": "yellow", "red": "pink"}


def attributes_of(person: Person) -> dict[str, int]:
    """Return the attributes of a person in the order of `ATTRIBUTES`."""
    long_hair = person.hair.style in ("long", "bun")
    above, below = colour_name(person.upper.colour, UPPER_COLOURS), colour_name(person.lower.colour, LOWER_COLOURS)
    values = {
        "gender": long_hair or person.lower.kind == "skirt",
        "hair": long_hair,
        "up": person.upper.sleeves != "long",
        "down": person.lower.kind != "trousers",
        "clothes": person.lower.kind != "skirt",
        "hat": person.hair.style == "cap",
        "backpack": person.bag.kind == "backpack",
        "bag": person.bag.kind == "satchel",
        "handbag": person.bag.kind == "handbag",
        "age": _age(person),
        f"up{above}": 1,
        f"down{below}": 1,
    }
    return {name: int(values.get(name, 0)) for name in ATTRIBUTES}


def colour_name(colour: Colour, names: tuple[str, ...]) -> str:
    """Return the name that fits a colour best; a colour without a name takes that of its neighbour."""
    hue, lightness, saturation = colorsys.rgb_to_hls(*(value / 255 for value in colour))
    chroma = saturation * (1 - abs(2 * lightness - 1))
    if chroma < _COLOURLESS or lightness < _BLACK:
        name = "black" if lightness < _DARK else "white" if lightness > _BRIGHT else "gray"
    else:
        name = next(name for end, name in _HUES if 360 * hue <= end)
        if name in ("red", "yellow") and 12 < 360 * hue < 45 and lightness < 0.45:
            name = "brown"
    return name if name in names else _INSTEAD[name]


def disturbed_attributes(
    attributes: Mapping[str, int], strength: float, generator: np.random.Generator
) -> dict[str, int]:
    """Return attributes with a share `strength` of them wrong, still with one colour above and one below."""
    replaced, other = generator.random(len(ATTRIBUTES) + 2), generator.random(len(ATTRIBUTES) + 2)
    values = dict(attributes)
    for place, (name, count) in enumerate(ATTRIBUTES.items()):
        if replaced[place] < strength and not name.startswith(("up", "down")):
            values[name] = (values[name] + 1 + int(other[place] * (count - 1))) % count
    for place, name in enumerate(("up", "down")):
        if replaced[list(ATTRIBUTES).index(name)] < strength:
            values[name] = 1 - values[name]
        if replaced[len(ATTRIBUTES) + place] < strength:
            values |= _another_colour(values, name, float(other[len(ATTRIBUTES) + place]))
    return values


def _another_colour(values: Mapping[str, int], prefix: str, chance: float) -> dict[str, int]:
    columns = [name for name in ATTRIBUTES if name.startswith(prefix) and name != prefix]
    others = [name for name in columns if not values[name]]
    chosen = others[int(chance * len(others))]
    return {name: int(name == chosen) for name in columns}


def _age(person: Person) -> int:
    if np.abs(np.subtract(person.hair.colour, _GREY_HAIR)).max() < 50 and person.hair.style not in ("bald", "cap"):
        return 3
    return 0 if person.build.height < _CHILD else 1 if person.build.height < _TEENAGER else 2

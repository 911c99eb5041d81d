"""Twins: families whose members are alike except in one respect."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import permutations, product
from typing import cast

import numpy as np
import numpy.typing as npt

from reid_search.data.synthetic.config import People
from reid_search.data.synthetic.people.person import LOGO_SHAPES, UPPERS, Colour, Person
from reid_search.data.synthetic.people.wardrobe import COMMON, Colours, contrasting, dealt, jittered, sample_person
from reid_search.data.synthetic.streams import Stream, generator_of, pick

_PARTS = ("upper", "lower", "shoes", "logo")
_SEVEN = 7
_APART = 65.0
_EXCHANGES = tuple(product((1, 2, 3), (4, 5, 6)))
"""Places of an area above and of one below the waist, in the order of `dealt`."""

Floats = npt.NDArray[np.float64]
Deal = tuple[int, ...]
"""For each area in the order of `dealt`, the number of its colour."""


@dataclass(frozen=True)
class Twin:
    """Somebody's family, and their place in it from 0."""

    family: int
    place: int


def twins_among(identities: Sequence[int], people: People, first_family: int) -> dict[int, Twin]:
    """Put a share of people, given in arbitrary order, into families numbered from `first_family`.

    A family of one is left out.
    """
    twins: dict[int, Twin] = {}
    members = round(people.twins * len(identities))
    for family, start in enumerate(range(0, members, people.family_size), start=first_family):
        family_of_one = members - start == 1
        for place, identity in enumerate(identities[start : min(start + people.family_size, members)]):
            if not family_of_one:
                twins[identity] = Twin(family, place)
    return twins


def twin_of(seed: int, twin: Twin, people: People) -> Person:
    """Return what a member of a family looks like."""
    if people.twin_kind == "permutation":
        families = _families(seed, people.family_size)
        return dealt(COMMON, families[twin.family % len(families)][twin.place])
    generator = generator_of(seed, Stream.FAMILY, twin.family)
    shared = sample_person(generator, people)
    part = pick(generator, _PARTS) if people.twin_part == "any" else people.twin_part
    return _with_other_part(shared, part, generator, twin.place)


@cache
def _families(seed: int, size: int) -> list[list[Colours]]:
    """Return what the members of each family wear, until there are no more ways of dealing seven colours.

    Members have two colours exchanged, one above and one below the waist. Nobody is dressed like somebody else, and the
    first families so differently that also the mean colours of cap, top, trousers and boots tell everybody apart.
    """
    generator = generator_of(seed, Stream.FAMILY)
    palette = np.array(_seven_colours(generator))
    deals = list(permutations(range(_SEVEN)))
    number_of = {deal: number for number, deal in enumerate(deals)}
    means = _means_of_parts(palette[np.array(deals)])
    nearest, worn = np.full(len(deals), np.inf), np.zeros(len(deals), bool)
    families: list[list[int]] = []
    for apart in (_APART, 0.0):
        for number in generator.permutation(len(deals)).tolist():
            exchanges = generator.permutation(len(_EXCHANGES))[: size - 1].tolist()
            members = [number, *(number_of[_exchanged(deals[number], *_EXCHANGES[at])] for at in exchanges)]
            if not worn[members].any() and min(nearest[members].min(), _closest(means[members])) >= apart:
                families.append(members)
                worn[members] = True
                nearest = np.minimum(nearest, _distances(means, means[members]).min(axis=1)) if apart else nearest
    colours = [tuple(colour) for colour in palette.tolist()]
    return [[cast("Colours", tuple(colours[at] for at in deals[member])) for member in family] for family in families]


def _means_of_parts(colours: Floats) -> Floats:
    """Return the mean colours `(N, 12)` of cap, top, trousers and boots for `(N, 7, 3)` in the order of `dealt`."""
    parts = [colours[:, 0], colours[:, 1:4].mean(axis=1), colours[:, 4:6].mean(axis=1), colours[:, 6]]
    return np.concatenate(parts, axis=1)


def _closest(points: Floats) -> float:
    """Return the least distance between two of some points."""
    distances = _distances(points, points)
    np.fill_diagonal(distances, np.inf)
    return float(distances.min())


def _distances(points: Floats, others: Floats) -> Floats:
    distances: Floats = np.linalg.norm(points[:, None] - others, axis=2)
    return distances


def _exchanged(deal: Deal, one: int, other: int) -> Deal:
    changed = list(deal)
    changed[one], changed[other] = deal[other], deal[one]
    return tuple(changed)


def _seven_colours(generator: np.random.Generator) -> list[Colour]:
    """Return seven colours as far from one another as a first one allows, which is drawn."""
    chosen = [pick(generator, UPPERS)]
    while len(chosen) < _SEVEN:
        chosen.append(max(UPPERS, key=lambda colour: min(_distance(colour, other) for other in chosen)))
    return [jittered(generator, colour, 8.0) for colour in chosen]


def _with_other_part(shared: Person, part: str, generator: np.random.Generator, place: int) -> Person:
    """Return the member who differs from the others in one part."""
    colour = UPPERS[int(generator.permutation(len(UPPERS))[place])]
    if part == "upper":
        return replace(shared, upper=replace(shared.upper, colour=colour))
    if part == "lower":
        return replace(shared, lower=replace(shared.lower, colour=colour))
    if part == "shoes":
        return replace(shared, shoes=replace(shared.shoes, colour=colour))
    upper = replace(shared.upper, pattern="plain")
    logos = list(product(LOGO_SHAPES, contrasting(upper.colour, UPPERS)))
    shape, mark = logos[int(generator.permutation(len(logos))[place])]
    return replace(shared, upper=upper, logo=replace(shared.logo, shape=shape, colour=mark))


def _distance(one: Colour, other: Colour) -> float:
    return float(np.linalg.norm(np.subtract(one, other)))

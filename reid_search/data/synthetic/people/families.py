"""Twins: families whose members are alike except in one respect."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import permutations, product

import numpy as np

from reid_search.data.synthetic.config import People
from reid_search.data.synthetic.people.person import LOGO_SHAPES, LOWERS, UPPERS, Back, Bag, Colour, Person
from reid_search.data.synthetic.people.wardrobe import contrasting, jittered, sample_person
from reid_search.data.synthetic.streams import Stream, generator_of, pick

_PARTS = ("upper", "lower", "shoes", "logo")
_LEAST_DISTANCE = 70.0


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
    generator = generator_of(seed, Stream.FAMILY, twin.family)
    shared = sample_person(generator, people)
    if people.twin_kind == "permutation":
        return _permuted(shared, generator, twin.place, people)
    part = pick(generator, _PARTS) if people.twin_part == "any" else people.twin_part
    return _with_other_part(shared, part, generator, twin.place)


def _permuted(shared: Person, generator: np.random.Generator, place: int, people: People) -> Person:
    """Return a member, who wears the family's four colours in a different order from the others.

    All wear a top and trousers in two colours of about equal areas, so that the colours of the whole are the same.
    """
    colours = _four_colours(shared, generator, people.coarse)
    deal = _deals(generator)[place]
    top, belly, thighs, shins = (colours[item] for item in deal)
    return replace(
        shared,
        upper=replace(shared.upper, sleeves="none", pattern="two_tone", long=False, colour=top, second=belly),
        lower=replace(shared.lower, kind="trousers", pattern="two_tone", colour=thighs, second=shins),
        shoes=replace(shared.shoes, boots=False),
        bag=Bag("none", shared.bag.left, shared.bag.colour),
        logo=replace(shared.logo, shape="none"),
        back=Back(shared.back.chance, belly, shins) if shared.back else None,
    )


def _four_colours(shared: Person, generator: np.random.Generator, coarse: float) -> list[Colour]:
    """Return four distinguishable colours: the family's own, or partly those of everybody."""
    palette = [*UPPERS, *LOWERS]
    own = [palette[item] for item in generator.permutation(len(palette))]
    common = [shared.upper.colour, shared.upper.second, shared.lower.colour, shared.lower.second]
    wanted = own if coarse > 0.0 else [*common, *own]
    chosen: list[Colour] = []
    for colour in wanted:
        if len(chosen) < 4 and all(_distance(colour, other) >= _LEAST_DISTANCE for other in chosen):
            chosen.append(colour)
    return [jittered(generator, colour, 8.0 * coarse) for colour in chosen]


def _deals(generator: np.random.Generator) -> list[tuple[int, ...]]:
    """Return the orders of four colours; the first six differ in the two worn above the waist."""
    orders = list(permutations(range(4)))
    shuffled = [orders[item] for item in generator.permutation(len(orders))]
    seen: Counter[frozenset[int]] = Counter()

    def times_seen(order: tuple[int, ...]) -> int:
        above = frozenset(order[:2])
        seen[above] += 1
        return seen[above]

    return sorted(shuffled, key=times_seen)


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

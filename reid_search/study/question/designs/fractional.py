"""Regular two-level fractional factorials as bit masks, and which effects they cannot tell apart.

A set of factors (an effect, or a word of the defining relation) is an integer whose bit `i` stands for factor `i`; a
run is the integer whose bit `i` says that factor `i` is on. Box & Hunter 1961, "The 2^(k-p) fractional factorial
designs".
"""

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from reid_search.study.question.designs.aberration import minimum_aberration, spanned

DEFAULT_RESOLUTION = 4


@dataclass(frozen=True)
class AliasStructure:
    """Which effects a fraction cannot tell apart.

    Attributes:
        resolution: Length of the shortest word of the defining relation; None for the full factorial, which has none.
        generators: Factor that was added to a full factorial of the first ones → the interaction that it was set to.
        defining_relation: Words whose column is the same in every run, short ones first; empty for the full factorial.
        aliases: Each main effect and two-factor interaction → those others whose column is the same (+1) or the
            opposite (-1).
    """

    resolution: int | None
    generators: Mapping[int, int]
    defining_relation: tuple[int, ...]
    aliases: Mapping[int, Mapping[int, int]]

    @property
    def groups(self) -> list[dict[int, int]]:
        """Effects that cannot be told apart, with their signs relative to the first; only where there are several."""
        return [
            {effect: 1, **others}
            for effect, others in self.aliases.items()
            if others and _order(effect) < _order(next(iter(others)))
        ]


@dataclass(frozen=True)
class FractionalDesign:
    """A regular 2^(k-p) design.

    Attributes:
        factors: Number of factors, k.
        generators: The interaction of the first k - p factors that each of the p further ones is set to.
        through: A run that the fraction has. It decides signs of aliases, not what is aliased.
    """

    factors: int
    generators: tuple[int, ...]
    through: int = 0

    @property
    def basic(self) -> int:
        """Number of factors of which every combination is run, k - p."""
        return self.factors - len(self.generators)

    @cached_property
    def runs(self) -> tuple[int, ...]:
        """The 2^(k-p) runs, `through` first; the first factors change fastest (Yates's order) from there."""
        return tuple(self._run(combination) ^ self.through for combination in range(1 << self.basic))

    @cached_property
    def words(self) -> tuple[int, ...]:
        """The defining relation: the 2^p - 1 words whose column is constant, short ones first."""
        return tuple(sorted(spanned(self.basic, self.generators)[1:], key=_order))

    @property
    def resolution(self) -> int | None:
        """Length of the shortest word; None for the full factorial."""
        return self.words[0].bit_count() if self.words else None

    def sign(self, word: int) -> int:
        """Return what the column of a word of the defining relation is in every run: +1 or -1."""
        return -1 if (word.bit_count() + (word & self.through).bit_count()) % 2 else 1

    def _run(self, combination: int) -> int:
        run = combination
        for index, generator in enumerate(self.generators):
            odd = (combination & generator).bit_count() & 1
            run |= odd << self.basic + index
        return run


def fractional_design(factors: int, resolution: int = DEFAULT_RESOLUTION, through: int = 0) -> FractionalDesign:
    """Return the regular two-level design of a resolution or better with the fewest runs, always the same one.

    Among designs of as many runs it has minimum aberration (Fries & Hunter 1980): the fewest words of the shortest
    length, then of the next. It is the full factorial where no fraction has the resolution.

    Args:
        factors: Number of factors, from 0 to `MOST_FACTORS`.
        resolution: 3 keeps main effects apart from each other, 4 also from two-factor interactions, 5 keeps also
            two-factor interactions apart from each other.
        through: A run that the fraction shall have.
    """
    return FractionalDesign(factors, minimum_aberration(factors, resolution), through)


def alias_structure(design: FractionalDesign) -> AliasStructure:
    """Return which main effects and two-factor interactions a design cannot tell apart."""
    return AliasStructure(
        resolution=design.resolution,
        generators={design.basic + index: generator for index, generator in enumerate(design.generators)},
        defining_relation=design.words,
        aliases={effect: _aliases(design, effect) for effect in effects(design.factors)},
    )


def effects(factors: int, largest: int = 2) -> list[int]:
    """Return the main effects and the interactions of up to `largest` factors, small ones first."""
    return [_mask(chosen) for size in range(1, largest + 1) for chosen in itertools.combinations(range(factors), size)]


def effect_name(effect: int, names: Sequence[str]) -> str:
    """Return an effect as the names of its factors: `model.neck × model.pooling`."""
    return " × ".join(name for factor, name in enumerate(names) if effect >> factor & 1)


def _aliases(design: FractionalDesign, effect: int) -> dict[int, int]:
    found = {effect ^ word: design.sign(word) for word in design.words}
    return {other: found[other] for other in sorted(found, key=_order) if 1 <= other.bit_count() <= 2}


def _mask(factors: Iterable[int]) -> int:
    return sum(1 << factor for factor in factors)


def _order(effect: int) -> tuple[int, list[int]]:
    """Sort short words first, then as words in a dictionary."""
    return effect.bit_count(), [factor for factor in range(effect.bit_length()) if effect >> factor & 1]

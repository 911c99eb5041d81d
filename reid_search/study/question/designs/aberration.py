"""The search for generators of regular two-level designs: fewest runs, then minimum aberration.

A 2^(k-p) design is a full factorial of its first `basic` = k - p factors and one generator, a set of these, for each
further factor. Sets of factors are bit masks. Fries & Hunter 1980, "Minimum aberration 2^(k-p) designs".
"""

from collections.abc import Iterator, Sequence
from functools import cache

MOST_FACTORS = 12

_Pattern = tuple[int, ...]


@cache
def minimum_aberration(factors: int, resolution: int) -> tuple[int, ...]:
    """Return the generators of the design with the fewest runs; none for the full factorial.

    Args:
        factors: Number of factors, k.
        resolution: The least length of a word of the defining relation, 3 or more.
    """
    for basic in range(factors):
        found = _Search(basic, factors - basic, resolution).best()
        if found is not None:
            return found
    return ()


def spanned(basic: int, generators: Sequence[int]) -> list[int]:
    """Return every product of the words of generators, the empty one first: 2^p masks over all factors."""
    words = [0]
    for index, generator in enumerate(generators):
        words += _with_factor(words, generator, basic + index)
    return words


def pattern(words: Sequence[int], factors: int) -> _Pattern:
    """Return the word length pattern: the number of words of length 1, 2, …, `factors`."""
    counts = [0] * (factors + 1)
    for word in words:
        counts[word.bit_count()] += 1
    return tuple(counts[1:])


def _with_factor(words: Sequence[int], generator: int, factor: int) -> list[int]:
    word = generator | 1 << factor
    return [word ^ other for other in words]


class _Search:
    """Goes through the sets of generators in a fixed order, and leaves a branch when it cannot lead to a better one.

    Words only come in addition along a branch, so a pattern that is no better than the best has no better successor.

    Args:
        basic: Number of factors of the full factorial.
        added: Number of generators.
        resolution: The least length of a word.
    """

    def __init__(self, basic: int, added: int, resolution: int) -> None:
        self._basic = basic
        self._added = added
        self._resolution = resolution
        masks = (mask for mask in range(1 << basic) if mask.bit_count() >= resolution - 1)
        self._candidates = sorted(masks, key=lambda mask: (mask.bit_count(), mask))
        self._best: tuple[_Pattern, tuple[int, ...]] | None = None

    def best(self) -> tuple[int, ...] | None:
        """Return the generators of minimum aberration, the first such in order; None where no set will do."""
        if len(self._candidates) >= self._added:
            self._extend((), [0], 0)
        return self._best[1] if self._best else None

    def _extend(self, generators: tuple[int, ...], words: list[int], start: int) -> None:
        factors = self._basic + self._added
        found = pattern(words[1:], factors)
        if self._best is not None and found >= self._best[0]:
            return
        if len(generators) == self._added:
            self._best = (found, generators)
            return
        for position in self._next(generators, start):
            added = _with_factor(words, self._candidates[position], self._basic + len(generators))
            if min(word.bit_count() for word in added) >= self._resolution:
                self._extend((*generators, self._candidates[position]), words + added, position + 1)

    def _next(self, generators: tuple[int, ...], start: int) -> Iterator[int]:
        for position in range(start, len(self._candidates)):
            # basic factors can change places, so the first generator may be taken to be of the first ones
            mask = self._candidates[position]
            if generators or mask & (mask + 1) == 0:
                yield position

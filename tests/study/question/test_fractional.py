"""Fractional factorials against columns of signs, brute force over generators, and published tables."""

import itertools
from collections.abc import Sequence
from functools import reduce
from math import prod

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reid_search.study.question.designs.aberration import MOST_FACTORS
from reid_search.study.question.designs.fractional import (
    FractionalDesign,
    alias_structure,
    effect_name,
    fractional_design,
)

# Box, Hunter & Hunter, "Statistics for Experimenters": runs that a number of factors takes at a resolution
PUBLISHED_RUNS = [
    (3, 3, 4), (4, 4, 8), (5, 3, 8), (6, 3, 8), (7, 3, 8), (7, 4, 16), (5, 5, 16), (6, 4, 16), (8, 4, 16), (9, 3, 16),
    (10, 3, 16), (11, 3, 16), (9, 4, 32), (10, 4, 32), (11, 4, 32), (8, 5, 64), (10, 5, 128), (11, 5, 128),
]  # fmt: skip
# Chen, Sun & Wu 1993, "A catalogue of two-level and three-level fractional factorial designs": words of length 3, 4, …
PUBLISHED_PATTERNS = [
    (6, 3, (4, 3)), (7, 3, (7, 7, 0, 0, 1)), (7, 4, (0, 7)), (8, 4, (0, 14, 0, 0, 0, 1)), (9, 3, (4, 14, 8, 0, 4, 1)),
    (10, 3, (8, 18, 16, 8, 8, 5)), (9, 4, (0, 6, 8, 0, 0, 1)), (10, 4, (0, 10, 16, 0, 0, 5)),
    (11, 4, (0, 25, 0, 27, 0, 10, 0, 1)), (8, 5, (0, 0, 2, 1)), (10, 5, (0, 0, 3, 3, 1)),
]  # fmt: skip
SIZES = [(factors, resolution) for resolution in (3, 4, 5) for factors in range(1, 9)]


@st.composite
def designs(draw: st.DrawFn) -> FractionalDesign:
    factors = draw(st.integers(1, 8))
    return fractional_design(factors, draw(st.sampled_from([3, 4, 5])), draw(st.integers(0, 2**factors - 1)))


def members(effect: int) -> list[int]:
    return [factor for factor in range(MOST_FACTORS) if effect & 2**factor]


def column(design: FractionalDesign, effect: int) -> list[int]:
    """Return the effect's sign in every run: the product of -1 (off) and +1 (on) of its factors."""
    return [prod(1 if run & 2**factor else -1 for factor in members(effect)) for run in design.runs]


def constant_words(factors: int, runs: tuple[int, ...]) -> list[int]:
    design = FractionalDesign(factors, ())
    columns = {
        word: [prod(1 if r & 2**f else -1 for f in members(word)) for r in runs] for word in range(1, 2**factors)
    }
    assert design.factors == factors
    return [word for word, signs in columns.items() if len(set(signs)) == 1]


@pytest.mark.parametrize(("factors", "resolution", "runs"), PUBLISHED_RUNS)
def test_as_many_runs_as_published(factors: int, resolution: int, runs: int) -> None:
    assert len(set(fractional_design(factors, resolution).runs)) == runs


@pytest.mark.parametrize(("factors", "resolution", "words"), PUBLISHED_PATTERNS)
def test_minimum_aberration_as_published(factors: int, resolution: int, words: tuple[int, ...]) -> None:
    counts = [word.bit_count() for word in fractional_design(factors, resolution).words]
    assert [counts.count(length) for length in range(1, factors + 1)] == [0, 0, *words] + [0] * (
        factors - 2 - len(words)
    )


@pytest.mark.parametrize(("factors", "resolution"), SIZES)
def test_the_defining_relation_holds_every_constant_word_and_the_shortest_is_the_resolution(
    factors: int, resolution: int
) -> None:
    design = fractional_design(factors, resolution)
    words = constant_words(factors, design.runs)
    assert sorted(design.words) == words
    assert len(words) + 1 == 2**factors // len(design.runs)
    assert design.resolution == (min(len(members(word)) for word in words) if words else None)
    assert design.resolution is None or design.resolution >= resolution


def defining_words(basic: int, generators: Sequence[frozenset[int]]) -> list[frozenset[int]]:
    """Return every product of generating words; a factor that stands in a product twice goes away."""
    words = [generator | {basic + index} for index, generator in enumerate(generators)]
    chosen = itertools.chain.from_iterable(itertools.combinations(words, size + 1) for size in range(len(words)))
    return [reduce(frozenset.symmetric_difference, product) for product in chosen]


def best_by_brute_force(factors: int, resolution: int) -> tuple[int, list[int]] | None:
    """Return the fewest runs of a fraction of this resolution and its best pattern, over all sets of generators."""
    for basic in range(1, factors):
        subsets = [frozenset(members(mask)) for mask in range(1, 2**basic)]
        relations = [defining_words(basic, chosen) for chosen in itertools.combinations(subsets, factors - basic)]
        lengths = [list(map(len, words)) for words in relations]
        patterns = [[found.count(size) for size in range(factors + 1)] for found in lengths if min(found) >= resolution]
        if patterns:
            return 2**basic, min(patterns)
    return None


@pytest.mark.parametrize(("factors", "resolution"), [(k, r) for k, r in SIZES if k <= 6] + [(7, 3)])
def test_no_set_of_generators_does_with_fewer_runs_or_has_less_aberration(factors: int, resolution: int) -> None:
    design = fractional_design(factors, resolution)
    wanted = best_by_brute_force(factors, resolution)
    if wanted is None:
        assert (design.generators, len(design.runs)) == ((), 2**factors)
    else:
        lengths = [len(members(word)) for word in design.words]
        assert (len(design.runs), [lengths.count(size) for size in range(factors + 1)]) == wanted


@given(design=designs())
def test_columns_are_orthogonal_and_alias_tables_are_those_of_equal_and_opposite_columns(
    design: FractionalDesign,
) -> None:
    found = alias_structure(design)
    columns = {effect: column(design, effect) for effect in found.aliases}
    sizes = [len(members(effect)) for effect in columns]
    assert sizes == [1] * design.factors + [2] * (design.factors * (design.factors - 1) // 2)
    for effect, signs in columns.items():
        wanted = {
            other: 1 if others == signs else -1
            for other, others in columns.items()
            if other != effect and others in (signs, [-sign for sign in signs])
        }
        assert dict(found.aliases[effect]) == wanted
        for other, others in columns.items():
            inner = sum(a * b for a, b in zip(signs, others, strict=True))
            assert inner == len(design.runs) * (1 if other == effect else wanted.get(other, 0))


@given(design=designs())
def test_effects_that_are_not_told_apart_stand_in_one_group(design: FractionalDesign) -> None:
    found = alias_structure(design)
    groups = found.groups
    grouped = [effect for group in groups for effect in group]
    assert sorted(grouped) == sorted(effect for effect, others in found.aliases.items() if others)
    for group in groups:
        first = column(design, next(iter(group)))
        assert all(column(design, effect) == [sign * value for value in first] for effect, sign in group.items())


@given(design=designs())
def test_the_run_that_was_asked_for_comes_first_and_changes_signs_only(design: FractionalDesign) -> None:
    assert design.runs[0] == design.through
    assert len(set(design.runs)) == len(design.runs)
    plain = fractional_design(design.factors, design.resolution or 5)
    if design.generators:
        assert (design.generators, design.words) == (plain.generators, plain.words)
    assert {word: column(design, word) for word in design.words} == {
        word: [design.sign(word)] * len(design.runs) for word in design.words
    }


def test_a_half_of_three_factors_by_hand() -> None:
    design = fractional_design(3, 3)
    assert design.runs == (0b000, 0b101, 0b110, 0b011)
    found = alias_structure(design)
    assert (found.resolution, dict(found.generators), found.defining_relation) == (3, {2: 0b011}, (0b111,))
    assert found.aliases == {1: {6: -1}, 2: {5: -1}, 4: {3: -1}, 3: {4: -1}, 5: {2: -1}, 6: {1: -1}}
    assert alias_structure(fractional_design(3, 3, through=0b111)).aliases[1] == {6: 1}
    assert found.groups == [{1: 1, 6: -1}, {2: 1, 5: -1}, {4: 1, 3: -1}]
    assert effect_name(0b101, ["a", "b", "c"]) == "a × c"


def test_no_factor_is_one_run() -> None:
    assert fractional_design(0, 4).runs == (0,)
    assert alias_structure(fractional_design(0, 4)).aliases == {}


def test_the_most_factors_are_found() -> None:
    sizes = {resolution: len(fractional_design(MOST_FACTORS, resolution).runs) for resolution in (3, 4, 5)}
    assert sizes == {3: 16, 4: 32, 5: 256}

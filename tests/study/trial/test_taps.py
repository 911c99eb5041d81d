"""Tap patterns, each form against lists written by hand."""

import pytest

from reid_search.errors import StudyError
from reid_search.study import Scope, Stage, TapSpec, select_taps


def _offered() -> list[TapSpec]:
    taps = []
    for name, scope in (
        ("p1.global", Scope.GLOBAL),
        ("p2.global", Scope.GLOBAL),
        ("p2.part1", Scope.PART),
        ("p2.part2", Scope.PART),
        ("p2.concat", Scope.CONCAT),
        ("p2.map", Scope.MAP),
    ):
        for stage, dim in ((Stage.COARSE, 8), (Stage.REDUCED, 4)):
            taps.append(TapSpec(name, scope, stage, (dim, 3, 2) if scope is Scope.MAP else (dim,)))
    return taps


@pytest.mark.parametrize(
    ("patterns", "chosen"),
    [
        (["global@coarse"], "p1.global@coarse p2.global@coarse"),
        (["part@reduced"], "p2.part1@reduced p2.part2@reduced"),
        (["concat@reduced"], "p2.concat@reduced"),
        (["map@coarse"], "p2.map@coarse"),
        (["attribute@coarse"], ""),
        (["reduced"], "p1.global@reduced p2.global@reduced p2.part1@reduced p2.part2@reduced"),
        (["p1.global@coarse"], "p1.global@coarse"),
        (["p2.concat@coarse"], "p2.concat@coarse"),
        (["p2.*@coarse"], "p2.global@coarse p2.part1@coarse p2.part2@coarse p2.map@coarse"),
        (["p2.part?@coarse"], "p2.part1@coarse p2.part2@coarse"),
        (["p[1]*@coarse"], "p1.global@coarse"),
        (["*concat@coarse"], "p2.concat@coarse"),
        (["p2.part2@coarse", "p1.global@reduced", "p2.*@coarse"],
         "p1.global@reduced p2.global@coarse p2.part1@coarse p2.part2@coarse p2.map@coarse"),
        ([], ""),
    ],
)  # fmt: skip
def test_patterns(patterns: list[str], chosen: str) -> None:
    assert [tap.key for tap in select_taps(patterns, _offered())] == chosen.split()


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("recuded", "stage 'recuded' is not offered here; did you mean 'reduced'? (allowed: coarse, reduced)"),
        ("global@neck", "stage 'neck' is not offered here; allowed: coarse, reduced"),
        ("p9.global@coarse", "matches nothing; did you mean 'p2.global'?"),
        ("globl@coarse", "matches nothing; did you mean 'global'?"),
        ("p2.PART1@coarse", "matches nothing"),
        ("p2.conca*@reduced", "matches nothing"),
        ("@coarse", "matches nothing"),
        ("", "stage '' is not offered here"),
    ],
)
def test_patterns_that_nothing_answers_to(pattern: str, message: str) -> None:
    with pytest.raises(StudyError) as caught:
        select_taps([pattern], _offered())
    assert f"tap pattern '{pattern}'" in str(caught.value)
    assert message in str(caught.value)


def test_a_tap_knows_its_size() -> None:
    assert {tap.key: tap.dim for tap in _offered() if tap.name in ("p1.global", "p2.map")} == {
        "p1.global@coarse": 8,
        "p1.global@reduced": 4,
        "p2.map@coarse": 48,
        "p2.map@reduced": 24,
    }

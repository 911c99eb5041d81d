"""Taps: the named features of a model, and the patterns that select them.

A tap is written `<who>@<stage>`, for example `p3.part2@reduced`. A pattern is one of

* `<scope>@<stage>`: every tap of a scope, `global@coarse`, `part@reduced`, `concat@reduced`;
* `<glob>@<stage>`: taps by name, `p3.*@coarse`, `p2.global@neck` (a `*` does not match concatenations, since these
  repeat their parts: name them);
* `<stage>` alone: every global and part tap of that stage.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from fnmatch import fnmatchcase
from math import prod

from reid_search.errors import StudyError, nearest


class Scope(StrEnum):
    """What part of the person, or of the model's output, a tap describes."""

    GLOBAL = "global"
    PART = "part"
    CONCAT = "concat"
    MAP = "map"
    ATTRIBUTE = "attribute"


VECTORS = frozenset({Scope.GLOBAL, Scope.PART, Scope.CONCAT})


class Stage(StrEnum):
    """Where a feature is taken: after pooling, after reduction to the embedding size, after a BNNeck."""

    COARSE = "coarse"
    REDUCED = "reduced"
    NECK = "neck"


@dataclass(frozen=True, slots=True)
class TapSpec:
    """One tap that an architecture offers, known from its config alone.

    Attributes:
        name: Branch and part, `p3.part2`, `p3.global`, `p3.concat`.
        scope: What it describes.
        stage: Where the feature is taken.
        shape: Shape without the batch dimension; `(D,)` for a feature vector.
        through: Names of the modules with parameters that a gradient on this tap reaches (`branches.2.blocks`). If an
            architecture names none, all of its taps count as trained.
    """

    name: str
    scope: Scope
    stage: Stage
    shape: tuple[int, ...]
    through: frozenset[str] = field(default=frozenset(), compare=False)

    @property
    def key(self) -> str:
        """The tap's full name, `p3.part2@reduced`, under which a model returns it."""
        return f"{self.name}@{self.stage}"

    @property
    def dim(self) -> int:
        """Number of values per image."""
        return prod(self.shape)


def select_taps(patterns: Iterable[str], offered: Sequence[TapSpec]) -> list[TapSpec]:
    """Return the taps that any pattern selects, each once, in the order of the architecture.

    A scope that the architecture lacks selects nothing (`part@reduced` of a model without parts), so that one placement
    can serve every arm of a study; an unknown name or stage is an error.

    Args:
        patterns: Patterns as described at the top of this module.
        offered: The taps of the architecture.

    Raises:
        StudyError: A pattern is malformed, or names a tap or stage that the architecture does not have.
    """
    chosen = {tap.key for pattern in patterns for tap in _match(pattern, offered)}
    return [tap for tap in offered if tap.key in chosen]


def untrained(read: Iterable[TapSpec], trained: Iterable[TapSpec]) -> dict[TapSpec, frozenset[str]]:
    """Return the taps in `read` that are not fully trained, each with the modules that no loss trains.

    A tap is trained if gradients reach every module on the way to it, even through other taps. A coarse vector has no
    parameters of its own, so a loss on any tap of its map trains it; a reduction without a loss after it keeps its
    initial values.

    Args:
        read: The taps in question.
        trained: Every tap that a loss sits on.
    """
    reached = frozenset[str]().union(*(tap.through for tap in trained))
    return {tap: tap.through - reached for tap in read if not tap.through <= reached}


def _match(pattern: str, offered: Sequence[TapSpec]) -> list[TapSpec]:
    who, separator, stage = pattern.rpartition("@")
    stages = {str(tap.stage) for tap in offered}
    if stage not in stages:
        raise StudyError(f"tap pattern '{pattern}': stage '{stage}' is not offered here; {nearest(stage, stages)}")
    at_stage = [tap for tap in offered if tap.stage == stage]
    if not separator:
        return [tap for tap in at_stage if tap.scope in (Scope.GLOBAL, Scope.PART)]
    if who in {str(scope) for scope in Scope}:
        return [tap for tap in at_stage if tap.scope == who]
    wildcard = any(sign in who for sign in "*?[")
    if wildcard and "concat" not in who:
        matched = [tap for tap in at_stage if fnmatchcase(tap.name, who) and tap.scope is not Scope.CONCAT]
    else:
        matched = [tap for tap in at_stage if fnmatchcase(tap.name, who)]
    if not matched:
        known = [*(tap.name for tap in at_stage), *Scope]
        raise StudyError(f"tap pattern '{pattern}' matches nothing; {nearest(who, known)}")
    return matched

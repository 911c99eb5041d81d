"""Axes that take recipes: a trial is made from one, so no two of them may take different ones at once."""

import itertools
from collections.abc import Iterator, Mapping

from reid_search.errors import StudyError
from reid_search.study.component import in_yaml
from reid_search.study.question.axes import Axis, holds
from reid_search.study.trial.recipes import KEY


def check_one_recipe(axes: Mapping[str, Axis]) -> None:
    """Refuse two axes with variants that take different recipes and may be chosen together: one of the two gets lost.

    Args:
        axes: The axes that a phase varies, or that decide where it stands.

    Raises:
        StudyError: There are two such variants.
    """
    for one, two in itertools.combinations(axes, 2):
        for (first, recipe), (second, other) in itertools.product(_recipes(axes[one]), _recipes(axes[two])):
            if recipe != other and _meet(axes, one, first, two) and _meet(axes, two, second, one):
                raise StudyError(
                    f"axes.{two}.variants.{second}.{KEY}: {in_yaml(other)}, and variant '{first}' of axis '{one}' "
                    f"takes {in_yaml(recipe)}; a trial is made from one recipe, so one of the two would be lost; put "
                    "the systems into one axis, vary the axes in different phases, or keep them apart with a `when`"
                )


def _recipes(axis: Axis) -> Iterator[tuple[str, object]]:
    """Yield the variants of an axis that take a recipe, each with it."""
    for level in axis.named_levels:
        patch = (axis.variants or {}).get(level.label, {})
        if KEY in patch:
            yield level.label, patch[KEY]


def _meet(axes: Mapping[str, Axis], path: str, variant: str, other: str) -> bool:
    """Say whether another axis may exist where an axis has this variant."""
    when = axes[other].when
    return path not in when or holds({path: when[path]}, {path: variant})

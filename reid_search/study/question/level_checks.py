"""Refuses two levels of an axis with one meaning: they would make one arm, and the other would silently be missing."""

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import replace

from reid_search.errors import StudyError
from reid_search.study.question.axes import Level
from reid_search.study.question.designs.arms import arm_identity
from reid_search.study.question.places_of_entries import place_of_level
from reid_search.study.question.question import Question
from reid_search.study.question.space import Space


def check_levels_differ(study: Question) -> None:
    """Refuse two levels of an axis that make the same arm whatever the other axes and the phase set.

    Levels that are alike only under some settings, such as the margins of a loss that an arm switches off, are fine.

    Raises:
        StudyError: The first such level, with its place.
    """
    config = study.config
    spaces = [replace(study.space(phase), axes=config.axes) for phase in config.phases]
    for path, axis in config.axes_of(*config.phases).items():
        for levels in (axis.searched_levels, axis.design_levels):
            for first, second in _alike(spaces, path, levels):
                message = f"level '{second}' makes the same arm as '{first}'; leave out one of them"
                raise StudyError(f"{place_of_level(study.document, path, second)}: axes.{path}: {message}")


def _alike(spaces: Iterable[Space], path: str, levels: Sequence[Level]) -> list[tuple[str, str]]:
    """Return the pairs of levels, by label, that make the same arm under some settings and differ under none."""
    pairs, seen_alike = list(itertools.combinations([level.label for level in levels], 2)), set[tuple[str, str]]()
    for space, settings in ((one, settings) for one in spaces for settings in one.around(path)):
        left = {label for pair in pairs for label in pair}
        arms = {level.label: _arm(space, {**settings, path: level}) for level in levels if level.label in left}
        valid = [pair for pair in pairs if None not in (arms[pair[0]], arms[pair[1]])]
        differ = {pair for pair in valid if arms[pair[0]] != arms[pair[1]]}
        seen_alike |= {*valid} - differ
        pairs = [pair for pair in pairs if pair not in differ]
        if not pairs:
            break
    return [pair for pair in pairs if pair in seen_alike]


def _arm(space: Space, settings: dict[str, Level]) -> str | None:
    """Return what is equal for equal arms; None for settings without a valid trial, which other checks judge."""
    try:
        return arm_identity(space.config(settings))
    except StudyError:
        return None

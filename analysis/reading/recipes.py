"""Which published system each arm was made from, and what it changes of it."""

from collections.abc import Collection, Sequence

from pydantic import ValidationError

from reid_search.records import ArmAsked, StudyState
from reid_search.study.question.recipe_lines import Made, recipe_lines
from reid_search.study.trial.recipe_overrides import overrides_in

from .trials import config_for


def recipes_of(state: StudyState, asks: Sequence[ArmAsked], arms: Collection[str]) -> tuple[str, ...]:
    """Return a line for each of these arms that was made from a recipe, and first what all of them change.

    It is the text of `reid-search plan`. Arms of which no trial has begun are left out.
    """
    made: dict[str, Made | None] = {}
    for ask in asks:
        if ask.arm in arms and made.get(ask.arm) is None:
            made[ask.arm] = made_of(state, ask)
    return tuple(recipe_lines(made))


def made_of(state: StudyState, ask: ArmAsked) -> Made | None:
    """Return what an arm was made from; None if that is no recipe of this release, or no trial has begun."""
    trial = state.trial(ask)
    if trial is None or not trial.config:
        return None
    recipe = ask.recipe or trial.config.get("from_recipe")
    if not isinstance(recipe, str):
        return None
    try:
        content = config_for(trial, ask)
        return Made(recipe, content, overrides_in(content, recipe))
    except ValidationError:  # a recipe that this release does not have
        return None

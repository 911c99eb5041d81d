"""Arms that a study names as centres of designs: settings of axes over the base, or over its entries and a recipe."""

from collections.abc import Mapping
from dataclasses import replace

from reid_search.errors import nearest
from reid_search.study.component import EntryError, in_yaml, label_of
from reid_search.study.question.axes import Axis, Level, check_setting
from reid_search.study.question.edits import lay_over
from reid_search.study.question.space import Space
from reid_search.study.trial.recipes import KEY, recipe, recipe_names

NAMES_TAKEN = ("base", "best")


def named_settings(content: Mapping[str, object], axes: Mapping[str, Axis]) -> dict[str, Level]:
    """Return the levels that content names for some axes, in the order of the axes.

    Args:
        content: Axis path → label or value of one of its levels or, for a range, a number inside.
        axes: The axes; others are ignored.
    """
    found = {path: axes[path].setting(value) for path, value in content.items() if path in axes}
    return {path: level for path in axes if (level := found.get(path)) is not None}


def named_base(content: Mapping[str, object], base: Mapping[str, object]) -> dict[str, object]:
    """Return the study's base, over the recipe that a named arm takes instead of the base's, if it takes one."""
    return lay_over(base, {KEY: content[KEY]}) if KEY in content else dict(base)


def check_named_arms(arms: Mapping[str, Mapping[str, object]], axes: Mapping[str, Axis]) -> None:
    """Check the names of arms, that they set existing axes to existing levels, and take recipes that there are.

    Raises:
        EntryError: A name is reserved, a path is not an axis, a value is not a level of it, or there is no such recipe.
    """
    for name, content in arms.items():
        if name in NAMES_TAKEN:
            message = f"'{name}' is reserved: `around: {name}` does not mean a named arm; choose another name"
            raise EntryError(message, "arms", name)
        for path, value in content.items():
            if path == KEY:
                _check_recipe(value, ("arms", name, path))
            else:
                check_setting(axes, path, value, ("arms", name, path))


def _check_recipe(name: object, place: tuple[str, ...]) -> None:
    if name is None:
        message = "null is no recipe; leave the entry out, and the arm is made from what base is, or name a recipe"
        raise EntryError(f"{message}; {nearest('', recipe_names())}", *place)
    try:
        recipe(name)
    except EntryError as error:
        raise EntryError(str(error), *place) from None


def _check_recipe_stays(
    own: str, settings: Mapping[str, Level], axes: Mapping[str, Axis], place: tuple[str, ...]
) -> None:
    """Refuse a variant of an arm (set by it, or its axis's first) that takes a recipe in place of the arm's own."""
    for path, axis in axes.items():
        if axis.variants is None or (axis.when and path not in settings):
            continue
        variant = settings.get(path, axis.searched_levels[0]).label
        other = axis.variants[variant].get(KEY, own)
        if other != own:
            taken = "no recipe" if other is None else f"recipe {in_yaml(other)}"
            message = f"'{own}', but its variant '{variant}' of '{path}' takes {taken} instead"
            raise EntryError(f"{message}; give the arm another variant, or no recipe", *place)


def check_named_trial(name: str, content: Mapping[str, object], space: Space) -> None:
    """Check that a named arm is a valid trial, of its recipe, in which each axis that it sets exists.

    Raises:
        EntryError: An axis does not exist, or a variant takes another recipe.
        NoTrial: The trial is not valid; it has no settings if its recipe alone does not go with the base.
    """
    settings = named_settings(content, space.axes)
    if KEY in content:
        _check_recipe_stays(str(content[KEY]), settings, space.axes, ("arms", name, KEY))
    own = replace(space, base=named_base(content, space.base))
    own.config({})
    chosen = own.completed(settings)
    for path in settings:
        if path not in chosen:
            when = ", ".join(f"{entry}: {label_of(value)}" for entry, value in space.axes[path].when.items())
            message = f"this axis exists only under {when}, which this arm does not have; set that, or leave it out"
            raise EntryError(message, "arms", name, path)

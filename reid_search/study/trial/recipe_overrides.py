"""What a trial changes of the recipe that it was made from."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cache
from typing import NamedTuple, cast

from pydantic_core import to_jsonable_python

from reid_search.study.component import WITH_DEFAULTS, Config
from reid_search.study.language.merge import leaves
from reid_search.study.trial.config import RESIZING
from reid_search.study.trial.recipes import KEY, in_proportion
from reid_search.study.trial.trial import TrialConfig

_PUBLISHED_ON = {"name": "market1501"}
_DISCRIMINATORS = ("architecture", "kind")
_NOT_OF_A_SYSTEM = ("data.holdout", "data.split_seed", "training.report_every", "training.threads", "from_recipe")


class Override(NamedTuple):
    """An entry that differs: its path, its value in the recipe and its value here; None where there is none."""

    path: str
    published: object
    here: object


def overrides_of(config: TrialConfig) -> tuple[Override, ...]:
    """Return the entries of a trial that are not as in its recipe; none if it was made from none.

    Where the data are, the validation split, how often it reports and how many threads it has are no part of a recipe;
    of other data than the recipe's, only the name and how images are resized are compared.
    """
    if config.from_recipe is None:
        return ()
    return overrides_in(config.model_dump(mode="json"), config.from_recipe)


def overrides_in(content: Mapping[str, object], name: str) -> tuple[Override, ...]:
    """Return the entries of a trial's config, as a record holds it, that are not as in a recipe.

    Nothing is validated: the files that the trial needed may be gone.

    Raises:
        ValidationError: There is no such recipe.
    """
    recipe = _published(name)
    written = recipe.model_dump(mode="json")
    alike = _stage_names(content) == _stage_names(written)
    if alike:
        written["training"] = {**in_proportion(written["training"], _images(content)), "images": recipe.training.images}
    published, here = (dict(_leaves(item, stages_apart=alike)) for item in (written, content))
    full = dict(_leaves(recipe.model_dump(mode="json", context=WITH_DEFAULTS), stages_apart=alike))
    for path in [path for path, value in here.items() if value is None]:
        if whole := {name: value for name, value in published.items() if name.startswith(f"{path}.")}:
            published = {name: value for name, value in published.items() if name not in whole}
            published[path] = {name.removeprefix(f"{path}."): value for name, value in whole.items()}
    found = (
        Override(
            path, published.get(path, full.get(path)), here[path] if path in here else _left_out(content, recipe, path)
        )
        for path in dict.fromkeys([*published, *here])
    )
    return tuple(item for item in found if item.published != item.here)


def _left_out(content: Mapping[str, object], config: Config, path: str) -> object:
    """Return the value of an entry that was left out since it is a default; None where there is no such entry.

    Args:
        content: What was written.
        config: The same place of the recipe; it knows the defaults.
        path: Dotted path below both.
    """
    step, _, rest = path.partition(".")
    if any(key in content and content[key] != getattr(config, key, None) for key in _DISCRIMINATORS):
        return None
    below = content.get(step)
    found: object = config[step] if isinstance(config, Mapping) else getattr(config, step, None)
    if isinstance(below, Mapping) and rest and isinstance(found, Config | Mapping):
        return _left_out(below, cast("Config", found), rest)
    if not isinstance(config, Config) or step in content or step not in config.left_out_as_defaults():
        return None
    value = to_jsonable_python(type(config).model_fields[step].default)
    return dict(leaves({step: value})).get(path)


def overlay_of(arms: Collection[tuple[Mapping[str, object], Sequence[Override]]]) -> dict[str, object]:
    """Return the overlay of a study: entries that all of its arms have alike and that at least two of them change.

    Args:
        arms: Of each arm that was made from a recipe, its config as a record holds it and what it changes.

    Returns:
        Values by their paths, in the order of the changes. An arm whose recipe has the value anyway does not change it.
    """
    counts = Counter(item.path for _, changes in arms for item in changes)
    values = {path: [_written(content, path) for content, _ in arms] for path, count in counts.items() if count > 1}
    return {path: found[0] for path, found in values.items() if all(value == found[0] for value in found)}


def _written(content: Mapping[str, object], path: str) -> object:
    """Return the value of an entry, also of one that was left out since it is a default."""
    found = _at(content, path)
    return _left_out(content, _published(str(content["from_recipe"])), path) if found is None else found


def _at(content: object, path: str) -> object:
    for step in path.split("."):
        content = content.get(step) if isinstance(content, Mapping) else None
    return content


@cache
def _published(name: str) -> TrialConfig:
    return TrialConfig.model_validate({KEY: name, "data": _PUBLISHED_ON})


def _leaves(content: Mapping[str, object], *, stages_apart: bool) -> Iterator[tuple[str, object]]:
    """Yield the leaves that are compared; stages are compared entry by entry, or else by their names alone."""
    data, training = content.get("data"), content.get("training")
    kept = {name: data[name] for name in ("name", *RESIZING) if name in data} if isinstance(data, Mapping) else {}
    compared: dict[str, object] = {**content, "data": kept}
    if isinstance(training, Mapping) and (names := _stage_names(content)):
        apart = dict(zip(names, training["stages"], strict=True))
        compared["training"] = {**training, "stages": apart if stages_apart else names}
    yield from ((path, value) for path, value in leaves(compared) if path not in _NOT_OF_A_SYSTEM)


def _images(content: Mapping[str, object]) -> object:
    training = content.get("training")
    return training.get("images") if isinstance(training, Mapping) else None


def _stage_names(content: Mapping[str, object]) -> list[str]:
    training = content.get("training")
    stages = training.get("stages") if isinstance(training, Mapping) else None
    return [str(stage["name"]) for stage in stages or () if isinstance(stage, Mapping)]

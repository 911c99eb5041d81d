"""Recipes: published systems, field by field, which a trial takes by name and lays its own entries over.

A file of `reid_search/recipes/` is a fragment of a trial, complete but for where the data are.
"""

from collections.abc import Collection, Mapping
from dataclasses import replace
from functools import cache
from importlib import resources
from itertools import accumulate, pairwise
from pathlib import Path
from typing import cast

from reid_search.errors import nearest
from reid_search.study.component import EntryError, in_yaml
from reid_search.study.language.document import Document, EntryPath, entries, entry_at, read_document
from reid_search.study.language.merge import merged
from reid_search.study.language.places import Place
from reid_search.study.trial.config import default_losses

KEY = "recipe"
WHERE_TAKEN = (
    "a recipe is taken in `base`, in a named arm (arms: {PCB: {recipe: pcb}}), or in a variant of an axis: "
    "system: {variants: {PCB: {recipe: pcb}}}"
)
"""What a message says to those who take a recipe elsewhere."""
_PACKAGE, _SUFFIX = "reid_search.recipes", ".yaml"


@cache
def recipe_names() -> tuple[str, ...]:
    """Return the names of all recipes, sorted."""
    found = (file.name for file in resources.files(_PACKAGE).iterdir())
    return tuple(sorted(name.removesuffix(_SUFFIX) for name in found if name.endswith(_SUFFIX)))


def recipe(name: object) -> dict[str, object]:
    """Return the fragment of a trial that a recipe is.

    Raises:
        EntryError: There is no such recipe.
    """
    if not isinstance(name, str):
        raise EntryError(f"{in_yaml(name)}: expected the name of a recipe; {nearest('', recipe_names())}", KEY)
    if name not in recipe_names():
        raise EntryError(f"unknown recipe '{name}'; {nearest(name.lower(), recipe_names())}", KEY)
    return _read(name).data


def places_in_recipe(content: Mapping[str, object]) -> dict[EntryPath, str]:
    """Return where each entry stands that a trial has from its recipe: `recipe pcb, line 12`.

    Args:
        content: The trial as it is written, with or without the key `recipe`.
    """
    name = content.get(KEY)
    if name not in recipe_names():
        return {}
    written = {*entries(content)}
    own = {entry for entry in written if not isinstance(entry_at(content, entry), Mapping)}
    return {
        entry: _line_of(str(name), place)
        for entry, place in _read(str(name)).places.items()
        if entry not in written and not any(entry[:length] in own for length in range(1, len(entry)))
    }


def place_in_recipe(name: object, entry: EntryPath) -> str | None:
    """Return `recipe pcb, line 12`, where a recipe has an entry; None if there is none, or no such recipe."""
    place = _read(str(name)).places.get(entry) if name in recipe_names() else None
    return place and _line_of(str(name), place)


def with_recipe(document: Document, prefix: EntryPath) -> Document:
    """Return a document that also knows where the entries stand that a trial in it has from its recipe."""
    content = entry_at(document.data, prefix)
    places = places_in_recipe(content) if isinstance(content, Mapping) else {}
    at = document.place((*prefix, KEY))
    added = {(*prefix, *entry): f"{at} ({place})" for entry, place in places.items()}
    return replace(document, places={**added, **document.places})


def over_recipe(content: Mapping[str, object], place: Place) -> dict[str, object]:
    """Return a trial's plain data laid over the recipe that it names; without one, as it is.

    A null switches a loss off (an architecture may have it by default), deletes another entry of a map with free names,
    such as a readout, and is the value of any other entry. Another budget (`training.images`) without stages of its own
    shares itself out among the recipe's stages as these share theirs; other stages without a budget have their sum.

    Args:
        content: The trial, with or without the key `recipe`.
        place: The place of a trial.

    Raises:
        EntryError: There is no such recipe, or its architecture is replaced.
    """
    name = content.get(KEY)
    own = {key: value for key, value in content.items() if key != KEY}
    if name is None:
        if KEY in content:
            check_written_without(own)
        return own
    taken = recipe(name)
    losses, readouts = own.get("losses"), own.get("readouts")
    if isinstance(losses, Mapping):
        own["losses"] = {key: {"on": []} if value is None else value for key, value in losses.items()}
    _check_architecture(str(name), own)
    made = merged(taken, own, place, "delete named")
    if isinstance(losses, Mapping):
        known = {*cast("Mapping[str, object]", taken["losses"]), *(default_losses(made.get("model")) or {})}
        _check_switched_off("losses", losses, known, f"switches off a loss of recipe '{name}'")
    if isinstance(readouts, Mapping):
        known = {*cast("Mapping[str, object]", taken.get("readouts", {}))}
        _check_switched_off("readouts", readouts, known, f"deletes a readout of recipe '{name}'")
    return {**made, "training": _shared_out(made.get("training"), own.get("training")), "from_recipe": name}


def check_written_without(content: Mapping[str, object]) -> None:
    """Refuse a trial whose recipe is null and that names no architecture itself.

    Raises:
        EntryError: It does not.
    """
    if _architecture(content) is None:
        message = "null is no recipe, and without one a trial needs a `model` with an `architecture`; write it"
        raise EntryError(f"{message}, or name a recipe; {nearest('', recipe_names())}", KEY)


def _check_architecture(name: str, own: Mapping[str, object]) -> None:
    """Refuse another architecture than the recipe's: its losses, rates and readouts were chosen for that one."""
    theirs, here = (_architecture(content) for content in (recipe(name), own))
    if here not in (None, theirs):
        raise EntryError(
            f"'{here}' in place of '{theirs}', which recipe '{name}' is about, so the trial would not be what it is "
            "named after; leave it out, take another recipe, or write the trial without one",
            "model",
            "architecture",
        )


def _architecture(content: Mapping[str, object]) -> object:
    model = content.get("model")
    return model.get("architecture") if isinstance(model, Mapping) else None


def _check_switched_off(section: str, own: Mapping[str, object], known: Collection[str], what: str) -> None:
    """Refuse a null for an entry that neither the recipe nor the architecture has."""
    for entry, value in own.items():
        if value is None and entry not in known:
            raise EntryError(f"null {what}, which has none of this name; {nearest(entry, known)}", section, entry)


def _shared_out(training: object, own: object) -> object:
    """Return the training with its stages in proportion to its budget, if only this was overridden.

    A budget that only the recipe states goes where other stages have their own.
    """
    if not (isinstance(training, Mapping) and isinstance(own, Mapping)) or ("images" in own) == ("stages" in own):
        return training
    if "stages" in own:
        return {key: value for key, value in training.items() if key != "images" or not own["stages"]}
    return in_proportion(training, training.get("images"))


def in_proportion(training: Mapping[str, object], images: object) -> dict[str, object]:
    """Return a training with another budget, of which each stage has the share that it had."""
    stages = training.get("stages")
    if not (isinstance(stages, list) and stages and isinstance(images, int | float) and images >= len(stages)):
        return dict(training)
    ends = [0, *accumulate(stage["images"] for stage in stages)]
    places = pairwise(round(images * end / ends[-1]) for end in ends)
    sized = [{**stage, "images": end - start} for stage, (start, end) in zip(stages, places, strict=True)]
    return {**training, "images": images, "stages": sized}


def _line_of(name: str, place: str) -> str:
    return f"recipe {name}, line {place.rpartition(':')[2]}"


@cache
def _read(name: str) -> Document:
    return read_document(Path(str(resources.files(_PACKAGE) / f"{name}{_SUFFIX}")))

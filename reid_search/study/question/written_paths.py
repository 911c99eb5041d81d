"""Paths in study files: each is resolved against the folder of the file that it is written in.

So a study means the same from whatever folder it is run. What a command gives (`--data`, `--set`) is resolved against
the current folder instead, as in any command. Which entries are paths follows from the types of the configs.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path

from reid_search.errors import StudyError
from reid_search.study.component import absolute, at_home
from reid_search.study.language.document import split_path
from reid_search.study.language.places import Place
from reid_search.study.question.study_config import StudyConfig
from reid_search.study.trial.trial import TrialConfig
from reid_search.study.trial.weights import KEPT_WEIGHTS, hash_of

Change = Callable[[str], object]
"""What becomes of a path."""
_FILE = Place(StudyConfig, TrialConfig, dict[str, TrialConfig])
_TRIAL = Place(TrialConfig)


class WrittenPaths:
    """Resolves the paths of a study's files, and remembers how each was written, which is its name in tables."""

    def __init__(self) -> None:
        self._written: dict[str, str] = {}

    def resolved(self, content: Mapping[str, object], folder: Path) -> dict[str, object]:
        """Return the plain data of a file with its paths resolved against a folder."""
        change = partial(self._resolve, folder)
        found = {key: _below(value, _FILE.below(content, key), change) for key, value in content.items()}
        if isinstance(axes := found.get("axes"), Mapping):
            found["axes"] = {path: _axis(str(path), axis, change) for path, axis in axes.items()}
        if isinstance(phases := found.get("phases"), list):
            found["phases"] = [_phase(phase, change) for phase in phases]
        return found

    def named(self, content: Mapping[str, object]) -> dict[str, object]:
        """Return the plain data of a study in which every choice of a path is named as it was written."""
        axes = content.get("axes")
        if not isinstance(axes, Mapping):
            return dict(content)
        return {**content, "axes": {path: self._with_names(str(path), axis) for path, axis in axes.items()}}

    def _resolve(self, folder: Path, written: str) -> str:
        path = str(absolute(folder / at_home(written)))
        self._written.setdefault(path, written)
        return path

    def _with_names(self, path: str, axis: object) -> object:
        choice = axis.get("choice") if isinstance(axis, Mapping) else None
        if not isinstance(axis, Mapping) or not isinstance(choice, list) or not _place_of(path).is_path(""):
            return axis
        names = [self._name(value) for value in choice]
        named = {**axis, "choice": dict(zip(names, choice, strict=True))} if len(set(names)) == len(names) else {**axis}
        if isinstance(levels := axis.get("levels"), Sequence) and not isinstance(levels, str):
            named["levels"] = [self._name(value) for value in levels]
        return named

    def _name(self, value: object) -> str:
        return "none" if value is None else self._written.get(str(value), str(value))


def axis_by_content(path: str, axis: Mapping[str, object]) -> dict[str, object]:
    """Return the plain data of an axis with the content of a file in place of its path, wherever it lies.

    A folder is nothing, as in the base: what it holds decides the keys of the trials.

    Args:
        path: The axis's own path into the trial, or its name.
        axis: Its plain data, with resolved paths.
    """
    found = {**axis}
    for entry in ("choice", "levels"):
        if isinstance(levels := axis.get(entry), Mapping):
            found[entry] = {name: _below(value, _place_of(path), _content) for name, value in levels.items()}
    if isinstance(variants := axis.get("variants"), Mapping):
        found["variants"] = {name: _below(value, _TRIAL, _content) for name, value in variants.items()}
    if isinstance(when := axis.get("when"), Mapping):
        found["when"] = {other: _each(str(other), wanted, _content) for other, wanted in when.items()}
    return found


def _content(path: str) -> str | None:
    kept = Path(path) / "checkpoint" / KEPT_WEIGHTS
    file = kept if kept.is_file() else Path(path)
    with suppress(StudyError):  # which is said where it is read
        return hash_of(file) if file.is_file() else None
    return None


def _below(value: object, place: Place, change: Change) -> object:
    if isinstance(value, str) and place.is_path(value):
        return change(value)
    if isinstance(value, Mapping):
        return {key: _below(item, place.below_any(value, key), change) for key, item in value.items()}
    if isinstance(value, list):
        return [_below(item, place.below(value, index), change) for index, item in enumerate(value)]
    return value


def _axis(path: str, axis: object, change: Change) -> object:
    if not isinstance(axis, Mapping):
        return axis
    found = {**axis}
    if isinstance(choice := axis.get("choice"), Mapping):  # then the levels are names
        place = _place_of(path)
        found["choice"] = {name: _below(value, place, change) for name, value in choice.items()}
    else:
        entries = [name for name in ("choice", "levels") if name in axis]
        found |= {name: _each(path, axis[name], change) for name in entries}
    if isinstance(when := axis.get("when"), Mapping):
        found["when"] = {other: _each(str(other), wanted, change) for other, wanted in when.items()}
    return found


def _each(path: str, values: object, change: Change) -> object:
    """Change the paths in a value of an entry of the trial, or in a list of several."""
    place = _place_of(path)
    if isinstance(values, list):
        return [_below(value, place, change) for value in values]
    return _below(values, place, change)


def _phase(phase: object, change: Change) -> object:
    if not isinstance(phase, Mapping) or not isinstance(entries := phase.get("set"), Mapping):
        return phase
    found = {path: _below(value, _place_of(str(path)), change) for path, value in entries.items()}
    return {**phase, "set": found}


def _place_of(path: str) -> Place:
    place = _TRIAL
    for step in split_path(path):
        place = place.below_any({}, step)
    return place

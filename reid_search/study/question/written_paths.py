"""Paths in study files: each is resolved against the folder of the file that it is written in.

So a study means the same from whatever folder it is run. What a command gives (`--data`, `--set`) is resolved against
the current folder instead, as in any command. Which entries are paths follows from the types of the configs.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from reid_search.study.component import absolute, at_home
from reid_search.study.language.document import split_path
from reid_search.study.language.places import Place
from reid_search.study.question.study_config import StudyConfig
from reid_search.study.trial.trial import TrialConfig

_FILE = Place(StudyConfig, TrialConfig, dict[str, TrialConfig])
_TRIAL = Place(TrialConfig)


class WrittenPaths:
    """Resolves the paths of a study's files, and remembers how each was written, which is its name in tables."""

    def __init__(self) -> None:
        self._written: dict[str, str] = {}

    def resolved(self, content: Mapping[str, object], folder: Path) -> dict[str, object]:
        """Return the plain data of a file with its paths resolved against a folder."""
        found = {key: self._below(value, _FILE.below(content, key), folder) for key, value in content.items()}
        if isinstance(axes := found.get("axes"), Mapping):
            found["axes"] = {path: self._axis(str(path), axis, folder) for path, axis in axes.items()}
        if isinstance(phases := found.get("phases"), list):
            found["phases"] = [self._phase(phase, folder) for phase in phases]
        return found

    def named(self, content: Mapping[str, object]) -> dict[str, object]:
        """Return the plain data of a study in which every choice of a path is named as it was written."""
        axes = content.get("axes")
        if not isinstance(axes, Mapping):
            return dict(content)
        return {**content, "axes": {path: self._with_names(str(path), axis) for path, axis in axes.items()}}

    def _below(self, value: object, place: Place, folder: Path) -> object:
        if isinstance(value, str) and place.is_path(value):
            path = str(absolute(folder / at_home(value)))
            self._written.setdefault(path, value)
            return path
        if isinstance(value, Mapping):
            return {key: self._below(item, place.below_any(value, key), folder) for key, item in value.items()}
        if isinstance(value, list):
            return [self._below(item, place.below(value, index), folder) for index, item in enumerate(value)]
        return value

    def _axis(self, path: str, axis: object, folder: Path) -> object:
        if not isinstance(axis, Mapping):
            return axis
        found = {**axis}
        if isinstance(choice := axis.get("choice"), Mapping):  # then the levels are names
            place = _place_of(path)
            found["choice"] = {name: self._below(value, place, folder) for name, value in choice.items()}
        else:
            entries = [name for name in ("choice", "levels") if name in axis]
            found |= {name: self._each(path, axis[name], folder) for name in entries}
        if isinstance(when := axis.get("when"), Mapping):
            found["when"] = {other: self._each(str(other), wanted, folder) for other, wanted in when.items()}
        return found

    def _each(self, path: str, values: object, folder: Path) -> object:
        """Resolve a value of an entry of the trial, or a list of several."""
        place = _place_of(path)
        if isinstance(values, list):
            return [self._below(value, place, folder) for value in values]
        return self._below(values, place, folder)

    def _phase(self, phase: object, folder: Path) -> object:
        if not isinstance(phase, Mapping) or not isinstance(entries := phase.get("set"), Mapping):
            return phase
        found = {path: self._below(value, _place_of(str(path)), folder) for path, value in entries.items()}
        return {**phase, "set": found}

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


def _place_of(path: str) -> Place:
    place = _TRIAL
    for step in split_path(path):
        place = place.below_any({}, step)
    return place

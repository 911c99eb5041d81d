"""Where in a study file an entry of a trial is written, and messages that say so.

A trial is laid from layers: values that axes, or a named arm, give; variants; the `set` of a phase; the base; and a
recipe that one of these takes. What is wrong with it is said at the line of the uppermost layer that has the entry.
"""

import operator
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Self

from reid_search.errors import StudyError
from reid_search.study.component import label_of
from reid_search.study.language.document import Document, EntryPath, entries, entry_at, split_path
from reid_search.study.language.validation_errors import Mistake, listed
from reid_search.study.question.axes import Level
from reid_search.study.question.designs.arms import Arm
from reid_search.study.question.designs.named import named_settings
from reid_search.study.question.phases import AblatePhase
from reid_search.study.question.question import Question
from reid_search.study.question.space import NoTrial, Settings
from reid_search.study.trial.recipes import KEY, place_in_recipe


@dataclass(frozen=True)
class Origin:
    """Where an entry is written.

    Attributes:
        layer: The path of what gives it: `base`, a variant, a value of an axis or of a named arm.
        path: Its own path in the file, or the one that it would have if its recipe were written out there.
        place: `file:line`, and the line of the recipe if it is a recipe's.
        level: The level, where an axis or a named arm gives a value.
    """

    layer: EntryPath
    path: EntryPath
    place: str
    level: Level | None = None


@dataclass(frozen=True)
class Written:
    """A trial of a study, as the file writes it.

    Attributes:
        study: The study.
        settings: The level of every axis that gives the trial something.
        phase: The number of its phase; None for a named arm by itself.
        arm: The named arm that it is, or that its phase stands around; empty if there is none.
        name: What a message calls the trial: `arm 'model.parts=[1]' of ablate`.
        beside: The settings that a message names if the trial has no name.
    """

    study: Question
    settings: Settings
    phase: int | None = None
    arm: str = ""
    name: str = ""
    beside: Settings = field(default_factory=dict)

    @classmethod
    def of_arm(cls, study: Question, phase: int, arm: Arm) -> Self:
        """Return the trial of an arm of a phase."""
        found = cls.in_phase(study, phase, {**arm.settings, **arm.tuned})
        return replace(found, name=f"arm '{arm.name}' of {study.config.phases[phase].name}")

    @classmethod
    def in_phase(cls, study: Question, phase: int, settings: Settings) -> Self:
        """Return a trial of a phase with these settings of its axes."""
        item = study.config.phases[phase]
        arms = study.config.ablation_tuned_by(item) or item
        arm = arms.around if isinstance(arms, AblatePhase) and arms.around in study.config.arms else ""
        named = named_settings(study.config.arms[arm], study.config.axes) if arm else {}
        own = study.config.axes_of(item, arms)
        outside = {path: level for path, level in named.items() if path not in own}
        return cls(study, {**outside, **settings}, phase, arm)

    def wrong(self, mistake: Mistake, culprit: EntryPath = ()) -> str:
        """Return what is wrong with an entry, with the place and the path of what gives it.

        Args:
            mistake: The entry, by its path in the trial, and the rule.
            culprit: A part of the file without which the trial is known to be valid, such as a variant: if the entry
                is written elsewhere, this is what is said to be wrong.
        """
        document, origin = self.study.document, self.origin(mistake)
        entry = ".".join(map(str, mistake.path))
        if origin is not None and _is_fault_of(culprit, origin.layer):
            if origin.level is None:
                return f"{origin.place}: {document.written(origin.path)}: {self._told(origin.layer)}{mistake.rule}"
            return self._no_trial(origin.place, origin.layer, origin.level, f"{entry}: {mistake.rule}")
        if not culprit:
            phase = () if self.phase is None else ("phases", self.phase)
            place, told = document.place(phase), self._told(phase)
            return f"{place}: {document.written(phase)}: {told}{entry}: {mistake.rule}"
        level = self.settings[str(culprit[1])] if _is_axis(culprit) else None
        place = place_of_level(document, culprit[1], level.label) if level else document.place(culprit)
        where = f" at {origin.place}" if origin else ""
        return self._no_trial(place, culprit, level, f"{entry}{where}: {mistake.rule}")

    def _no_trial(self, place: str, layer: EntryPath, level: Level | None, problem: str) -> str:
        named = f"level '{level.label}' " if level else ""
        told = self._told(layer).removesuffix(": ")
        made = f"{named}makes no valid trial{' ' if told else ''}{told}"
        return f"{place}: {self.study.document.written(layer)}: {made}: {problem}"

    def _told(self, layer: EntryPath) -> str:
        """Return what a message says of the trial, beside what the path of a layer says: `in arm 'a' of b: `."""
        if self.name:
            return "" if layer[0] == "arms" and self.phase is None else f"in {self.name}: "
        others = [f"{path}={level.label}" for path, level in self.beside.items() if layer[:2] != ("axes", path)]
        return f"with {', '.join(others)}: " if others else ""

    def origin(self, mistake: Mistake) -> Origin | None:
        """Return where an entry is written, or else the closest one around it; None if there is none."""
        path = mistake.path
        around = [path[:length] for length in range(len(path) - 1, 0, -1)]
        for entry, exactly in [(mistake.named, True), (path, False), *((entry, True) for entry in around)]:
            if found := next(self._layers(entry, path, exactly), None):
                return found
        return None

    def _layers(self, entry: EntryPath, shown: EntryPath, exactly: bool) -> Iterator[Origin]:
        """Yield what gives an entry its value, uppermost first, or only what has this very entry."""
        if not entry:
            return
        config = self.study.config
        values = [path for path in self.settings if config.axes[path].variants is None]
        for path in _leading(values, entry, exactly):
            yield self._of_level(path)
        for path in reversed(config.axes):
            variants = config.axes[path].variants
            label = self.settings[path].label if path in self.settings else ""
            if variants is not None and label and _has(variants[label], entry, exactly):
                yield self._origin(("axes", path, "variants", label), shown, entry)
        if self.phase is not None:
            for path in _leading(config.phases[self.phase].set, entry, exactly):
                rest = shown[len(split_path(path)) :]
                whole = ("phases", self.phase, "set", path)
                yield Origin(whole[:3], (*whole, *rest), self.study.document.place((*whole, *rest)))
        if entry == (KEY,) and KEY in config.arms.get(self.arm, {}):
            yield self._origin(("arms", self.arm), shown, entry)
        if _has(config.base, entry, exactly):
            yield self._origin(("base",), shown, entry)
        elif found := self._in_recipe(shown, entry):
            yield found

    def _of_level(self, path: str) -> Origin:
        level, arm = self.settings[path], self.study.config.arms.get(self.arm, {})
        by_arm = path in arm and self.study.config.axes[path].setting(arm[path]) == level
        layer: EntryPath = ("arms", self.arm, path) if by_arm else ("axes", path)
        place = self.study.document.place(layer) if by_arm else place_of_level(self.study.document, path, level.label)
        return Origin(layer, layer, place, level)

    def _in_recipe(self, shown: EntryPath, entry: EntryPath) -> Origin | None:
        """Return the place of an entry that the trial has from its recipe; None if that does not have it."""
        if entry == (KEY,):
            return None
        taken = next(self._layers((KEY,), (KEY,), exactly=True), None)
        name = None if taken is None else entry_at(self.study.document.data, taken.path)
        line = None if name is None else place_in_recipe(name, entry)
        if taken is None or line is None:
            return None
        return Origin(taken.layer, (*taken.layer, *shown), f"{taken.place} ({line})")

    def _origin(self, layer: EntryPath, shown: EntryPath, entry: EntryPath) -> Origin:
        return Origin(layer, (*layer, *shown), self.study.document.place((*layer, *entry)))


def place_of_level(document: Document, axis: str | int, label: str) -> str:
    """Return the place of one level of an axis: in a list, or by name."""
    for kind in ("choice", "variants", "levels"):
        values = entry_at(document.data, ("axes", axis, kind))
        for index, name in enumerate(values if isinstance(values, Mapping | list) else ()):
            if label_of(name) == label:
                named: EntryPath = ("axes", axis, kind, name if isinstance(values, Mapping) else index)
                # A list of paths has been given names, and its places are those of a list.
                return document.place(named if named in document.places else ("axes", axis, kind, index))
    return document.place(("axes", axis))


def place_of_value(document: Document, value: str) -> str:
    """Return `file:line: path` of the first entry with a value, such as the root of a data set; empty without one."""
    found = (entry for entry in entries(document.data) if entry_at(document.data, entry) == value)
    return next((f"{document.place(entry)}: {document.written(entry)}" for entry in found), "")


class PlacedError(StudyError):
    """A mistake with its place."""


def placed(trial: Written, error: NoTrial, culprit: EntryPath = ()) -> PlacedError:
    """Return the error of a trial that is not valid, with the places of its mistakes; `culprit` is as in `wrong`."""
    axes = trial.study.config.axes
    known = replace(trial, settings={**trial.settings, **error.settings})
    if error.axis:
        label = error.settings[error.axis].label
        culprit = ("axes", error.axis) if axes[error.axis].variants is None else ("axes", error.axis, "variants", label)
    elif not culprit:
        own = {} if trial.phase is None else trial.study.space(trial.study.config.phases[trial.phase]).centre()
        known = replace(known, beside={path: item for path, item in error.settings.items() if own.get(path) != item})
    return PlacedError(listed(known.wrong(mistake, culprit) for mistake in error.mistakes))


def _is_fault_of(culprit: EntryPath, layer: EntryPath) -> bool:
    """Say whether a layer is a part of what is under suspicion; a named arm answers for the levels that it sets."""
    part = culprit[:-1] if culprit[-1:] == (KEY,) else culprit
    return layer[: len(part)] == part or (part[:1] == ("arms",) and layer[0] == "axes")


def _is_axis(path: EntryPath) -> bool:
    return path[0] == "axes" and len(path) == 2


def _leading(paths: Iterable[str], entry: EntryPath, exactly: bool) -> list[str]:
    """Return the dotted paths that are an entry, or one around or in it; what is laid over the others comes first."""
    steps = {path: split_path(path) for path in paths}
    wanted = [str(step) for step in entry]
    found = [path for path, own in steps.items() if all(map(operator.eq, own, wanted))]
    found = [path for path in found if not exactly or len(steps[path]) == len(wanted)]
    return sorted(found, key=lambda path: -len(steps[path]))


def _has(patch: object, entry: EntryPath, exactly: bool) -> bool:
    """Say whether a map has an entry or, unless exactly this is meant, something that replaces what is around it."""
    for step in entry:
        if not isinstance(patch, Mapping):
            return not exactly
        if step not in patch:
            return False
        patch = patch[step]
    return True

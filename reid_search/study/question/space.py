"""The space of a study: from settings of axes to whole trial configs."""

import itertools
import math
import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from pydantic import ValidationError

from reid_search.errors import StudyError, nearest
from reid_search.study.component import Config
from reid_search.study.language.document import split_path
from reid_search.study.language.validation_errors import first_problem
from reid_search.study.question.axes import Axis, Level, holds
from reid_search.study.question.edits import apply_settings, changed, same_key
from reid_search.study.trial.trial import TrialConfig

Settings = Mapping[str, Level]
Labels = tuple[str | None, ...]

_COMBINATIONS_CHECKED = 100


@dataclass(frozen=True)
class Tuned:
    """What a search found for each level of an axis, or for each arm of an ablation.

    Attributes:
        held: The axes whose levels tell what was tuned for itself: the one axis, or those of the ablation.
        best: Labels of their levels (see `labels_of`) → the best settings of the other axes.
        axes: The axes of the search, in order.
    """

    held: tuple[str, ...]
    best: Mapping[Labels, Settings]
    axes: Mapping[str, Axis]

    def settings_of(self, settings: Settings) -> Settings:
        """Return what was found for the held axes' levels that some settings have; nothing where nothing was."""
        return self.best.get(labels_of(self.held, settings), {})


@dataclass(frozen=True)
class Space:
    """What varies around what.

    Attributes:
        base: The baseline's config as written, plain data.
        axes: The axes by dotted path into the base, or by name where they have variants.
        tuned: What a search found for each level of an axis or each arm; None where nothing was tuned for itself.
    """

    base: Mapping[str, Any]
    axes: Mapping[str, Axis]
    tuned: Tuned | None = None

    def config(self, settings: Settings) -> TrialConfig:
        """Return the trial config of the base with these settings; settings of axes that do not exist here are unused.

        Raises:
            StudyError: The settings do not make a valid trial.
        """
        try:
            return self._trial(settings)
        except ValidationError as error:
            shown = ", ".join(f"{path}={level.label}" for path, level in settings.items())
            raise StudyError(f"{shown or 'base'}: {first_problem(error)}") from None

    def found(self, settings: Settings) -> Settings:
        """Return what a search found for these settings alone."""
        return self.tuned.settings_of(settings) if self.tuned else {}

    def active(self, settings: Settings) -> dict[str, Level]:
        """Return the settings whose axes exist under the others, in the order of the axes."""
        chosen: dict[str, Level] = {}
        for path in self.order():
            if path in settings and self.exists(path, chosen):
                chosen[path] = settings[path]
        return {path: chosen[path] for path in self.axes if path in chosen}

    def exists(self, path: str, settings: Settings) -> bool:
        """Say whether an axis exists under these settings: a condition on an axis that does not is not met.

        A condition on an entry without a setting looks at the base's value.
        """
        conditions = self.axes[path].when
        if not all(self.exists(name, settings) for name in conditions if name in self.axes):
            return False
        values = {name: self._looked_at(name, settings) for name in conditions}
        return holds(conditions, values)

    def value(self, path: str) -> Any:
        """Return the base's value at a dotted path, with defaults filled in; None where there is none."""
        found: Any = self._filled_base
        for step in split_path(path):
            if isinstance(found, Mapping):
                found = found.get(step, found.get(int(step)) if step.isdigit() else None)
            else:
                return None
        return found

    def centre(self) -> dict[str, Level]:
        """Return the base's own settings of every axis that exists there."""
        settings: dict[str, Level] = {}
        for path in self.order():
            if self.exists(path, settings):
                settings[path] = self._own_level(path)
        return {path: settings[path] for path in self.axes if path in settings}

    def completed(self, settings: Settings) -> dict[str, Level]:
        """Return settings, for every other axis that exists beside them with what the trial has there anyway."""
        chosen = {**self.centre(), **settings}
        trial = Space(self.config(chosen).model_dump(mode="json"), self.axes)
        for path in self.order():
            if path not in chosen and self.exists(path, self.active(chosen)):
                chosen[path] = trial._own_level(path)
        return self.active(chosen)

    def off_level(self, path: str) -> Level | None:
        """Return the level at which a component is switched off; None where nothing says, nor the base has the axis."""
        return self.axes[path].off_level or self.centre().get(path)

    def order(self) -> list[str]:
        """Return the axes so that each stands behind those that its condition names.

        Raises:
            StudyError: Conditions name each other in a circle.
        """
        ordered: list[str] = []
        waiting = list(self.axes)
        while waiting:
            ready = [path for path in waiting if not set(self.axes[path].when) & (set(waiting) - {path})]
            ready = [path for path in ready if path not in self.axes[path].when]
            if not ready:
                raise StudyError(f"axes.{waiting[0]}.when: the conditions of {', '.join(waiting)} go round in a circle")
            ordered.extend(ready)
            waiting = [path for path in waiting if path not in ready]
        return ordered

    def combinations(self) -> Iterator[dict[str, Level]]:
        """Yield every combination of design levels, without those of axes that do not exist; none comes twice."""
        yield from self._distinct(itertools.product(*(axis.design_levels for axis in self.axes.values())))

    def _distinct(self, cells: Iterable[Sequence[Level]]) -> Iterator[dict[str, Level]]:
        seen: set[tuple[tuple[str, str], ...]] = set()
        for levels in cells:
            settings = self.active(dict(zip(self.axes, levels, strict=True)))
            identity = tuple((path, level.label) for path, level in settings.items())
            if identity not in seen:
                seen.add(identity)
                yield settings

    def check(self) -> None:
        """Try every level of every axis, then combinations of them, so that a search meets no invalid trial.

        Raises:
            StudyError: The first axis or combination that makes no valid trial.
        """
        for path, axis in self.axes.items():
            self._check_conditions(path, axis)
        for path, axis in self.axes.items():
            self._check_path(path)
            for level in extremes(axis):
                self._check_level(path, level)
        for settings in self._some_combinations():
            self.config(settings)

    def _check_conditions(self, path: str, axis: Axis) -> None:
        for name in axis.when:
            if name not in self.axes and not _leads_to_entry(self.config({}), name):
                known = [*self.axes, *_paths(self._filled_base)]
                raise StudyError(
                    f"axes.{path}.when: '{name}' is neither an axis nor in base; {_nearest_few(name, known)}"
                )

    def _check_path(self, path: str) -> None:
        if self._is_variants(path):
            return
        settings = self._making_exist(path)
        if not self.exists(path, settings):
            raise StudyError(f"axes.{path}.when: no level of the axes that it names makes this axis exist")
        config = self.config(settings)
        if not _leads_to_entry(config, path):
            known = list(_paths(config.model_dump(mode="json")))
            raise StudyError(
                f"axes.{path}: leads to no entry of a trial; {_nearest_few(path, known)} (an entry that only some "
                "architecture or loss has needs a `when`)"
            )

    def _check_level(self, path: str, level: Level) -> None:
        try:
            self._trial({**self._making_exist(path), path: level})
        except ValidationError as error:
            message = f"level '{level.label}' makes no valid trial: {first_problem(error)}"
            raise StudyError(f"axes.{path}: {message}") from None

    def _making_exist(self, path: str) -> dict[str, Level]:
        settings: dict[str, Level] = {}
        for name, wanted in self.axes[path].when.items():
            if name in self.axes and (
                self._is_variants(name) or not holds({name: wanted}, {name: self._told(name, self._own_level(name))})
            ):
                levels = [self._own_level(name), *extremes(self.axes[name])]
                fitting = [level for level in levels if holds({name: wanted}, {name: self._told(name, level)})]
                if fitting:
                    settings |= {**self._making_exist(name), name: fitting[0]}
        return settings

    def _some_combinations(self) -> Iterator[dict[str, Level]]:
        """Yield all combinations of levels and ends where they are few, else some of them."""
        levels = [extremes(axis) for axis in self.axes.values()]
        cells: Iterable[Sequence[Level]] = itertools.product(*levels)
        if math.prod(map(len, levels)) > _COMBINATIONS_CHECKED:
            draw = random.Random(0)
            cells = ([draw.choice(choices) for choices in levels] for _ in range(_COMBINATIONS_CHECKED))
        yield from self._distinct(cells)

    def _trial(self, settings: Settings) -> TrialConfig:
        active = self.active(settings)
        chosen = {**self.found(active), **active}
        axes = {**(self.tuned.axes if self.tuned else {}), **self.axes}
        return TrialConfig.model_validate(changed(self.base, axes, chosen))

    def _is_variants(self, path: str) -> bool:
        return path in self.axes and self.axes[path].variants is not None

    def _own_level(self, path: str) -> Level:
        axis = self.axes[path]
        if axis.variants is not None:
            return axis.searched_levels[0]
        own = axis.level_of(self.value(path))
        if own in extremes(axis) or not isinstance(own.value, Mapping | str):  # a path is written from the root
            return own
        return next((level for level in extremes(axis) if self._fills_in_as(path, level, own.value)), own)

    def _fills_in_as(self, path: str, level: Level, filled: object) -> bool:
        """Say whether a level is this value of the base, in which defaults are filled in."""
        try:
            return bool(Space(apply_settings(self.base, {path: level.value}), {}).value(path) == filled)
        except ValidationError:
            return False

    def _looked_at(self, name: str, settings: Settings) -> object:
        if name in settings:
            return self._told(name, settings[name])
        return self._told(name, self._own_level(name)) if self._is_variants(name) else self.value(name)

    def _told(self, path: str, level: Level) -> object:
        return self.axes[path].told(level) if path in self.axes else level.value

    @cached_property
    def _filled_base(self) -> dict[str, Any]:
        return TrialConfig.model_validate(dict(self.base)).model_dump(mode="json")


def labels_of(held: Iterable[str], settings: Settings) -> Labels:
    """Return the labels of some axes' levels, None for one that does not exist under the settings."""
    return tuple(settings[path].label if path in settings else None for path in held)


def extremes(axis: Axis) -> list[Level]:
    """Return the levels of an axis and, for a range, its ends."""
    levels = [*axis.named_levels, *(Level(str(end), end) for end in axis.span or ())]
    return list({level.label: level for level in levels}.values())


def _leads_to_entry(config: TrialConfig, path: str) -> bool:
    """Say whether a path ends at a field, or at an entry (also a new one) of a map whose keys are free."""
    *parents, last = split_path(path)
    holder: Any = config
    for step in parents:
        if isinstance(holder, Config):
            holder = getattr(holder, step, None) if step in type(holder).model_fields else None
        elif isinstance(holder, Mapping):
            holder = holder.get(same_key(holder, step))
    return isinstance(holder, Mapping) or (isinstance(holder, Config) and last in type(holder).model_fields)


def _paths(content: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    for key, value in content.items():
        yield f"{prefix}{key}"
        if isinstance(value, Mapping):
            yield from _paths(value, f"{prefix}{key}.")


def _nearest_few(name: str, known: Sequence[str]) -> str:
    if len(known) <= 12:
        return nearest(name, known)
    close = nearest(name, known).split(" (")[0]
    return close if close.startswith("did you mean") else "allowed: the path of any entry of base"

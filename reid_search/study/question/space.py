"""The space of a study: turns settings of axes into trial configs."""

import itertools
import math
import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from pydantic import ValidationError

from reid_search.errors import StudyError, nearest
from reid_search.study.component import WITH_DEFAULTS, Config, family_of
from reid_search.study.language.document import key_of, split_path
from reid_search.study.language.validation_errors import Mistake, mistakes
from reid_search.study.question.axes import Axis, Level, holds
from reid_search.study.question.edits import apply_settings, changed
from reid_search.study.trial.recipes import KEY, WHERE_TAKEN
from reid_search.study.trial.trial import TrialConfig

Settings = Mapping[str, Level]
Labels = tuple[str | None, ...]

_COMBINATIONS_CHECKED = 100
_COMBINATIONS_LISTED = 10_000


@dataclass(frozen=True)
class Tuned:
    """What a search found for each level of an axis, or for each arm of an ablation.

    Attributes:
        held: That axis, or the axes of the ablation.
        best: Labels of their levels (see `labels_of`) → the best settings of the other axes.
        axes: The axes of the search, in order.
    """

    held: tuple[str, ...]
    best: Mapping[Labels, Settings]
    axes: Mapping[str, Axis]

    def settings_of(self, settings: Settings) -> Settings:
        """Return what was found for the levels that settings have of the held axes; empty if nothing was."""
        return self.best.get(labels_of(self.held, settings), {})


class NoTrial(StudyError):
    """Settings that make no valid trial.

    Attributes:
        settings: They.
        mistakes: What is wrong with the entries of the trial that they make.
        axis: The axis of which one level was tried, without which the trial is valid; empty if many were.
    """

    def __init__(self, settings: Settings, mistakes: Sequence[Mistake], axis: str = "") -> None:
        shown = ", ".join(f"{path}={level.label}" for path, level in settings.items())
        path, rule = mistakes[0]
        super().__init__(f"{shown or 'base'}: {'.'.join(map(str, path))}: {rule}")
        self.settings, self.mistakes, self.axis = settings, mistakes, axis


@dataclass(frozen=True)
class Space:
    """What varies around what.

    Attributes:
        base: The baseline's config as written, plain data.
        axes: The axes by dotted path into the base, or by name if they have variants.
        tuned: What a search found for each level of an axis or for each arm, if it tuned them separately.
    """

    base: Mapping[str, object]
    axes: Mapping[str, Axis]
    tuned: Tuned | None = None

    def config(self, settings: Settings) -> TrialConfig:
        """Return the base with these settings as a trial config; those of axes that do not exist are ignored.

        Raises:
            NoTrial: The trial is not valid.
        """
        return self._trial(settings)

    def found(self, settings: Settings) -> Settings:
        """Return what a search found for these settings in particular."""
        return self.tuned.settings_of(settings) if self.tuned else {}

    def active(self, settings: Settings) -> dict[str, Level]:
        """Return the settings whose axes exist given the others, in the order of the axes."""
        chosen: dict[str, Level] = {}
        for path in self.order():
            if path in settings and self.exists(path, chosen):
                chosen[path] = settings[path]
        return {path: chosen[path] for path in self.axes if path in chosen}

    def exists(self, path: str, settings: Settings) -> bool:
        """Say whether an axis exists under these settings, which is false if its condition names an axis that does not.

        A condition on an entry without a setting compares the base's value.
        """
        when = self.axes[path].when
        return all(self.exists(name, settings) for name in when if name in self.axes) and holds(
            when, {name: self._compared(name, settings) for name in when}
        )

    def value(self, path: str) -> object:
        """Return the base's value at a dotted path, with defaults filled in; None if there is none."""
        found: object = self._filled_base
        for step in split_path(path):
            found = found.get(key_of(found, step)) if isinstance(found, Mapping) else None
        return found

    def centre(self) -> dict[str, Level]:
        """Return the base's settings of every axis that exists there."""
        settings: dict[str, Level] = {}
        for path in self.order():
            if self.exists(path, settings):
                settings[path] = self._own_level(path)
        return {path: settings[path] for path in self.axes if path in settings}

    def completed(self, settings: Settings) -> dict[str, Level]:
        """Return settings together with the levels that their trial has on every other axis that exists."""
        chosen = {**self.centre(), **settings}
        trial = Space(self.config(chosen).model_dump(mode="json"), self.axes)
        for path in self.order():
            if path not in chosen and self.exists(path, self.active(chosen)):
                chosen[path] = trial._own_level(path)
        return self.active(chosen)

    def off_level(self, path: str) -> Level | None:
        """Return the level at which an axis is off; None if it has none and does not exist in the base."""
        return self.axes[path].off_level or self.centre().get(path)

    def order(self) -> list[str]:
        """Return the axes so that each comes after those that its condition names.

        Raises:
            StudyError: Conditions name each other in a circle.
        """
        ordered: list[str] = []
        waiting = list(self.axes)
        while waiting:
            ready = [path for path in waiting if not set(self.axes[path].when) & set(waiting)]
            if not ready:
                raise StudyError(f"axes.{waiting[0]}.when: the conditions of {', '.join(waiting)} form a circle")
            ordered.extend(ready)
            waiting = [path for path in waiting if path not in ready]
        return ordered

    def combinations(self) -> Iterator[dict[str, Level]]:
        """Yield every combination of design levels of the axes that exist, each once."""
        yield from self._distinct(itertools.product(*(axis.design_levels for axis in self.axes.values())))

    def searched(self) -> Iterator[dict[str, Level]] | None:
        """Yield every combination of what a search proposes, each once; None with a range of numbers, or too many."""
        levels = [axis.searched_levels or axis.whole_numbers for axis in self.axes.values()]
        listed = all(levels) and math.prod(map(len, levels)) <= _COMBINATIONS_LISTED
        return self._distinct(itertools.product(*levels)) if listed else None

    def _distinct(self, cells: Iterable[Sequence[Level]]) -> Iterator[dict[str, Level]]:
        seen: set[tuple[tuple[str, str], ...]] = set()
        for levels in cells:
            settings = self.active(dict(zip(self.axes, levels, strict=True)))
            identity = tuple((path, level.label) for path, level in settings.items())
            if identity not in seen:
                seen.add(identity)
                yield settings

    def check(self) -> None:
        """Try every level of every axis, then combinations of them, so that a search proposes no invalid trial.

        Raises:
            StudyError: The first axis, level or combination without a valid trial.
        """
        for path, axis in self.axes.items():
            for name in axis.when:
                if name not in self.axes and not _leads_to_entry(self.config({}), name):
                    known = _nearest_few(name, [*self.axes, *_paths(self._filled_base)])
                    raise StudyError(f"axes.{path}.when: '{name}' is neither an axis nor in base; {known}")
        for path in self.axes:
            self._check_axis(path)
        for settings in self._distinct(cells([extremes(axis) for axis in self.axes.values()], _COMBINATIONS_CHECKED)):
            self.config(settings)

    def around(self, path: str) -> Iterator[dict[str, Level]]:
        """Yield settings of the other axes under which an axis exists: the base's first, then combinations of them."""
        yield self._making_exist(path)
        others = {name: extremes(axis) for name, axis in self.axes.items() if name != path}
        for levels in cells(list(others.values()), _COMBINATIONS_CHECKED):
            settings = dict(zip(others, levels, strict=True))
            if self.exists(path, settings):
                yield settings

    def _check_axis(self, path: str) -> None:
        settings = self._making_exist(path)
        if not self._is_variants(path):
            if path == KEY:
                raise StudyError(f"axes.{path}: not an entry of a trial; {WHERE_TAKEN}")
            if not self.exists(path, settings):
                hint = self._not_boolean(path, settings)
                raise StudyError(f"axes.{path}.when: no level of the axes that it names makes this axis exist{hint}")
            config = self.config(settings)
            if not _leads_to_entry(config, path):
                known = _of_others(config, path) or _nearest_few(path, list(_paths(config.model_dump(mode="json"))))
                hint = "an entry that only some architecture or loss has needs a `when`"
                raise StudyError(f"axes.{path}: a trial has no such entry; {known} ({hint})")
        for level in extremes(self.axes[path]):
            self._trial({**settings, path: level}, path)

    def _not_boolean(self, path: str, settings: Settings) -> str:
        """Say where a condition compares a boolean with something else, such as `yes`, which is text."""
        for name, wanted in self.axes[path].when.items():
            given = wanted if isinstance(wanted, list) else [wanted]
            if isinstance(self._compared(name, settings), bool) and not any(isinstance(item, bool) for item in given):
                return f"; {name} is true or false, which {given[0]!r} is not"
        return ""

    def _making_exist(self, path: str) -> dict[str, Level]:
        """Return settings that meet the condition of an axis, where other axes can meet it."""
        settings: dict[str, Level] = {}
        for name, wanted in self.axes[path].when.items():
            if name in self.axes:
                own = self._own_level(name)
                levels = [own, *extremes(self.axes[name])]
                fitting = [level for level in levels if holds({name: wanted}, {name: self._told(name, level)})]
                if fitting and (self._is_variants(name) or fitting[0] is not own):
                    settings |= {**self._making_exist(name), name: fitting[0]}
        return settings

    def _trial(self, settings: Settings, axis: str = "") -> TrialConfig:
        """Return a trial; `axis` is as in `NoTrial`."""
        active = self.active(settings)
        chosen = {**self.found(active), **active}
        axes = {**(self.tuned.axes if self.tuned else {}), **self.axes}
        try:
            return TrialConfig.model_validate(changed(self.base, axes, chosen))
        except ValidationError as error:
            raise NoTrial(settings, list(mistakes(error)), axis) from None

    def _is_variants(self, path: str) -> bool:
        return path in self.axes and self.axes[path].variants is not None

    def _own_level(self, path: str) -> Level:
        axis = self.axes[path]
        if axis.variants is not None:
            return axis.searched_levels[0]
        own = axis.level_of(self.value(path))
        filled_in = isinstance(own.value, Mapping | str) or _holds_maps(own.value)  # a path is written from the root
        if own in extremes(axis) or not filled_in:
            return own
        return next((level for level in extremes(axis) if self._fills_in_as(path, level, own.value)), own)

    def _fills_in_as(self, path: str, level: Level, filled: object) -> bool:
        """Say whether a level, with defaults filled in, is this value of the base."""
        try:
            return Space(apply_settings(self.base, {path: level.value}), {}).value(path) == filled
        except ValidationError:
            return False

    def _compared(self, name: str, settings: Settings) -> object:
        if name in settings:
            return self._told(name, settings[name])
        return self._told(name, self._own_level(name)) if self._is_variants(name) else self.value(name)

    def _told(self, path: str, level: Level) -> object:
        return self.axes[path].told(level) if path in self.axes else level.value

    @cached_property
    def _filled_base(self) -> dict[str, object]:
        return TrialConfig.model_validate(dict(self.base)).model_dump(mode="json", context=WITH_DEFAULTS)


def _holds_maps(value: object) -> bool:
    return isinstance(value, list) and any(isinstance(item, Mapping) for item in value)


def labels_of(held: Iterable[str], settings: Settings) -> Labels:
    """Return the labels of the levels of some axes, None for an axis that does not exist."""
    return tuple(settings[path].label if path in settings else None for path in held)


def extremes(axis: Axis) -> list[Level]:
    """Return the levels of an axis and the ends of its range."""
    levels = [*axis.named_levels, *(Level(str(end), end) for end in axis.span or ())]
    return list({level.label: level for level in levels}.values())


def cells(levels: Sequence[Sequence[Level]], most: int) -> Iterable[Sequence[Level]]:
    """Return every combination of one level from each sequence, or a fixed sample of `most` if there are more."""
    if math.prod(map(len, levels)) <= most:
        return itertools.product(*levels)
    draw = random.Random(0)
    return ([draw.choice(choices) for choices in levels] for _ in range(most))


def _leads_to_entry(config: TrialConfig, path: str) -> bool:
    """Say whether a path ends at a field, or at any entry of a map with free keys."""
    *parents, last = split_path(path)
    holder: object = config
    for step in parents:
        if isinstance(holder, Config):
            holder = getattr(holder, step, None) if step in type(holder).model_fields else None
        elif isinstance(holder, Mapping):
            holder = holder.get(key_of(holder, step))
    return isinstance(holder, Mapping) or (isinstance(holder, Config) and last in type(holder).model_fields)


def _of_others(config: TrialConfig, path: str) -> str | None:
    """Say which other components have the entry that a path names, if any."""
    holder: object = config
    for step in split_path(path):
        if isinstance(holder, Config) and step not in type(holder).model_fields:
            family = family_of(type(holder))
            whose = family.whose(step) if family else None
            return f"'{step}' is {whose}" if whose else None
        below = isinstance(holder, Mapping) and holder.get(key_of(holder, step))
        holder = getattr(holder, step) if isinstance(holder, Config) else below
    return None


def _paths(content: Mapping[str, object], prefix: str = "") -> Iterator[str]:
    for key, value in content.items():
        yield f"{prefix}{key}"
        if isinstance(value, Mapping):
            yield from _paths(value, f"{prefix}{key}.")


def _nearest_few(name: str, known: Sequence[str]) -> str:
    if len(known) <= 12:
        return nearest(name, known)
    close = nearest(name, known).split(" (")[0]
    return close if close.startswith("did you mean") else "allowed: the path of any entry of base"

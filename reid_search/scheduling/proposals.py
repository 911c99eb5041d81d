"""Proposals of a search: an Optuna study in memory, rebuilt from the log of asks and the records.

Each proposal has a sampler and an Optuna study of its own: the sampler is made from the study's seed and the trial's
number, the Optuna study from the trials known by then. So a sampler keeps no state that a dying driver would lose.
"""

import logging
import math
import random
import warnings
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import optuna

from reid_search.study import PRUNERS, SAMPLERS, Axis, Level, SearchPhase, Settings, Space

Params = dict[str, str | float | int]
Asked = tuple[Settings, Params]

NOISE = 0.01  # of a range: nearer settings train alike
_DRAWS, _DRAWS_AT_RANDOM = 8, 100
_DIGITS = 4


class Proposer:
    """Asks Optuna for settings and tells it how they did.

    Args:
        name: Name of the Optuna study. Hyperband hashes it, so a run that resumes must give the same one.
    """

    def __init__(self, phase: SearchPhase, space: Space, seed: int, name: str) -> None:
        logging.getLogger("optuna").setLevel(logging.WARNING)
        warnings.filterwarnings("ignore", category=optuna.exceptions.ExperimentalWarning)
        self._phase = phase
        self._space = space
        self._seed = seed
        self._cells = phase.sampler.cells(space, seed)
        self._made: list[Settings] = []
        self._labels: set[tuple[tuple[str, str], ...]] = set()
        cells = phase.sampler.count(space, phase.trials) if self._cells is None else len(self._cells)
        self._most = min(phase.trials, cells)
        self._study = optuna.create_study(
            study_name=name,
            direction="maximize",
            sampler=optuna.samplers.RandomSampler(seed=seed),  # for a logged parameter that is not in the space
            pruner=PRUNERS.work_module(phase.pruner).build(phase.pruner, space.config({}).training.epochs),
        )
        self._trials: dict[int, optuna.Trial] = {}

    @property
    def made(self) -> int:
        """Number of proposals so far."""
        return len(self._made)

    @property
    def total(self) -> int:
        """Number of proposals there will be: `trials`, or as many as settings differ; never fewer than were made."""
        return max(self._most, self.made)

    def ask(self, number: int, is_repeat: Callable[[Settings], bool] = lambda _: False) -> Asked | None:
        """Return new settings, and the parameters from which `again` makes them anew.

        Settings that were proposed before, or differ from those only within noise, are drawn again, up to a limit.

        Args:
            number: The proposal.
            is_repeat: Says of other settings that they, too, would measure what is known.

        Returns:
            The proposal; None if all that is left are repeats, and then for good.
        """
        close: Params | None = None
        for settings, params in self._drawn(number):
            if _labels(settings) in self._labels or is_repeat(settings):
                continue
            if self._cells is not None or not any(within_noise(settings, known, self._space) for known in self._made):
                return self.again(number, params)
            close = close or params
        if close is not None:
            return self.again(number, close)
        self._most = self.made
        return None

    def again(self, number: int, params: Params) -> Asked:
        """Return the settings of a proposal that an earlier run made."""
        self._study.enqueue_trial(params)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            trial = self._trials[number] = self._study.ask()
            settings = self._suggest(trial)
            self._made.append(settings)
            self._labels.add(_labels(settings))
            return settings, dict(trial.params)

    def report(self, number: int, epoch: int, value: float) -> bool:
        """Report an epoch's objective; return whether the pruner would stop the trial here."""
        trial = self._trials[number]
        trial.report(value, epoch)
        return bool(trial.should_prune())

    def tell(self, number: int, value: float | None, *, stopped: bool = False) -> None:
        """Tell how a trial ended: with a value, stopped early, or failed; NaN counts as failed."""
        if value is not None and not math.isnan(value):
            self._study.tell(self._trials[number], value)
        else:
            state = optuna.trial.TrialState.PRUNED if stopped else optuna.trial.TrialState.FAIL
            self._study.tell(self._trials[number], state=state)

    def _drawn(self, number: int) -> Iterator[Asked]:
        """Yield what a proposal may be, in order of preference, each drawn from the study's seed and both numbers.

        A draw that is passed over stays under way in this Optuna study, so that TPE keeps away from it.
        """
        if self._cells is not None:
            yield from map(self._named, self._cells)
            return
        study = optuna.create_study(direction="maximize", sampler=optuna.samplers.RandomSampler())
        study.add_trials(self._study.get_trials(deepcopy=False))
        every = self._phase.sampler.every(self._space)
        for draw in range(_DRAWS if every else _DRAWS + _DRAWS_AT_RANDOM):
            seed = self._seed_of(number, draw)
            study.sampler = self._sampler(seed) if draw < _DRAWS else optuna.samplers.RandomSampler(seed)
            trial = study.ask()
            yield self._suggest(trial), dict(trial.params)
        if every:
            left = list(every)
            random.Random(self._seed_of(number, _DRAWS)).shuffle(left)
            yield from map(self._named, left)

    def _seed_of(self, number: int, draw: int) -> int:
        # Zeros at the end count for nothing, so the first draw has the seed that it had before there were others.
        return int(np.random.SeedSequence([self._seed, number, draw]).generate_state(1)[0])

    def _sampler(self, seed: int) -> optuna.samplers.BaseSampler:
        sampler = self._phase.sampler
        return SAMPLERS.work_module(sampler).build(sampler, seed)

    def _suggest(self, trial: optuna.Trial) -> Settings:
        settings: dict[str, Level] = {}
        for path in self._space.order():
            if self._space.exists(path, settings):
                settings[path] = self._level(trial, path, self._space.axes[path])
        return {path: settings[path] for path in self._space.axes if path in settings}

    def _choices(self, axis: Axis) -> Sequence[Level]:
        return axis.design_levels if self._phase.sampler.of_levels else axis.searched_levels

    def _named(self, settings: Settings) -> Asked:
        """Return settings with what the sampler would suggest for them: labels, and whole numbers of a range."""
        params: Params = {}
        for path, level in settings.items():
            axis = self._space.axes[path]
            whole = axis.integer and not self._choices(axis) and isinstance(level.value, int)
            params[path] = int(str(level.value)) if whole else level.label
        return settings, params

    def _level(self, trial: optuna.Trial, path: str, axis: Axis) -> Level:
        if levels := self._choices(axis):
            label = trial.suggest_categorical(path, [level.label for level in levels])
            return next(level for level in levels if level.label == label)
        if axis.integer:
            return axis.level_of(trial.suggest_int(path, *axis.integer))
        low, high = axis.uniform or axis.log_uniform or (0.0, 1.0)
        value = trial.suggest_float(path, low, high, log=axis.log_uniform is not None)
        return axis.level_of(min(max(float(f"{value:.{_DIGITS}g}"), low), high))


def proposers(phase: SearchPhase, spaces: Sequence[Space], seed: int, study: str) -> list[Proposer]:
    """Return who proposes for each space of a search of a study; each space is searched for itself."""
    name = f"{study}/{phase.name}"
    names = [name] if phase.each is None else [f"{name}/{share}" for share in range(len(spaces))]
    return [Proposer(phase, space, seed, own) for space, own in zip(spaces, names, strict=True)]


def within_noise(one: Settings, other: Settings, space: Space) -> bool:
    """Say whether settings differ at most by numbers nearer than 1 % of their range, on the range's own scale."""
    return one.keys() == other.keys() and all(_alike(space.axes[path], one[path], other[path]) for path in one)


def _alike(axis: Axis, one: Level, other: Level) -> bool:
    span, scale = axis.log_uniform or axis.uniform, math.log if axis.log_uniform else float
    values = [level.value for level in (one, other) if isinstance(level.value, int | float)]
    if span is None or len(values) < 2:
        return one.label == other.label
    low, high, first, second = map(scale, (*span, *values))
    return abs(first - second) < NOISE * (high - low)


def _labels(settings: Settings) -> tuple[tuple[str, str], ...]:
    return tuple((path, level.label) for path, level in settings.items())

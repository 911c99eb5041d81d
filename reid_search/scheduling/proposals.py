"""Proposals of a search: an Optuna study in memory, rebuilt from the log of asks and the records.

The sampler is seeded from (study seed, trial number) at every ask, so that what is proposed does not depend on when a
driver died.
"""

import logging
import random
import warnings
from collections.abc import Sequence
from functools import cached_property

import numpy as np
import optuna

from reid_search.study import Axis, Level, SearchPhase, Settings, Space

Params = dict[str, str | float | int]

_DIGITS = 4


class Proposer:
    """Asks Optuna for settings and tells it how they did.

    Args:
        phase: The search.
        space: What it searches.
        seed: Seed of the study.
    """

    def __init__(self, phase: SearchPhase, space: Space, seed: int) -> None:
        logging.getLogger("optuna").setLevel(logging.WARNING)
        warnings.filterwarnings("ignore", category=optuna.exceptions.ExperimentalWarning)
        self._phase = phase
        self._space = space
        self._seed = seed
        self._study = optuna.create_study(direction="maximize", pruner=_pruner(phase), sampler=self._sampler(0))
        self._trials: dict[int, optuna.Trial] = {}

    @property
    def count(self) -> int:
        """How many proposals the search makes: `trials`, or the whole grid where that is smaller."""
        if self._phase.sampler == "grid":
            return min(self._phase.trials, len(self._grid))
        return self._phase.trials

    def ask(self, number: int) -> tuple[Settings, Params]:
        """Return new settings, and the parameters from which `again` makes the same."""
        if self._phase.sampler == "grid":
            return self.again(number, {path: level.label for path, level in self._grid[number].items()})
        self._study.sampler = self._sampler(number)
        return self._suggest(number)

    def again(self, number: int, params: Params) -> tuple[Settings, Params]:
        """Return the settings of a proposal that an earlier run made."""
        self._study.enqueue_trial(params)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return self._suggest(number)

    def report(self, number: int, epoch: int, value: float) -> bool:
        """Report an epoch's objective; return whether the pruner would stop the trial here."""
        trial = self._trials[number]
        trial.report(value, epoch)
        return self._phase.pruner.kind != "none" and trial.should_prune()

    def tell_finished(self, number: int, value: float) -> None:
        """Tell the objective of a finished trial."""
        self._study.tell(self._trials[number], value)

    def tell_stopped(self, number: int) -> None:
        """Tell that the trial was stopped early."""
        self._study.tell(self._trials[number], state=optuna.trial.TrialState.PRUNED)

    def tell_failed(self, number: int) -> None:
        """Tell that the trial has no value; Optuna would leave a trial that is told NaN running."""
        self._study.tell(self._trials[number], state=optuna.trial.TrialState.FAIL)

    def _suggest(self, number: int) -> tuple[Settings, Params]:
        trial = self._study.ask()
        self._trials[number] = trial
        settings: dict[str, Level] = {}
        for path in self._space.order():
            if self._space.exists(path, settings):
                settings[path] = self._level(trial, path, self._space.axes[path])
        return {path: settings[path] for path in self._space.axes if path in settings}, dict(trial.params)

    def _level(self, trial: optuna.Trial, path: str, axis: Axis) -> Level:
        levels: Sequence[Level] = axis.design_levels if self._phase.sampler == "grid" else axis.searched_levels
        if levels:
            label = trial.suggest_categorical(path, [level.label for level in levels])
            return next(level for level in levels if level.label == label)
        if axis.integer:
            return axis.level_of(trial.suggest_int(path, *axis.integer))
        low, high = axis.uniform or axis.log_uniform or (0.0, 1.0)
        value = trial.suggest_float(path, low, high, log=axis.log_uniform is not None)
        return axis.level_of(min(max(float(f"{value:.{_DIGITS}g}"), low), high))

    @cached_property
    def _grid(self) -> list[dict[str, Level]]:
        """Every combination of levels, shuffled, so that the first part of a grid is no corner of it."""
        cells = list(self._space.combinations())
        random.Random(self._seed).shuffle(cells)
        return cells

    def _sampler(self, number: int) -> optuna.samplers.BaseSampler:
        seed = int(np.random.SeedSequence([self._seed, number]).generate_state(1)[0])
        if self._phase.sampler == "tpe":
            return optuna.samplers.TPESampler(seed=seed, multivariate=True, group=True)
        return optuna.samplers.RandomSampler(seed=seed)


class ProposerOfEach:
    """Searches each share for itself, in turns, so that an interrupted search is balanced.

    Args:
        phase: The search, with `each`.
        spaces: What each share searches.
        seed: Seed of the study.
    """

    def __init__(self, phase: SearchPhase, spaces: Sequence[Space], seed: int) -> None:
        self._proposers = [Proposer(phase, space, seed) for space in spaces]
        most = max(proposer.count for proposer in self._proposers)
        self._turns = [(proposer, own) for own in range(most) for proposer in self._proposers if own < proposer.count]

    @property
    def count(self) -> int:
        """How many proposals the search makes."""
        return len(self._turns)

    def ask(self, number: int) -> tuple[Settings, Params]:
        """Return new settings, and the parameters from which `again` makes the same."""
        proposer, own = self._of(number)
        return proposer.ask(own)

    def again(self, number: int, params: Params) -> tuple[Settings, Params]:
        """Return the settings of a proposal that an earlier run made."""
        proposer, own = self._of(number)
        return proposer.again(own, params)

    def report(self, number: int, epoch: int, value: float) -> bool:
        """Report an epoch's objective; return whether the pruner would stop the trial here, among its share's."""
        proposer, own = self._of(number)
        return proposer.report(own, epoch, value)

    def tell_finished(self, number: int, value: float) -> None:
        """Tell the objective of a finished trial."""
        proposer, own = self._of(number)
        proposer.tell_finished(own, value)

    def tell_stopped(self, number: int) -> None:
        """Tell that the trial was stopped early."""
        proposer, own = self._of(number)
        proposer.tell_stopped(own)

    def tell_failed(self, number: int) -> None:
        """Tell that the trial has no value."""
        proposer, own = self._of(number)
        proposer.tell_failed(own)

    def _of(self, number: int) -> tuple[Proposer, int]:
        return self._turns[number]


def proposer_of(phase: SearchPhase, spaces: Sequence[Space], seed: int) -> Proposer | ProposerOfEach:
    """Return who makes the proposals of a search, of which each share searches a space."""
    return Proposer(phase, spaces[0], seed) if phase.each is None else ProposerOfEach(phase, spaces, seed)


def _pruner(phase: SearchPhase) -> optuna.pruners.BasePruner:
    if phase.pruner.kind == "none":
        return optuna.pruners.NopPruner()
    return optuna.pruners.SuccessiveHalvingPruner(
        min_resource=phase.pruner.min_epochs, reduction_factor=phase.pruner.reduction
    )

"""Proposals of a search: an Optuna study in memory, rebuilt from the log of asks and the records.

Every proposal is asked of a sampler and an Optuna study that are made for it: the sampler from the study's seed and the
trial's number, the study from what is known by then. So nothing that a sampler keeps to itself, and that a driver would
lose by dying, can change what is proposed.
"""

import logging
import math
import warnings
from collections.abc import Sequence

import numpy as np
import optuna

from reid_search.pruners.build import build_pruner
from reid_search.samplers.build import build_sampler
from reid_search.study import Axis, Level, SearchPhase, Settings, Space

Params = dict[str, str | float | int]

_DIGITS = 4


class Proposer:
    """Asks Optuna for settings and tells it how they did.

    Args:
        name: Name of the Optuna study. Hyperband hashes it, so a run that goes on must give the same.
    """

    def __init__(self, phase: SearchPhase, space: Space, seed: int, name: str) -> None:
        logging.getLogger("optuna").setLevel(logging.WARNING)
        warnings.filterwarnings("ignore", category=optuna.exceptions.ExperimentalWarning)
        self._phase = phase
        self._space = space
        self._seed = seed
        self._cells = phase.sampler.cells(space, seed)
        self._study = optuna.create_study(
            study_name=name,
            direction="maximize",
            sampler=optuna.samplers.RandomSampler(seed=seed),  # where a logged parameter is not in the space
            pruner=build_pruner(phase.pruner, space.config({}).training.epochs),
        )
        self._trials: dict[int, optuna.Trial] = {}

    @property
    def count(self) -> int:
        """How many proposals the search makes: `trials`, or all that there are where these are fewer."""
        return self._phase.trials if self._cells is None else min(self._phase.trials, len(self._cells))

    def ask(self, number: int) -> tuple[Settings, Params]:
        """Return new settings, and the parameters from which `again` makes the same."""
        if self._cells is not None:
            return self.again(number, {path: level.label for path, level in self._cells[number].items()})
        trial = self._known(number).ask()
        self._suggest(trial)
        return self.again(number, dict(trial.params))

    def again(self, number: int, params: Params) -> tuple[Settings, Params]:
        """Return the settings of a proposal that an earlier run made."""
        self._study.enqueue_trial(params)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            trial = self._trials[number] = self._study.ask()
            return self._suggest(trial), dict(trial.params)

    def report(self, number: int, epoch: int, value: float) -> bool:
        """Report an epoch's objective; return whether the pruner would stop the trial here."""
        trial = self._trials[number]
        trial.report(value, epoch)
        return bool(trial.should_prune())

    def tell_finished(self, number: int, value: float) -> None:
        """Tell the objective of a finished trial; one that is NaN counts as failed."""
        if math.isnan(value):
            self.tell_failed(number)
        else:
            self._study.tell(self._trials[number], value)

    def tell_stopped(self, number: int) -> None:
        """Tell that the trial was stopped early."""
        self._study.tell(self._trials[number], state=optuna.trial.TrialState.PRUNED)

    def tell_failed(self, number: int) -> None:
        """Tell that the trial has no value."""
        self._study.tell(self._trials[number], state=optuna.trial.TrialState.FAIL)

    def _known(self, number: int) -> optuna.Study:
        """Return an Optuna study of all trials so far, with the sampler of a proposal."""
        seed = int(np.random.SeedSequence([self._seed, number]).generate_state(1)[0])
        study = optuna.create_study(direction="maximize", sampler=build_sampler(self._phase.sampler, seed))
        study.add_trials(self._study.get_trials(deepcopy=False))
        return study

    def _suggest(self, trial: optuna.Trial) -> Settings:
        settings: dict[str, Level] = {}
        for path in self._space.order():
            if self._space.exists(path, settings):
                settings[path] = self._level(trial, path, self._space.axes[path])
        return {path: settings[path] for path in self._space.axes if path in settings}

    def _level(self, trial: optuna.Trial, path: str, axis: Axis) -> Level:
        levels: Sequence[Level] = axis.design_levels if self._phase.sampler.of_levels else axis.searched_levels
        if levels:
            label = trial.suggest_categorical(path, [level.label for level in levels])
            return next(level for level in levels if level.label == label)
        if axis.integer:
            return axis.level_of(trial.suggest_int(path, *axis.integer))
        low, high = axis.uniform or axis.log_uniform or (0.0, 1.0)
        value = trial.suggest_float(path, low, high, log=axis.log_uniform is not None)
        return axis.level_of(min(max(float(f"{value:.{_DIGITS}g}"), low), high))


class ProposerOfEach:
    """Searches each share for itself, in turns, so that an interrupted search is balanced.

    Args:
        spaces: What each share searches.
        name: Name of the Optuna studies, each with its share's number.
    """

    def __init__(self, phase: SearchPhase, spaces: Sequence[Space], seed: int, name: str) -> None:
        self._proposers = [Proposer(phase, space, seed, f"{name}/{share}") for share, space in enumerate(spaces)]
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


def proposer_of(phase: SearchPhase, spaces: Sequence[Space], seed: int, study: str) -> Proposer | ProposerOfEach:
    """Return who makes the proposals of a search of a study, of which each share searches a space."""
    name = f"{study}/{phase.name}"
    return Proposer(phase, spaces[0], seed, name) if phase.each is None else ProposerOfEach(phase, spaces, seed, name)

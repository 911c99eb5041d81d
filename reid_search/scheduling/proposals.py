"""Proposals of a search: an Optuna study in memory, rebuilt from the log of asks and the records.

Each proposal has a sampler and an Optuna study of its own: the sampler is made from the study's seed and the trial's
number, the Optuna study from the trials known by then. So a sampler keeps no state that a dying driver would lose.
"""

import logging
import math
import warnings
from collections.abc import Sequence

import numpy as np
import optuna

from reid_search.study import PRUNERS, SAMPLERS, Axis, Level, SearchPhase, Settings, Space

Params = dict[str, str | float | int]

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
        self._study = optuna.create_study(
            study_name=name,
            direction="maximize",
            sampler=optuna.samplers.RandomSampler(seed=seed),  # for a logged parameter that is not in the space
            pruner=PRUNERS.work_module(phase.pruner).build(phase.pruner, space.config({}).training.epochs),
        )
        self._trials: dict[int, optuna.Trial] = {}

    @property
    def count(self) -> int:
        """Number of proposals: `trials`, or every cell of the sampler if there are fewer."""
        return self._phase.trials if self._cells is None else min(self._phase.trials, len(self._cells))

    def ask(self, number: int) -> tuple[Settings, Params]:
        """Return new settings, and the parameters from which `again` makes them anew."""
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

    def tell(self, number: int, value: float | None, *, stopped: bool = False) -> None:
        """Tell how a trial ended: with a value, stopped early, or failed; NaN counts as failed."""
        if value is not None and not math.isnan(value):
            self._study.tell(self._trials[number], value)
        else:
            state = optuna.trial.TrialState.PRUNED if stopped else optuna.trial.TrialState.FAIL
            self._study.tell(self._trials[number], state=state)

    def _known(self, number: int) -> optuna.Study:
        """Return an Optuna study of all trials so far, with the sampler of a proposal."""
        seed = int(np.random.SeedSequence([self._seed, number]).generate_state(1)[0])
        sampler = SAMPLERS.work_module(self._phase.sampler).build(self._phase.sampler, seed)
        study = optuna.create_study(direction="maximize", sampler=sampler)
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


def turns(phase: SearchPhase, spaces: Sequence[Space], seed: int, study: str) -> list[tuple[Proposer, int]]:
    """Return who makes each proposal of a search of a study, with the proposal's number there.

    Each space is searched for itself, in turns, so that an interrupted search is balanced.
    """
    name = f"{study}/{phase.name}"
    names = [name] if phase.each is None else [f"{name}/{share}" for share in range(len(spaces))]
    proposers = [Proposer(phase, space, seed, own) for space, own in zip(spaces, names, strict=True)]
    most = max(proposer.count for proposer in proposers)
    return [(proposer, number) for number in range(most) for proposer in proposers if number < proposer.count]

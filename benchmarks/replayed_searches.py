"""Searches of a recorded grid: each sees the curves of one seed and is asked for its best arm after so many images."""

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

import numpy as np
import optuna
from ray import tune
from ray.tune.experiment import Trial as TuneTrial
from ray.tune.schedulers import ASHAScheduler, TrialScheduler
from ray.tune.search.variant_generator import generate_variants
from recorded_grid import OBJECTIVE, Grid
from simulated_searches import ended, searched

from reid_search.records import FinalistAsked, Proposal, Trial, TrialId, best_of, candidates
from reid_search.study import SearchPhase, Settings, Space


@dataclass(frozen=True)
class Replay:
    """One search of a grid.

    Attributes:
        seed: Place of the seed that the search sees.
        fresh: Places of the seeds that its finalists are trained with.
        number: What its random draws come from.
        budgets: After how many images it is asked, ascending.
    """

    grid: Grid
    seed: int
    fresh: Sequence[int]
    number: int
    budgets: Sequence[int]

    @property
    def space(self) -> Space:
        """What is proposed."""
        return self.grid.space

    @property
    def images_an_epoch(self) -> int:
        """Images that a training sees between two reports."""
        return int(self.grid.images[0])

    def curve(self, settings: Settings, generator: np.random.Generator | None = None) -> list[float]:
        """Return the recorded curve of settings with the seed that the search sees."""
        del generator
        return self.curve_of({path: level.label for path, level in settings.items()}, self.seed)

    def curve_of(self, labels: Mapping[str, str], seed: int) -> list[float]:
        """Return the recorded curve of an arm with any seed."""
        return list(self.grid.curves[self.grid.arm(labels), seed].tolist())

    @property
    def labels(self) -> dict[str, list[str]]:
        """The labels of each axis."""
        return {path: [level.label for level in axis.design_levels] for path, axis in self.space.axes.items()}


@dataclass(frozen=True)
class Found:
    """What a search says after so many images: its best arm, None before a training has ended; and its trainings."""

    arm: int | None
    trainings: int


Search = Callable[[Replay], list[Found]]


def ours(**settings: object) -> Search:
    """Return a search of a study with these settings, and with as many trials as the images allow.

    It proposes, stops and chooses finalists by the code that runs studies.
    """

    def search(replay: Replay) -> list[Found]:
        grid = replay.grid
        phase = SearchPhase.model_validate({"kind": "search", **settings, "trials": len(grid.arms)})
        kept = phase.finalists * len(replay.fresh) * int(grid.images[-1])
        done: list[tuple[Proposal, Trial]] = []
        spent = kept
        for one in searched(replay, phase, replay.number):
            done.append(one)
            spent += one[1].images_seen
            if spent >= replay.budgets[-1]:
                break
        costs = list(accumulate((trial.images_seen for _, trial in done), initial=kept))[1:]
        return [_found(replay, done[: bisect_right(costs, budget)], phase.finalists) for budget in replay.budgets]

    return search


def _found(replay: Replay, done: Sequence[tuple[Proposal, Trial]], finalists: int) -> Found:
    proposals = [proposal for proposal, _ in done]
    trials: dict[TrialId, Trial] = {trial.id: trial for _, trial in done}
    again = [
        (_again(proposal, seed), replay.curve_of(proposal.settings, seed))
        for proposal in candidates(proposals, trials, OBJECTIVE, finalists)
        for seed in replay.fresh
    ]
    trials |= {ask.trial: ended(ask, curve, replay.images_an_epoch) for ask, curve in again}
    best = best_of(proposals, trials, OBJECTIVE, [ask for ask, _ in again])
    return Found(replay.grid.arm(best.settings) if best else None, len(trials))


def _again(proposal: Proposal, seed: int) -> FinalistAsked:
    return FinalistAsked(**proposal.model_dump(exclude={"seed", "params", "arm", "kind", "by"}), seed=seed)


def asha(replay: Replay) -> list[Found]:
    """Search as Ray Tune does with its ASHA scheduler and nothing else said: random variants, the best last result."""
    epochs = len(replay.grid.images)
    scheduler = ASHAScheduler(metric=OBJECTIVE, mode="max", max_t=epochs)
    variants = {path: tune.choice(labels) for path, labels in replay.labels.items()}
    random = np.random.default_rng(replay.number)
    trace = _Trace(replay)
    best = -np.inf
    while trace.goes_on:
        _, labels = next(generate_variants(variants, random_state=random))
        trial = TuneTrial("replayed", config=labels, stub=True)
        scheduler.on_trial_add(None, trial)
        for epoch, value in enumerate(replay.curve_of(labels, replay.seed), 1):
            result = {"training_iteration": epoch, OBJECTIVE: value}
            if scheduler.on_trial_result(None, trial, result) == TrialScheduler.STOP:
                break
        trace.add(epoch, labels if value > best else None)
        best = max(best, value)
    return trace.found


def optuna_alone(replay: Replay) -> list[Found]:
    """Search as Optuna does with TPE and its default pruner, the median rule; the best of the trials that finished."""
    study = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=replay.number))
    trace = _Trace(replay)
    best = -np.inf
    while trace.goes_on:
        trial = study.ask()
        labels = {path: trial.suggest_categorical(path, levels) for path, levels in replay.labels.items()}
        curve = replay.curve_of(labels, replay.seed)
        stopped = next((epoch for epoch, value in enumerate(curve[:-1], 1) if _pruned(trial, epoch, value)), None)
        if stopped:
            study.tell(trial, state=optuna.trial.TrialState.PRUNED)
            trace.add(stopped, None)
            continue
        study.tell(trial, curve[-1])
        trace.add(len(curve), labels if curve[-1] > best else None)
        best = max(best, curve[-1])
    return trace.found


def _pruned(trial: optuna.Trial, epoch: int, value: float) -> bool:
    trial.report(value, epoch)
    return bool(trial.should_prune())


class _Trace:
    """The trainings of a search, one after another, and its best arm after each."""

    def __init__(self, replay: Replay) -> None:
        self._replay = replay
        self._spent = [0]
        self._best: list[int | None] = [None]

    @property
    def goes_on(self) -> bool:
        """Whether images are left."""
        return self._spent[-1] < self._replay.budgets[-1]

    def add(self, epochs: int, best: Mapping[str, str] | None) -> None:
        """Note a training of so many epochs, and its labels if it is the best so far."""
        self._spent.append(self._spent[-1] + int(self._replay.grid.images[epochs - 1]))
        self._best.append(self._replay.grid.arm(best) if best else self._best[-1])

    @property
    def found(self) -> list[Found]:
        """What the search says after each budget."""
        ended = [bisect_right(self._spent, budget) - 1 for budget in self._replay.budgets]
        return [Found(self._best[count], count) for count in ended]

"""Searches whose truth is known: proposer and pruner are those that run studies, trainings are curves."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

import numpy as np

from reid_search.records import (
    FinalistAsked,
    History,
    PlannedPhase,
    Proposal,
    ReadoutResult,
    Record,
    RunContext,
    RunStarted,
    Status,
    StudyState,
    StudyStore,
    Trial,
)
from reid_search.scheduling.proposals import Asked, Proposer
from reid_search.study import Axis, SearchPhase, Settings, Space

PHASE, OBJECTIVE, SPACE, SEED = "search", "val/mAP", "5" * 16, 10_000
EPOCHS, IMAGES_AN_EPOCH, SECONDS_AN_EPOCH = 9, 500, 4.0
START, RISE = 0.05, 3.0  # mAP before training; epochs in which 63 % of the way to the end is made
_BASE = {"data": {"name": "synthetic", "preset": "tiny"}, "model": {"architecture": "baseline"}}
_NOW = datetime(2026, 1, 1, tzinfo=UTC).isoformat()


class Trainings(Protocol):
    """What a search trains: settings of a space, each with a curve."""

    @property
    def space(self) -> Space:
        """What is proposed."""

    @property
    def images_an_epoch(self) -> int:
        """Images that a training sees between two reports."""

    def curve(self, settings: Settings, generator: np.random.Generator) -> Sequence[float]:
        """Return the objective after each epoch of a training to its end."""


@dataclass(frozen=True)
class Problem:
    """Trainings that are made up.

    Attributes:
        axes: The axes by name.
        truth: The mAP that settings have on average over seeds, given the value of each axis.
        of_seed: Standard deviation of a training's mAP at its end.
        of_epoch: That of the mAP after one epoch from the training's own curve.
    """

    axes: Mapping[str, Axis]
    truth: Callable[[Mapping[str, object]], float]
    of_seed: float = 0.02
    of_epoch: float = 0.01
    images_an_epoch: int = IMAGES_AN_EPOCH

    @property
    def space(self) -> Space:
        """The axes around any base."""
        return Space(_BASE, self.axes)

    def curve(self, settings: Settings, generator: np.random.Generator) -> list[float]:
        """Return a curve that rises to its end."""
        values = {path: level.value for path, level in settings.items()}
        end = self.truth(values) + self.of_seed * generator.standard_normal()
        rise = -np.expm1(-np.arange(1, EPOCHS + 1) / RISE) / -math.expm1(-EPOCHS / RISE)
        noise = self.of_epoch * generator.standard_normal(EPOCHS)
        return [float(value) for value in np.clip(START + (end - START) * rise + noise, 0.0, 1.0)]


def simulated(
    problem: Problem, *, seed: int, trials: int = 24, sampler: object = "random", pruner: object = "none"
) -> StudyState:
    """Return the state of a study with one search that is over, one trial after another."""
    given = {"kind": "search", "sampler": sampler, "trials": trials, "pruner": pruner}
    phase = SearchPhase.model_validate(given)
    history, found = History(), {}
    images = trials * EPOCHS * problem.images_an_epoch
    planned = PlannedPhase(phase=PHASE, trials=trials, images=images, objective=OBJECTIVE, space=SPACE)
    history.apply(RunStarted(planned=(planned,)))
    for proposal, trial in searched(problem, phase, seed):
        history.apply(proposal)
        found[trial.id] = trial
    axes = {path: axis.model_dump(mode="json", exclude_unset=True) for path, axis in problem.axes.items()}
    study = {"name": "simulated", "axes": axes, "phases": [phase.model_dump(mode="json")]}
    return StudyState(StudyStore(Path(), "simulated"), study, history, found)


def searched(trainings: Trainings, phase: SearchPhase, seed: int) -> Iterator[tuple[Proposal, Trial]]:
    """Yield the proposals of a search with their trials, one after another, until it is over."""
    proposer = Proposer(phase, trainings.space, seed, "simulated")
    generator = np.random.default_rng([seed, 1])
    while proposer.made < phase.trials and (asked := proposer.ask(proposer.made)) is not None:
        proposal = _proposal(asked, proposer.made - 1, phase.sampler.kind)
        curve = trainings.curve(asked[0], generator)
        yield proposal, _train(proposal, curve, trainings.images_an_epoch, proposer)


def ended(
    ask: Proposal | FinalistAsked, curve: Sequence[float], images_an_epoch: int, *, stopped: bool = False
) -> Trial:
    """Return the trial of an asker after the epochs of a curve."""
    epochs = len(curve)
    images, seconds = images_an_epoch * epochs, SECONDS_AN_EPOCH * epochs
    status = Status.STOPPED if stopped else Status.FINISHED
    result = ReadoutResult(config={}, dim=1, metrics={OBJECTIVE: curve[-1]})
    record = Record(
        key=ask.key, seed=ask.seed, status=status, config={}, data_fingerprint="simulated", device_type="cpu",
        images_seen=images, readouts={} if stopped else {"default": result},
        context=RunContext(seconds=seconds, host="", device="cpu", versions={}, ended=_NOW),
    )  # fmt: skip
    columns = {"epoch": [*map(float, range(1, epochs + 1))], OBJECTIVE: list(curve)}
    return Trial(
        ask.trial, status, config={"readouts": {"default": {}}}, images_seen=images, seconds=seconds, epochs=epochs,
        last_epoch={OBJECTIVE: curve[-1]}, columns=columns, record=record,
    )  # fmt: skip


def _proposal(asked: Asked, number: int, sampler: str) -> Proposal:
    settings, params = asked
    return Proposal(
        phase=PHASE, number=number, key=f"{number:016x}", seed=SEED, evaluate="val", by=sampler, space=SPACE,
        settings={path: level.label for path, level in settings.items()}, params=params,
        readouts={"default": "default"},
    )  # fmt: skip


def _train(proposal: Proposal, curve: Sequence[float], images_an_epoch: int, proposer: Proposer) -> Trial:
    """Return the trial of a proposal, which the pruner may stop before the last epoch."""
    number = proposal.number
    stopped = next((epoch for epoch, value in enumerate(curve[:-1], 1) if proposer.report(number, epoch, value)), None)
    proposer.tell(number, None if stopped else curve[-1], stopped=stopped is not None)
    return ended(proposal, curve[: stopped or len(curve)], images_an_epoch, stopped=stopped is not None)

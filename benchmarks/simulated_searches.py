"""Searches whose truth is known: proposer and pruner are those that run studies, trainings are functions."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from reid_search.records import (
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
    TrialId,
)
from reid_search.scheduling.proposals import Asked, Proposer
from reid_search.study import Axis, SearchPhase, Space

PHASE, OBJECTIVE, SPACE, SEED = "search", "val/mAP", "5" * 16, 10_000
EPOCHS, IMAGES_AN_EPOCH, SECONDS_AN_EPOCH = 9, 500, 4.0
START, RISE = 0.05, 3.0  # mAP before training; epochs in which 63 % of the way to the end is made
_BASE = {"data": {"name": "synthetic", "preset": "tiny"}, "model": {"architecture": "baseline"}}
_NOW = datetime(2026, 1, 1, tzinfo=UTC).isoformat()


@dataclass(frozen=True)
class Problem:
    """What a search is made of.

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


def simulated(
    problem: Problem, *, seed: int, trials: int = 24, sampler: object = "random", pruner: object = "none"
) -> StudyState:
    """Return the state of a study with one search that is over, one trial after another."""
    given = {"kind": "search", "sampler": sampler, "trials": trials, "pruner": pruner}
    phase = SearchPhase.model_validate(given)
    proposer = Proposer(phase, Space(_BASE, problem.axes), seed, "simulated")
    generator = np.random.default_rng([seed, 1])
    history, found = History(), {}
    images = trials * EPOCHS * IMAGES_AN_EPOCH
    planned = PlannedPhase(phase=PHASE, trials=trials, images=images, objective=OBJECTIVE, space=SPACE)
    history.apply(RunStarted(planned=(planned,)))
    while proposer.made < trials and (asked := proposer.ask(proposer.made)) is not None:
        proposal = _proposal(asked, proposer.made - 1, phase.sampler.kind)
        values = {path: level.value for path, level in asked[0].items()}
        trial = _train(problem, proposal, values, proposer, generator)
        history.apply(proposal)
        found[trial.id] = trial
    axes = {path: axis.model_dump(mode="json", exclude_unset=True) for path, axis in problem.axes.items()}
    study = {"name": "simulated", "axes": axes, "phases": [phase.model_dump(mode="json")]}
    return StudyState(StudyStore(Path(), "simulated"), study, history, found)


def _proposal(asked: Asked, number: int, sampler: str) -> Proposal:
    settings, params = asked
    return Proposal(
        phase=PHASE, number=number, key=f"{number:016x}", seed=SEED, evaluate="val", by=sampler, space=SPACE,
        settings={path: level.label for path, level in settings.items()}, params=params,
        readouts={"default": "default"},
    )  # fmt: skip


def _train(
    problem: Problem,
    proposal: Proposal,
    values: Mapping[str, object],
    proposer: Proposer,
    generator: np.random.Generator,
) -> Trial:
    """Return a trial whose curve rises to its end, and which the pruner may stop."""
    end = problem.truth(values) + problem.of_seed * generator.standard_normal()
    rise = -np.expm1(-np.arange(1, EPOCHS + 1) / RISE) / -math.expm1(-EPOCHS / RISE)
    noise = problem.of_epoch * generator.standard_normal(EPOCHS)
    curve = [float(value) for value in np.clip(START + (end - START) * rise + noise, 0.0, 1.0)]
    stopped = next(
        (epoch for epoch in range(1, EPOCHS) if proposer.report(proposal.number, epoch, curve[epoch - 1])), None
    )
    epochs = stopped or EPOCHS
    proposer.tell(proposal.number, None if stopped else curve[-1], stopped=stopped is not None)
    seen = [float(IMAGES_AN_EPOCH * epoch) for epoch in range(1, epochs + 1)]
    columns = {"epoch": [*map(float, range(1, epochs + 1))], OBJECTIVE: curve[:epochs]}
    status = Status.STOPPED if stopped else Status.FINISHED
    result = ReadoutResult(config={}, dim=1, metrics={OBJECTIVE: curve[-1]})
    seconds = SECONDS_AN_EPOCH * epochs
    record = Record(
        key=proposal.key, seed=SEED, status=status, config={}, data_fingerprint="simulated", device_type="cpu",
        images_seen=int(seen[-1]), readouts={} if stopped else {"default": result},
        context=RunContext(seconds=seconds, host="", device="cpu", versions={}, ended=_NOW),
    )  # fmt: skip
    return Trial(
        TrialId(proposal.key, SEED), status, config={"readouts": {"default": {}}}, images_seen=int(seen[-1]),
        seconds=seconds, epochs=epochs, last_epoch={OBJECTIVE: curve[epochs - 1]}, columns=columns, record=record,
    )  # fmt: skip

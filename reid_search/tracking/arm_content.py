"""An arm of an ablation as the content of an MLflow run that sums up its seeds."""

import math
from collections.abc import Mapping, Sequence

from reid_search.analysis import ArmValue
from reid_search.records import ArmAsked, SeedCounts, Status, StudyState
from reid_search.study.metrics import metric_of
from reid_search.study.trial.key import digest
from reid_search.tracking.content import (
    KIND_TAG,
    Kind,
    RunContent,
    RunState,
    numbers,
    param_texts,
    tag_texts,
    time_of,
)

DIGITS = 4
"""Decimals of a summary, which are two of a percentage, as in the report's table of arms."""

_ENDED = (Status.FINISHED, Status.UNMEASURED, Status.STOPPED, Status.FAILED)


def arm_id(phase: str, arm: str) -> str:
    """Return the tag to find an arm's run by; names of arms hold quotes and commas, which MLflow's search does not."""
    return f"arm-{digest([phase, arm])}"


def arm_content(
    arm: ArmValue, state: StudyState, verdicts: Sequence[str], *, at_work: bool, parent: str, with_phase: bool = False
) -> RunContent:
    """Return what the MLflow run of an arm should hold: mean and interval over its seeds, and its settings.

    Args:
        arm: The arm.
        state: The study.
        verdicts: What the last report says of it.
        at_work: Whether the study is running.
        parent: Id of the study's run.
        with_phase: Whether its name includes the phase, since the study has several ablations.
    """
    counts = SeedCounts.of((state.status(ask), state.collapse(ask)) for ask in arm.asks)
    run_state, (begun, ended) = _state(arm, state, at_work=at_work), _times(arm, state)
    shown = ", ".join(dict.fromkeys(f"{name}={label}" for name, label in arm.asks[0].tuned.items()))
    return RunContent(
        id=arm_id(arm.phase, arm.arm),
        name=f"{arm.phase}: {arm.arm}" if with_phase else arm.arm,
        state=run_state,
        tags=tag_texts({
            KIND_TAG: Kind.ARM,
            "arm": arm.arm,
            "phase": arm.phase,
            "result": result_text(arm),
            "verdict": "; ".join(verdicts),
            "tuned": shown,
            "collapsed": str(counts) if counts.lost else None,
            "mlflow.parentRunId": parent,
            "mlflow.source.name": state.study.get("command"),
        }),
        params=param_texts(arm.asks[0].settings),
        metrics=_metrics(arm),
        begun=begun,
        ended=None if run_state == "RUNNING" else ended,
    )  # fmt: skip


def result_text(arm: ArmValue) -> str:
    """Return mean and interval in words: `85.3 [82.1 to 88.5] %, 6 of 9 seeds`; the mean alone of one seed."""
    effect, metric = arm.over_seeds, metric_of(arm.metric)
    seeds = f"{effect.n} of {len(arm.asks)} seeds"
    if not effect.n:
        return seeds
    scale, sign = (1.0, "") if metric and metric.unit == "count" else (100.0, " %")
    numbers_of = [f"{scale * value:.1f}" for value in (effect.delta, effect.low, effect.high) if math.isfinite(value)]
    around = f" [{numbers_of[1]} to {numbers_of[2]}]" if len(numbers_of) > 1 else ""
    return f"{numbers_of[0]}{around}{sign}, {seeds}"


def _metrics(arm: ArmValue) -> Mapping[str, float]:
    effect = arm.over_seeds
    found = {
        arm.metric: effect.delta,
        f"{arm.metric} low": effect.low,
        f"{arm.metric} high": effect.high,
        f"{arm.metric} sd": effect.sd,
        **arm.beside,
    }
    rounded = {name: round(value, DIGITS) for name, value in found.items() if math.isfinite(value)}
    return numbers({**rounded, "seeds": effect.n})


def _state(arm: ArmValue, state: StudyState, *, at_work: bool) -> RunState:
    statuses = [state.status(ask) for ask in arm.asks]
    if all(status in _ENDED for status in statuses):
        return "FAILED" if set(statuses) == {Status.FAILED} else "FINISHED"
    return "RUNNING" if at_work else "KILLED"


def _times(arm: ArmValue, state: StudyState) -> tuple[float | None, float | None]:
    """Return when the first of its trainings began and the last ended, in seconds since 1970."""
    spans = [span for ask in arm.asks if (span := _span(ask, state))]
    return (min(begun for begun, _ in spans), max(ended for _, ended in spans)) if spans else (None, None)


def _span(ask: ArmAsked, state: StudyState) -> tuple[float, float] | None:
    trial = state.trial(ask)
    ended = time_of(trial.record.context.ended) if trial and trial.record else None
    return (ended - trial.seconds, ended) if trial and ended is not None else None

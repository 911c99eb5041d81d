"""`reid-search status`: how far studies are, once or live from another terminal."""

import statistics
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from reid_search.cli.console import answer, answer_console, answer_json, percent, say
from reid_search.cli.options import DEFAULT_STORAGE, AsJson, Storage
from reid_search.cli.progress import duration
from reid_search.cli.store import Which, find_store

if TYPE_CHECKING:
    from pathlib import Path

    from reid_search.records import Ask, SeedCounts, StudyReader, StudyState, Trial

_REFRESH_SECONDS = 2.0


def status(
    which: Which = None,
    storage: Storage = DEFAULT_STORAGE,
    watch: Annotated[bool, typer.Option("--watch", help="Show it anew until no run is at work, or Ctrl-C.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show how far a study is, or each: trials by status, each search's best, what runs, what is left, what failed."""
    readers = _readers(which, storage)
    if watch:
        _watch(readers)
        return
    told = [_told(reader.state()) for reader in readers]
    if as_json:
        answer_json(told[0] if which is not None or len(told) == 1 else told)
        return
    for item in told:
        for line in _lines(item):
            answer(line)
        for problem in item["problems"]:
            say(problem)


def _readers(which: str | None, storage: "Path") -> "list[StudyReader]":
    """Return what reads the study that is named, or every study."""
    from reid_search.records import Storage as Studies
    from reid_search.records import StudyReader

    every = Studies(storage).studies() if which is None else []
    return [StudyReader(store) for store in (every if len(every) > 1 else [find_store(which, storage)])]


def _watch(readers: "Sequence[StudyReader]") -> None:
    """Show studies anew every two seconds while a run of one is at work."""
    from rich.live import Live
    from rich.text import Text

    console = answer_console()
    with Live(console=console, auto_refresh=False) as live:
        while True:
            told = [_told(reader.state()) for reader in readers]
            live.update(Text("\n".join(line for item in told for line in _lines(item))), refresh=True)
            if not any(item["at_work"] for item in told):
                return
            time.sleep(_REFRESH_SECONDS)


def _told(state: "StudyState") -> dict[str, Any]:
    """Return what is told of a study, as JSON has it."""
    from reid_search.records import Status

    at_work = state.store.is_at_work
    counts = Counter(
        Status.INTERRUPTED if trial.status == Status.RUNNING and not at_work else trial.status
        for trial in state.trials.values()
    )
    waiting = len(state.asked_now - set(state.trials))
    counts.update({Status.WAITING: waiting} if waiting else {})
    wrong = (Status.FAILED, Status.UNREADABLE)
    running = [trial for trial in state.trials.values() if at_work and trial.status == Status.RUNNING]
    return {
        "study": state.name,
        "at_work": at_work,
        "trials": counts,
        "phases": [
            *(_search_status(state, phase) for phase in state.searches),
            *(_ablation_status(state, phase) for phase in state.ablations),
        ],
        "running": [_running(state, trial) for trial in running],
        "seconds_left": _seconds_left(state, running),
        "failed": {str(trial.id): trial.reason or "" for trial in state.trials.values() if trial.status in wrong},
        "problems": list(state.problems),
    }


def _lines(told: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is told of a study, as a person reads it."""
    counts = ", ".join(f"{count} {what}" for what, count in sorted(told["trials"].items()))
    yield f"{told['study']}: {counts or 'no trials'}"
    for phase in told["phases"]:
        yield f"  {phase['phase']}: {phase['done']} of {phase['asked']} done{_best_text(phase)}"
        for arm, ended in phase.get("lost", {}).items():
            yield f"    {arm}: {ended['words']}" + f"; {ended['flag']} in every seed: no effect" * bool(ended["flag"])
    for trial in told["running"]:
        value = "" if trial["value"] is None else f", {percent(trial['value'])} % {trial['metric']}"
        yield f"  running {trial['name']}: epoch {trial['epoch']} of {trial['epochs'] or '?'}{value}"
    if told["seconds_left"] is not None:
        yield f"  left {duration(told['seconds_left'])}"
    for name, reason in told["failed"].items():
        yield f"  failed {name}: {reason}"


def _running(state: "StudyState", trial: "Trial") -> dict[str, object]:
    """Return what is told of a trial in progress."""
    asks = state.askers.get(trial.id, ())
    names = list(dict.fromkeys(ask.label for ask in asks))
    metric = state.objective(asks[0].phase) if asks else ""
    return {
        "name": f"{', '.join(names) or trial.key} s{trial.seed}",
        "epoch": trial.epochs,
        "epochs": _epochs(trial),
        "metric": metric,
        "value": trial.last_value(trial.first_readout, metric),
        "trial": str(state.store.trial(*trial.id).path),
    }


def _epochs(trial: "Trial") -> int | None:
    """Return how many epochs a trial has; None where it has not begun, or its config is of another release."""
    from pydantic import ValidationError

    from reid_search.study import TrainingConfig

    try:
        return TrainingConfig.model_validate(trial.section("training")).epochs if trial.config else None
    except ValidationError:
        return None


def _seconds_left(state: "StudyState", running: "Sequence[Trial]") -> float | None:
    """Estimate the time left from the images planned, and those of finished trials a second; None without either.

    As many trials are taken to run at once as do now. What a pruner will stop early is counted in full.
    """
    from reid_search.records import Status

    seen = [trial for trial in state.trials.values() if trial.status == Status.FINISHED and trial.seconds > 0]
    images = sum(trial.images_seen for trial in seen)
    if not running or not images:
        return None
    over = (Status.FINISHED, Status.STOPPED, Status.FAILED)
    left = -float(sum(trial.images_seen for trial in running))
    for name, planned in state.history.planned.items():
        trials = {ask.trial for ask in state.history.asks_now() if ask.phase == name}
        ended = sum(1 for trial in trials if trial in state.trials and state.trials[trial].status in over)
        left += max(planned.trials - ended, 0) * planned.images / max(planned.trials, 1)
    return max(left, 0.0) * sum(trial.seconds for trial in seen) / images / len(running)


def _search_status(state: "StudyState", phase: str) -> dict[str, object]:
    from reid_search.analysis import best_values

    asks, best = [*state.searches[phase], *state.finalists[phase]], state.best(phase)
    found: dict[str, object] = {"phase": phase, "asked": len(asks), "done": _done(state, asks)}
    if best is None:
        return found
    worth = best_values(state)[phase]
    shown = {"objective": state.objective(phase), "value": worth.shown, "readout": state.readout(best)}
    fresh = {"raw": worth.raw, "fresh_seeds": worth.seeds, "how": worth.how} if worth.seeds else {}
    shown |= {"collapse": state.collapse(best)}
    return found | {"best": {"number": best.number, "key": best.key, **shown, **fresh}}


def _ablation_status(state: "StudyState", phase: str) -> dict[str, object]:
    asks = state.ablations[phase]
    arms: dict[str, list[float]] = {}
    for ask in asks:
        value = state.value(ask)
        arms.setdefault(ask.arm, []).extend([] if value is None else [value])
    means = {arm: statistics.fmean(values) for arm, values in arms.items() if values}
    metric = next((state.metric(ask) for ask in asks), "")
    lost = {arm: _ended(counts) for arm, counts in state.seed_counts(phase).items() if counts.lost}
    found = {"phase": phase, "asked": len(asks), "done": _done(state, asks), "metric": metric, "arms": means}
    return found | ({"lost": lost} if lost else {})


def _ended(counts: "SeedCounts") -> dict[str, object]:
    low, high = counts.interval
    numbers = {"ended": counts.ended, "collapsed": counts.collapsed, "failed": counts.failed, "low": low, "high": high}
    return {**numbers, "flag": counts.flag.words, "words": str(counts)}


def _done(state: "StudyState", asks: "Sequence[Ask]") -> int:
    from reid_search.records import Status

    return sum(state.status(ask) in (Status.FINISHED, Status.STOPPED, Status.FAILED) for ask in asks)


def _best_text(phase: "Mapping[str, Any]") -> str:
    from reid_search.study import BASELINE

    best, centre = phase.get("best"), phase.get("arms", {}).get(BASELINE)
    if best:
        how = f" ({best['how']})" if "how" in best else ""
        nothing = f" ({best['collapse'].words})" if best["collapse"] else ""
        return f", best so far #{best['number']}: {percent(best['value'])} % {best['objective']}{how}{nothing}"
    return f", {BASELINE} {percent(centre)} % {phase['metric']} on average" if centre is not None else ""

"""The proposals of the searches, in the order in which they were made."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pandas as pd

from .gather import Event, StudyResults, Trial, gather
from .measures import costs, table_of

_COLUMNS = [
    "phase", "number", "key", "seed", "status", "reason", "objective", "value", "best_so_far", "last_value", "epochs",
    "images_seen", "seconds", "asked", "ended", "by",
]  # fmt: skip


def load_search(study_dir: Path | str) -> pd.DataFrame:
    """Return the proposals of every search by number, which is also their order in time.

    Columns: `phase`, `number`, `key`, `seed`, `status`, `reason`, `objective`, `value` (the objective of a finished
    trial, in [0, 1], NaN otherwise), `best_so_far` (the largest `value` up to this number), `last_value` (the objective
    after the last epoch, of stopped trials too), `epochs`, `images_seen`, `seconds`, `asked` and `ended` (ISO times),
    `by` (the sampler), `arm` (the arm that a proposal was for, only where a search tuned each arm for itself), and one
    column per axis with the level that was proposed.

    Args:
        study_dir: `<storage>/<study>`.

    Raises:
        RequestError: There is no study in this folder.
        RecordError: A record is cut or of another version.
    """
    return search_table(gather(study_dir))


def search_table(results: StudyResults) -> pd.DataFrame:
    """Return the proposals of what was gathered; see `load_search`."""
    searches = last_searches(results.events)
    rows = [_row(ask, results) for asks in searches.values() for ask in asks]
    axes = dict.fromkeys(path for asks in searches.values() for ask in asks for path in ask.get("settings", {}))
    arm = ["arm"] if any("arm" in row for row in rows) else []
    table = table_of(rows, [*_COLUMNS, *arm, *axes])
    table["best_so_far"] = table.groupby("phase")["value"].cummax().groupby(table["phase"]).ffill()
    return table


def last_searches(events: Iterable[Event]) -> dict[str, list[Event]]:
    """Return the asks of each search by number; those of its present space, which is the one asked for last.

    Args:
        events: Lines of `asked.jsonl`, in order.
    """
    asks = [event for event in events if event["event"] == "ask" and event["kind"] == "search"]
    space = {str(ask["phase"]): ask.get("space") for ask in asks}
    found: dict[str, dict[int, Event]] = {phase: {} for phase in space}
    for ask in asks:
        if ask.get("space") == space[str(ask["phase"])]:
            found[str(ask["phase"])][int(ask["number"])] = ask
    return {phase: [numbered[number] for number in sorted(numbered)] for phase, numbered in found.items()}


def _row(ask: Event, results: StudyResults) -> dict[str, Any]:
    objective = results.phase(str(ask["phase"])).get("objective", "val/mAP")
    trial = results.trials.get((ask["key"], ask["seed"]))
    row = {
        "phase": ask["phase"],
        "number": ask["number"],
        "key": ask["key"],
        "seed": ask["seed"],
        "status": trial.status if trial else "waiting",
        "objective": objective,
        "asked": ask.get("time"),
        "by": ask.get("by"),
        **({"arm": ask["arm"]} if "arm" in ask else {}),
        **ask.get("settings", {}),
    }
    if trial is None:
        return row
    readout = _readout(ask, trial)
    plain = readout in (None, next(iter(trial.config.get("readouts", {})), None))
    last = trial.last_epoch.get(objective if plain else f"{readout}/{objective}")
    row |= {"reason": trial.reason, "epochs": trial.epochs, "last_value": last}
    if trial.record is not None:
        row["ended"] = trial.record.context.ended
        if readout in trial.record.readouts:
            row["value"] = trial.record.readouts[readout].metrics.get(objective)
    return row | {name: value for name, value in costs(trial).items() if name in _COLUMNS}


def _readout(ask: Event, trial: Trial) -> str | None:
    """Return the record's name of the readout that this proposal is judged by."""
    asked: dict[str, str] = ask.get("readouts") or {}
    return asked.get("default") or next(iter(asked.values()), None) or trial.first_readout

"""The arms of the ablations: one row an arm, seed and readout."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from reid_search.records import ReadoutResult
from reid_search.study import BASELINE
from reid_search.study.designs import design_of_record

from .comparability import fingerprint_of
from .gather import Event, StudyResults, Trial, gather
from .measures import COST_COLUMNS, METRIC_COLUMNS, costs, table_of

_COLUMNS = [
    "phase", "arm", "axis", "level", "key", "seed", "readout", "stored_as", "evaluate", "status", "reason",
    *METRIC_COLUMNS, *COST_COLUMNS, "dim", "scorer", "transductive", "data_fingerprint", "protocol", "device_type",
]  # fmt: skip


def load_arms(study_dir: Path | str) -> pd.DataFrame:
    """Return the arms of every ablation as its last run asked for them, long: one row an arm, seed and readout.

    An arm is a training and a readout; `baseline` is the phase's centre. Columns: `phase`, `arm`, `axis` and `level`
    (what differs from the centre or, on a path, from the step before), `key`, `seed`, `readout`, `stored_as` (the
    readout's name in the record), `evaluate`, `status`, `reason`, the measurements in [0, 1], `images_seen`, `seconds`,
    `parameters`, `loss_parameters`, `macs`, `dim` (features), `scorer` (what made the distances, where it was no plain
    comparison), `transductive` (whether a pair's distance depended on other images of the gallery), `data_fingerprint`
    (where every seed drew data of its own, `redrawn from` the fingerprint of the first), `protocol` (8
    hex digits, equal for numbers that may be compared; of measured rows), `device_type`.

    A row without measurements stays, and its `status` says why: `waiting` (not started), `running`, `stopped`,
    `failed`, or `unmeasured` (trained, but this readout was not tested on this split).

    Args:
        study_dir: `<storage>/<study>`.

    Raises:
        RequestError: There is no study in this folder.
        RecordError: A record is cut or of another version.
    """
    return arms_table(gather(study_dir))


def arms_table(results: StudyResults) -> pd.DataFrame:
    """Return the arms of what was gathered; see `load_arms`."""
    rows = [row for asks in last_ablations(results.events).values() for row in _rows_of_phase(asks, results)]
    return table_of(rows, _COLUMNS)


def last_ablations(events: Iterable[Event]) -> dict[str, list[Event]]:
    """Return the asks of each ablation, those of the last run that asked for it.

    Args:
        events: Lines of `asked.jsonl`, in order.
    """
    asks: dict[str, list[Event]] = {}
    of_this_run: set[str] = set()
    for event in events:
        if event["event"] == "run":
            of_this_run = set()
        elif event["event"] == "ask" and event["kind"] == "ablate":
            phase = str(event["phase"])
            if phase not in of_this_run:
                asks[phase] = []
                of_this_run.add(phase)
            asks[phase].append(event)
    return asks


def path_candidates(events: Iterable[Event]) -> dict[str, list[Event]]:
    """Return the asks of the candidates that each path tried, by phase; none of them is a replicate of an arm.

    Args:
        events: Lines of `asked.jsonl`, in order.
    """
    asks: dict[str, list[Event]] = {}
    for event in events:
        if event["event"] == "ask" and event["kind"] == "step":
            asks.setdefault(str(event["phase"]), []).append(event)
    return asks


def changes(settings: Mapping[str, str], centre: Mapping[str, str]) -> dict[str, str]:
    """Return the settings of an arm that the centre does not have."""
    return {path: label for path, label in settings.items() if centre.get(path) != label}


def axis_and_level(settings: Mapping[str, str], centre: Mapping[str, str]) -> dict[str, str]:
    """Return what of an arm differs from a centre, as the columns `axis` and `level`; several changes joined by ×."""
    changed = changes(settings, centre)
    return {"axis": " × ".join(changed), "level": " × ".join(changed.values())}


def _rows_of_phase(asks: list[Event], results: StudyResults) -> Iterator[dict[str, Any]]:
    compared_with = _compared_with(asks)
    usual = list(results.study.get("base", {}).get("readouts", {})) or ["default"]
    for ask in asks:
        trial = results.trials.get((ask["key"], ask["seed"]))
        centre = compared_with[ask["arm"]]
        settings = centre if ask["arm"] == BASELINE else ask.get("settings", {})
        for readout, stored_as in _readouts(ask, trial, usual).items():
            yield {
                "phase": ask["phase"],
                "arm": ask["arm"],
                **axis_and_level(settings, centre),
                "key": ask["key"],
                "seed": ask["seed"],
                "readout": readout,
                "stored_as": stored_as,
                "evaluate": ask["evaluate"],
                **_state(trial, stored_as, ask["evaluate"], _data(ask, trial)),
                **costs(trial),
            }


def _compared_with(asks: Iterable[Event]) -> dict[str, Mapping[str, str]]:
    """Return the settings that each arm of a phase changes: the centre's, or of a design in steps those before it."""
    own: dict[str, Mapping[str, str]] = {}
    before: dict[str, Mapping[str, str]] = {}
    for ask in asks:
        if design_of_record(str(ask.get("by", ""))).in_steps and ask["arm"] not in own:
            before[ask["arm"]] = next(reversed(own.values()), {})
        own.setdefault(ask["arm"], ask.get("settings", {}))
    return {arm: before.get(arm, own.get(BASELINE, {})) if arm != BASELINE else own[arm] for arm in own}


def _readouts(ask: Event, trial: Trial | None, usual: list[str]) -> dict[str, str]:
    if ask.get("readouts"):
        return dict(ask["readouts"])
    names = list(trial.config.get("readouts", {})) if trial else []
    return {name: name for name in names or usual}


def _data(ask: Event, trial: Trial | None) -> str | None:
    """Return what identifies an arm's data: every seed's, or what each seed's were drawn like."""
    if ask.get("redrawn_from"):
        return f"redrawn from {ask['redrawn_from']}"
    return trial.data_fingerprint if trial else None


def _state(trial: Trial | None, stored_as: str, split: str, data: str | None) -> dict[str, Any]:
    if trial is None:
        return {"status": "waiting"}
    state = {"status": trial.status, "reason": trial.reason, "data_fingerprint": data}
    if trial.record is None:
        return state
    state["device_type"] = trial.record.device_type
    measured = trial.record.readouts.get(stored_as)
    if trial.status == "finished" and not _has(measured, split):
        return state | {"status": "unmeasured", "reason": f"readout '{stored_as}' was not tested on {split}"}
    return state | (_measurements(measured, data, split) if measured else {})


def _measurements(measured: ReadoutResult, data: str | None, split: str) -> dict[str, Any]:
    fields = {"evaluate": split, "data_fingerprint": data, "transductive": measured.transductive}
    return {
        "dim": measured.dim,
        "scorer": measured.scorer,
        "transductive": measured.transductive,
        "protocol": fingerprint_of(fields),
        **measured.metrics,
    }


def _has(measured: ReadoutResult | None, split: str) -> bool:
    return measured is not None and any(name.startswith(f"{split}/") for name in measured.metrics)

"""The arms of the ablations: one row an arm, seed and readout."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from reid_search.records import (
    ArmAsked,
    ReadoutResult,
    Status,
    StudyState,
    StudyStore,
    Trial,
    read_state,
    status_of,
)
from reid_search.study import BASELINE
from reid_search.study.metrics import metric_columns
from reid_search.study.question.designs import design_of_record

from .comparability import fingerprint_of
from .measures import COST_COLUMNS, costs, table_of

_WHAT = ("phase", "arm", "axis", "level", "key", "seed", "readout", "stored_as", "evaluate", "status", "reason")
_HOW = ("dim", "scorer", "transductive", "data_fingerprint", "protocol", "device_type")


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
    return arms_table(read_state(StudyStore.at(study_dir)))


def arms_table(state: StudyState) -> pd.DataFrame:
    """Return the arms of a study; see `load_arms`."""
    rows = [row for asks in state.ablations.values() for row in _rows_of_phase(asks, state)]
    return table_of(rows, [*_WHAT, *metric_columns(), *COST_COLUMNS, *_HOW])


def changes(settings: Mapping[str, str], centre: Mapping[str, str]) -> dict[str, str]:
    """Return the settings of an arm that the centre does not have."""
    return {path: label for path, label in settings.items() if centre.get(path) != label}


def axis_and_level(settings: Mapping[str, str], centre: Mapping[str, str]) -> dict[str, str]:
    """Return what of an arm differs from a centre, as the columns `axis` and `level`; several changes joined by ×."""
    changed = changes(settings, centre)
    return {"axis": " × ".join(changed), "level": " × ".join(changed.values())}


def _rows_of_phase(asks: Sequence[ArmAsked], state: StudyState) -> Iterator[dict[str, Any]]:
    compared_with = _compared_with(asks)
    for ask in asks:
        trial = state.trial(ask)
        centre = compared_with[ask.arm]
        settings = centre if ask.arm == BASELINE else ask.settings
        for readout, stored_as in _readouts(ask, trial, state.readouts).items():
            yield {
                "phase": ask.phase,
                "arm": ask.arm,
                **axis_and_level(settings, centre),
                "key": ask.key,
                "seed": ask.seed,
                "readout": readout,
                "stored_as": stored_as,
                "evaluate": ask.evaluate,
                **_state(trial, stored_as, ask.evaluate, _data(ask, trial)),
                **costs(trial),
            }


def _compared_with(asks: Sequence[ArmAsked]) -> dict[str, Mapping[str, str]]:
    """Return the settings that each arm of a phase changes: the centre's, or of a design in steps those before it."""
    own: dict[str, Mapping[str, str]] = {}
    before: dict[str, Mapping[str, str]] = {}
    for ask in asks:
        if design_of_record(ask.by).in_steps and ask.arm not in own:
            before[ask.arm] = next(reversed(own.values()), {})
        own.setdefault(ask.arm, ask.settings)
    return {arm: before.get(arm, own.get(BASELINE, {})) if arm != BASELINE else own[arm] for arm in own}


def _readouts(ask: ArmAsked, trial: Trial | None, usual: Sequence[str]) -> Mapping[str, str]:
    names = trial.section("readouts") if trial else ()
    return ask.readouts or {name: name for name in names or usual}


def _data(ask: ArmAsked, trial: Trial | None) -> str | None:
    """Return what identifies an arm's data: every seed's, or what each seed's were drawn like."""
    if ask.redrawn_from:
        return f"redrawn from {ask.redrawn_from}"
    return trial.data_fingerprint if trial else None


def _state(trial: Trial | None, stored_as: str, split: str, data: str | None) -> dict[str, Any]:
    status = status_of(trial, stored_as, split)
    if trial is None:
        return {"status": status}
    reason = f"readout '{stored_as}' was not tested on {split}" if status == Status.UNMEASURED else trial.reason
    state = {"status": status, "reason": reason, "data_fingerprint": data}
    if trial.record is None:
        return state
    state["device_type"] = trial.record.device_type
    measured = trial.record.readouts.get(stored_as)
    return state | (_measurements(measured, data, split) if measured and status != Status.UNMEASURED else {})


def _measurements(measured: ReadoutResult, data: str | None, split: str) -> dict[str, Any]:
    fields = {"evaluate": split, "data_fingerprint": data, "transductive": measured.transductive}
    return {
        "dim": measured.dim,
        "scorer": measured.scorer,
        "transductive": measured.transductive,
        "protocol": fingerprint_of(fields),
        **measured.metrics,
    }

"""The arms of the ablations: one row per arm, seed and readout."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pandas as pd

from reid_search.records import (
    ArmAsked,
    ReadoutResult,
    Status,
    StudyState,
    StudyStore,
    Trial,
    TrialId,
    read_state,
    status_of,
)
from reid_search.study import BASELINE
from reid_search.study.metrics import metric_columns
from reid_search.study.question.designs.registry import design_of_record

from .code import CODE_COLUMNS, code_columns, tell_components_apart
from .comparability import fingerprint_of
from .measures import COST_COLUMNS, costs, table_of

_WHAT = ("phase", "arm", "axis", "level", "key", "seed", "readout", "stored_as", "evaluate", "status", "reason")
_HOW = (
    "dim", "scorer", "transductive", "rule", "beside", "privileged", "data_fingerprint", *CODE_COLUMNS, "protocol",
    "device_type",
)  # fmt: skip
_REDRAWN = "redrawn from "


def load_arms(study_dir: Path | str) -> pd.DataFrame:
    """Return the arms of every ablation as its last run asked for them: one row per arm, seed and readout.

    An arm is a training and a readout; `baseline` is the phase's centre. Columns: `phase`, `arm`, `axis` and `level`
    (what differs from the centre or, on a path, from the previous step), `key`, `seed`, `readout`, `stored_as` (the
    readout's name in the record), `evaluate`, `status`, `reason`, the measurements in [0, 1], `images_seen`, `seconds`,
    `parameters`, `loss_parameters`, `macs`, `dim` (features), `scorer` (empty for plain distances), `transductive`
    (whether a pair's distance depended on other images of the gallery), `rule` (what was left out for a query, `same
    camera` as on Market-1501, and which gallery was searched), `beside` (what the model read beside the images, and
    where it is from), `privileged` (the same if it is the truth and the study keeps such numbers apart; `none`),
    `data_fingerprint` (with several data sets that of those behind the split; `redrawn from` that of the first seed if
    each seed drew its own data), `protocol` (8 hex digits, equal for numbers that may be compared), `device_type`.

    The code that measured a row, if its release noted it: `numerics` (a version), `torch`, `libraries`, `code` (a hash
    of what every trial runs through), `component_code` (hashes of the components that the trial uses), `components`
    (those of which the table has several versions).

    A row without measurements is kept, and its `status` says why: `waiting` (not started), `running`, `stopped`,
    `failed`, or `unmeasured` (trained, but this readout was not tested on this split).

    Args:
        study_dir: `<storage>/<study>`.

    Raises:
        RequestError: There is no study in this folder.
        RecordError: A record is truncated or of another version.
    """
    return arms_table(read_state(StudyStore.at(study_dir)))


def arms_table(state: StudyState) -> pd.DataFrame:
    """Return the arms of a study; see `load_arms`."""
    rows = [row for asks in state.ablations.values() for row in _rows_of_phase(asks, state)]
    tell_components_apart(rows)
    for row in rows:
        if "rule" in row:  # it was measured
            row["protocol"] = fingerprint_of(row)
    return table_of(rows, [*_WHAT, *metric_columns(), *COST_COLUMNS, *_HOW])


def of_test(rows: pd.DataFrame, state: StudyState, test: str) -> pd.DataFrame:
    """Return rows of `arms_table` as measurements of another one of several tests, by its name."""

    def measured(row: pd.Series) -> pd.Series:
        trial = state.trials.get(TrialId(str(row["key"]), int(row["seed"])))
        found = trial.record.readouts.get(str(row["stored_as"])) if trial and trial.record else None
        row = row.copy()
        row["evaluate"] = f"{row['evaluate']}/{test}"
        if trial and found and row["status"] == Status.FINISHED:
            if not str(row["data_fingerprint"]).startswith(_REDRAWN):
                row["data_fingerprint"] = trial.fingerprint_of(row["evaluate"])
            for name, value in _how(found, row["evaluate"], state).items():
                row[name] = value
            row["protocol"] = fingerprint_of({str(name): value for name, value in row.items()})
        return row

    return rows.apply(measured, axis=1)


def is_redrawn(rows: pd.DataFrame) -> bool:
    """Say whether each seed of rows of `arms_table` drew its own data."""
    return bool(rows["data_fingerprint"].astype("str").str.startswith(_REDRAWN).any())


def changes(settings: Mapping[str, str], centre: Mapping[str, str]) -> dict[str, str]:
    """Return the settings in which an arm differs from the centre."""
    return {path: label for path, label in settings.items() if centre.get(path) != label}


def axis_and_level(settings: Mapping[str, str], centre: Mapping[str, str]) -> dict[str, str]:
    """Return how an arm differs from a centre, as the columns `axis` and `level`; several changes are joined by ×."""
    changed = changes(settings, centre)
    return {"axis": " × ".join(changed), "level": " × ".join(changed.values())}


def _rows_of_phase(asks: Sequence[ArmAsked], state: StudyState) -> Iterator[dict[str, object]]:
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
                **_result(ask, trial, stored_as, state),
                **costs(trial),
            }


def _compared_with(asks: Sequence[ArmAsked]) -> dict[str, Mapping[str, str]]:
    """Return the settings that each arm changes: the centre's or, in a design in steps, those of the step before."""
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


def _result(ask: ArmAsked, trial: Trial | None, stored_as: str, state: StudyState) -> dict[str, object]:
    """Return the status of an arm's readout and, if it was measured, its metrics and protocol."""
    status = status_of(trial, stored_as, ask.evaluate)
    if trial is None:
        return {"status": status}
    reason = trial.reason
    if status == Status.UNMEASURED:
        reason = f"readout '{stored_as}' was not tested on {ask.evaluate}"
    data = f"{_REDRAWN}{ask.redrawn_from}" if ask.redrawn_from else trial.fingerprint_of(ask.evaluate)
    row: dict[str, object] = {"status": status, "reason": reason, "data_fingerprint": data}
    if trial.record is None:
        return row
    row["device_type"] = trial.record.device_type
    measured = trial.record.readouts.get(stored_as)
    if measured and status != Status.UNMEASURED:
        row |= {"dim": measured.dim, "scorer": measured.scorer, "transductive": measured.transductive}
        row |= _how(measured, ask.evaluate, state)
        row |= {**code_columns(trial.record, stored_as), **measured.metrics}
    return row


def _how(measured: ReadoutResult, split: str, state: StudyState) -> dict[str, str]:
    """Return by which rule a split was ranked, and what was read beside its images."""
    privileged = "none" if state.compares_privileged else measured.privileged(split)
    return {"rule": str(measured.rule(split)), "beside": measured.beside.get(split, ""), "privileged": privileged}

"""The proposals of the searches, in the order in which they were made."""

from pathlib import Path
from statistics import fmean

import pandas as pd

from reid_search.records import Proposal, Status, StudyState, StudyStore, read_state

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
    `fresh` and `fresh_seeds` (a finalist's mean over its fresh seeds that finished, and their number; only if there are
    finalists), `by` (the sampler), `arm` (the arm that a proposal was for, only if the search tuned each arm
    separately), and one column per axis with the proposed level.

    Args:
        study_dir: `<storage>/<study>`.

    Raises:
        RequestError: There is no study in this folder.
        RecordError: A record is truncated or of another version.
    """
    return search_table(read_state(StudyStore.at(study_dir)))


def search_table(state: StudyState) -> pd.DataFrame:
    """Return the proposals of a study; see `load_search`."""
    asks = [ask for proposals in state.searches.values() for ask in proposals]
    axes = dict.fromkeys(path for ask in asks for path in ask.settings)
    arm = ["arm"] if any(ask.arm is not None for ask in asks) else []
    fresh = ["fresh", "fresh_seeds"] if any(state.finalists.values()) else []
    table = table_of([_row(ask, state) for ask in asks], [*_COLUMNS[:-1], *fresh, _COLUMNS[-1], *arm, *axes])
    table["best_so_far"] = table.groupby("phase")["value"].cummax().groupby(table["phase"]).ffill()
    return table


def _row(ask: Proposal, state: StudyState) -> dict[str, object]:
    objective, trial = state.objective(ask.phase), state.trial(ask)
    row: dict[str, object] = {
        "phase": ask.phase,
        "number": ask.number,
        "key": ask.key,
        "seed": ask.seed,
        "status": trial.status if trial else Status.WAITING,
        "objective": objective,
        "value": state.value(ask),
        "asked": ask.time,
        "by": ask.by,
        **({"arm": ask.arm} if ask.arm is not None else {}),
        **ask.settings,
    }
    if fresh := state.fresh_values(ask):
        row |= {"fresh": fmean(fresh), "fresh_seeds": len(fresh)}
    if trial is None:
        return row
    row |= {"reason": trial.reason, "epochs": trial.epochs}
    row["last_value"] = trial.last_value(state.readout(ask), objective)
    if trial.record is not None:
        row["ended"] = trial.record.context.ended
    return row | {name: value for name, value in costs(trial).items() if name in _COLUMNS}

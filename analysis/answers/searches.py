"""Reduce a search to its best proposal, and to how its proposals ended."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from reid_search.records import Status, StudyState

STATUSES = (
    Status.FINISHED, Status.STOPPED, Status.FAILED, Status.UNREADABLE, Status.RUNNING, Status.WAITING,
)  # fmt: skip


@dataclass(frozen=True)
class SearchSummary:
    """A search as a reader wants to know it.

    Attributes:
        phase: Its name.
        sampler: Who proposed.
        objective: What was maximised.
        wanted: Number of proposals that the study asks for; None where its file does not say.
        axes: What was searched, by axis: the choices or the range, as text; empty where not known.
        proposals: Its rows of `load_search`.
        counts: Number of proposals by status, without zeros.
        best: The row of the best finished proposal, the earliest of equals; None where none is finished.
        each: The axis of which each level was tuned for itself, or `arm of` and the ablation of which each arm was;
            None where all were searched together.
        tuned_by: The column of `proposals` that tells what was tuned for itself.
        held: The axes that were not tuned, since their levels say what was.
    """

    phase: str
    sampler: str
    objective: str
    wanted: int | None
    axes: Mapping[str, str]
    proposals: pd.DataFrame
    counts: Mapping[str, int]
    best: Mapping[str, Any] | None
    each: str | None = None
    tuned_by: str | None = None
    held: tuple[str, ...] = ()

    @property
    def best_settings(self) -> dict[str, str]:
        """The best proposal's level of every axis that exists there."""
        if self.best is None:
            return {}
        return {path: str(self.best[path]) for path in self.axes if pd.notna(self.best[path])}

    @property
    def best_of_each(self) -> list[tuple[str, Mapping[str, Any], dict[str, str]]]:
        """Each level or arm that has a finished proposal: its name, the best row, and what was tuned in that row."""
        found: list[tuple[str, Mapping[str, Any], dict[str, str]]] = []
        for level, rows in self.proposals.groupby(self.tuned_by, sort=False) if self.tuned_by else ():
            known = rows.dropna(subset=["value"])
            if not known.empty:
                row = dict(known[known["value"] == known["value"].max()].iloc[0])
                settings = {path: str(row[path]) for path in self.axes if path not in self.held and pd.notna(row[path])}
                found.append((str(level), row, settings))
        return found


def summarise_searches(state: StudyState, search: pd.DataFrame) -> list[SearchSummary]:
    """Summarise every search.

    Args:
        state: The study as it stands.
        search: The table of `load_search`.
    """
    return [
        _summary(state, str(phase), rows, [path for ask in state.searches[str(phase)] for path in ask.settings])
        for phase, rows in search.groupby("phase", sort=False)
    ]


def _summary(state: StudyState, phase: str, rows: pd.DataFrame, paths: list[str]) -> SearchSummary:
    described = state.phase(phase)
    axes, best = state.axes, state.best(phase)
    return SearchSummary(
        phase=phase,
        sampler=str(rows["by"].iloc[-1]),
        objective=str(rows["objective"].iloc[-1]),
        wanted=int(str(described["trials"])) if "trials" in described else None,
        axes={path: _searched(axes.get(path, {})) for path in dict.fromkeys(paths)},
        proposals=rows,
        counts={
            status: int((rows["status"] == status).sum()) for status in STATUSES if (rows["status"] == status).any()
        },
        best=None if best is None else dict(rows[rows["number"] == best.number].iloc[0]),
        **_each(state, described, rows),
    )


def _each(state: StudyState, described: Mapping[str, Any], rows: pd.DataFrame) -> dict[str, Any]:
    """Return what a search tuned for itself, as entries of its summary."""
    each = described.get("each")
    if each is None:
        return {}
    if "arm" not in rows or rows["arm"].isna().all():
        return {"each": each, "tuned_by": each, "held": (each,)}
    held = state.phase(str(each)).get("axes")
    return {"each": f"arm of {each}", "tuned_by": "arm", "held": tuple(held if isinstance(held, list) else state.axes)}


def _searched(axis: Mapping[str, Any]) -> str:
    for kind, words in (("uniform", ""), ("log_uniform", ", logarithmic"), ("integer", ", whole numbers")):
        if axis.get(kind):
            low, high = axis[kind]
            return f"{low} to {high}{words}"
    choice = axis.get("choice") or axis.get("variants") or ()
    return ", ".join(str(item) for item in choice)

"""Reduce a search to its best proposal, and to how its proposals ended."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import pandas as pd

from reid_search.records import Status, StudyState

from ..reading.measures import Row
from .edges import Edge, edges_of

STATUSES = (
    Status.FINISHED, Status.STOPPED, Status.FAILED, Status.UNREADABLE, Status.RUNNING, Status.WAITING,
)  # fmt: skip


@dataclass(frozen=True)
class SearchSummary:
    """A search in short.

    Attributes:
        phase: Its name.
        sampler: The sampler that proposed.
        objective: What was maximised.
        wanted: Number of proposals that the study asks for; None if its file does not say.
        axes: What was searched, by axis: the choices or the range, as text; empty if unknown.
        proposals: Its rows of `load_search`.
        counts: Number of proposals by status, without zeros.
        best: The row of the best finished proposal (the earliest on a tie); None if none is finished.
        each: The axis whose levels were tuned separately, or `arm of` the ablation whose arms were; None if everything
            was searched together.
        tuned_by: The column of `proposals` that names the level or arm tuned.
        held: The axes that were not tuned, since they define what is tuned separately.
        edges: Best values of numbers, of each level or arm, that are the smallest or largest tried.
    """

    phase: str
    sampler: str
    objective: str
    wanted: int | None
    axes: Mapping[str, str]
    proposals: pd.DataFrame
    counts: Mapping[str, int]
    best: Row | None
    each: str | None = None
    tuned_by: str | None = None
    held: tuple[str, ...] = ()
    edges: tuple[Edge, ...] = ()

    @property
    def best_settings(self) -> dict[str, str]:
        """The best proposal's level of each axis that it has."""
        if self.best is None:
            return {}
        return {path: str(self.best[path]) for path in self.axes if pd.notna(self.best[path])}

    @property
    def best_of_each(self) -> list[tuple[str, Row, dict[str, str]]]:
        """Each level or arm that has a finished proposal: its name, the best row, and that row's tuned settings."""
        found: list[tuple[str, Row, dict[str, str]]] = []
        for level, rows in self.proposals.groupby(self.tuned_by, sort=False) if self.tuned_by else ():
            known = rows.dropna(subset=["value"])
            if not known.empty:
                row = dict(known[known["value"] == known["value"].max()].iloc[0])
                settings = {path: str(row[path]) for path in self.axes if path not in self.held and pd.notna(row[path])}
                found.append((str(level), row, settings))
        return found


def summarise_searches(state: StudyState, search: pd.DataFrame) -> list[SearchSummary]:
    """Summarise every search in the table of `load_search`."""
    return [
        _summary(state, str(phase), rows, [path for ask in state.searches[str(phase)] for path in ask.settings])
        for phase, rows in search.groupby("phase", sort=False)
    ]


def _summary(state: StudyState, phase: str, rows: pd.DataFrame, paths: list[str]) -> SearchSummary:
    described = state.phase(phase)
    axes, best = state.axes, state.best(phase)
    each, tuned_by, held = _each(state, described.get("each"), rows)
    counts = {status: int((rows["status"] == status).sum()) for status in STATUSES}
    summary = SearchSummary(
        phase=phase,
        sampler=str(rows["by"].iloc[-1]),
        objective=str(rows["objective"].iloc[-1]),
        wanted=int(str(described["trials"])) if "trials" in described else None,
        axes={path: _searched(axes.get(path, {})) for path in dict.fromkeys(paths)},
        proposals=rows,
        counts={status: count for status, count in counts.items() if count},
        best=None if best is None else dict(rows[rows["number"] == best.number].iloc[0]),
        each=each,
        tuned_by=tuned_by,
        held=held,
    )
    tuned = {path: axes.get(path, {}) for path in summary.axes if path not in held}
    return replace(summary, edges=tuple(_edges(summary, tuned)))


def _edges(search: SearchSummary, tuned: Mapping[str, Mapping[str, object]]) -> Iterator[Edge]:
    if search.tuned_by is None:
        yield from edges_of(None, search.proposals, search.best, tuned) if search.best else ()
        return
    for level, best, _ in search.best_of_each:
        own = search.proposals[search.proposals[search.tuned_by] == level]
        yield from edges_of(level, own, best, tuned)


def _each(state: StudyState, each: object, rows: pd.DataFrame) -> tuple[str | None, str | None, tuple[str, ...]]:
    """Return the fields `each`, `tuned_by` and `held` of a search."""
    if each is None:
        return None, None, ()
    if "arm" not in rows or rows["arm"].isna().all():
        return str(each), str(each), (str(each),)
    held = state.phase(str(each)).get("axes")
    return f"arm of {each}", "arm", tuple(held if isinstance(held, list) else state.axes)


def _searched(axis: Mapping[str, object]) -> str:
    for kind, words in (("uniform", ""), ("log_uniform", ", logarithmic"), ("integer", ", whole numbers")):
        if isinstance(ends := axis.get(kind), Sequence) and ends:
            return f"{ends[0]} to {ends[1]}{words}"
    choice = axis.get("choice") or axis.get("variants")
    return ", ".join(map(str, choice)) if isinstance(choice, Iterable) else ""

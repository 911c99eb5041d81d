"""Reduce a search to its best proposal, and to how its proposals ended."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import pandas as pd

from reid_search.records import Proposal, Status, StudyState

from ..reading.measures import Row
from ..statistics.rungs import Agreement, Curves, agreements
from .bests import BestValue, best_value
from .edges import Edge, edges_of
from .prices import Price, price_beyond

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
        there_are: Number of proposals that differ, where these are fewer than `wanted`.
        axes: What was searched, by axis: the choices or the range, as text; empty if unknown.
        proposals: Its rows of `load_search`.
        counts: Number of proposals by status, without zeros.
        best: The row of the best finished proposal (see `best_of` of the records); None if none is finished.
        best_of_each: Each level or arm that has a finished proposal: its name, the best row, and that row's tuned
            settings; empty if everything was searched together.
        worth: What each of these bests is worth by name, and that of the whole search without a name.
        each: The axis whose levels were tuned separately, or `arm of` the ablation whose arms were; None if everything
            was searched together.
        tuned_by: The column of `proposals` that names the level or arm tuned.
        held: The axes that were not tuned, since they define what is tuned separately.
        collapsed: Finished proposals that learnt nothing, by number: `at chance` or `untrained`.
        edges: Axes of numbers whose optimum, of each level or arm, probably lies at the end of what the study allows.
        refusal: Why there is no best though finalists are over: what of their code differs; empty if nothing.
        curves: Objective by epoch of each proposal that has any, by number.
        agreements: How far the order of the trials after each epoch is that of their ends.
        described: The axes as the study file has them.
        prices: What it costs to search beyond an edge, by axis.
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
    best_of_each: tuple[tuple[str, Row, dict[str, str]], ...] = ()
    worth: Mapping[str, BestValue] = field(default_factory=dict)
    there_are: int | None = None
    collapsed: Mapping[int, str] = field(default_factory=dict)
    refusal: str = ""
    curves: Curves = field(default_factory=dict, repr=False)
    agreements: tuple[Agreement, ...] = ()
    described: Mapping[str, Mapping[str, object]] = field(default_factory=dict, repr=False)
    prices: Mapping[str, Price] = field(default_factory=dict)

    @property
    def best_settings(self) -> dict[str, str]:
        """The best proposal's level of each axis that it has."""
        if self.best is None:
            return {}
        return {path: str(self.best[path]) for path in self.axes if pd.notna(self.best[path])}


def summarise_searches(state: StudyState, search: pd.DataFrame) -> list[SearchSummary]:
    """Summarise every search in the table of `load_search`."""
    return [
        _summary(state, str(phase), rows, [path for ask in state.searches[str(phase)] for path in ask.settings])
        for phase, rows in search.groupby("phase", sort=False)
    ]


def order_of_ends(state: StudyState, phase: str) -> list[Agreement]:
    """Return how far the order of a search's trials after each epoch is that of their ends."""
    ends = {ask.number: value for ask in state.searches[phase] if (value := state.value(ask)) is not None}
    return agreements(_curves(state, phase), ends)


def _summary(state: StudyState, phase: str, rows: pd.DataFrame, paths: list[str]) -> SearchSummary:
    described = state.phase(phase)
    axes, best = state.axes, state.best(phase)
    each, tuned_by, held = _each(state, described.get("each"), rows)
    counts = {status: int((rows["status"] == status).sum()) for status in STATUSES}
    wanted = int(str(described["trials"])) if "trials" in described else None
    planned = state.history.planned.get(phase)
    made = planned.trials - planned.finalists if planned and planned.space is not None else None
    own = {path: _searched(axes.get(path, {})) for path in dict.fromkeys(paths)}
    of_each = list(_bests(state, rows, tuned_by, [path for path in own if path not in held]))
    whole = {} if best is None else {"": best_value(state, best, state.searches[phase])}
    curves = _curves(state, phase)
    summary = SearchSummary(
        phase=phase,
        sampler=str(rows["by"].iloc[-1]),
        objective=str(rows["objective"].iloc[-1]),
        wanted=wanted,
        there_are=made if wanted and made and made < wanted else None,
        axes=own,
        proposals=rows,
        counts={status: count for status, count in counts.items() if count},
        best=None if best is None else _row(rows, best),
        each=each,
        tuned_by=tuned_by,
        held=held,
        best_of_each=tuple((name, row, settings) for name, row, settings, _ in of_each),
        worth={**whole, **{name: value for name, _, _, value in of_each}},
        collapsed={ask.number: str(found) for ask in state.searches[phase] if (found := state.collapse(ask))},
        refusal=state.refusal(phase),
        curves=curves,
        agreements=tuple(order_of_ends(state, phase)),
        described={path: axes.get(path, {}) for path in own},
    )
    tuned = {path: described for path, described in summary.described.items() if path not in held}
    edges = tuple(_edges(summary, tuned))
    prices = {edge.axis: price_beyond(state, phase, edge.axis) for edge in edges}
    return replace(summary, edges=edges, prices={axis: price for axis, price in prices.items() if price is not None})


def _bests(
    state: StudyState, rows: pd.DataFrame, tuned_by: str | None, axes: Sequence[str]
) -> Iterator[tuple[str, Row, dict[str, str], BestValue]]:
    """Yield each level or arm with a finished proposal: name, the best row and its tuned settings, and their worth."""
    for name, own in rows.groupby(tuned_by, sort=False) if tuned_by else ():
        numbers = set(own["number"])
        proposals = [ask for ask in state.searches[str(own["phase"].iloc[0])] if ask.number in numbers]
        best = state.best_among(proposals)
        if best is not None:
            row = _row(own, best)
            settings = {path: str(row[path]) for path in axes if pd.notna(row[path])}
            yield str(name), row, settings, best_value(state, best, proposals)


def _row(rows: pd.DataFrame, proposal: Proposal) -> Row:
    return dict(rows[rows["number"] == proposal.number].iloc[0])


def _edges(search: SearchSummary, tuned: Mapping[str, Mapping[str, object]]) -> Iterator[Edge]:
    if search.tuned_by is None:
        yield from edges_of(None, search.proposals, search.best, tuned, search.curves) if search.best else ()
        return
    for level, best, _ in search.best_of_each:
        own = search.proposals[search.proposals[search.tuned_by] == level]
        yield from edges_of(level, own, best, tuned, search.curves)


def _curves(state: StudyState, phase: str) -> dict[int, dict[int, float]]:
    asks = ((ask, state.trial(ask)) for ask in state.searches[phase])
    found = {ask.number: trial.curve(state.readout(ask), state.objective(phase)) for ask, trial in asks if trial}
    return {number: curve for number, curve in found.items() if curve}


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

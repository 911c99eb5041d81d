"""Put together what the templates show: the sections of a report, in their order."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import pandas as pd

from reid_search.records import StudyState

from ..answers.ablations import AblationSummary
from ..answers.budget import budgets
from ..answers.claims import ClaimAnswer
from ..answers.importances import ImportanceSummary
from ..answers.searches import SearchSummary
from ..answers.study_answers import StudyAnswers
from ..answers.trials_summary import TrialsSummary, summarise_trials
from . import describe, describe_tables, draw, protocol
from .claims import family_notes, view_of
from .draw import Drawing
from .export import Table
from .naming import file_name
from .repeat import origins

Summary = TypeVar("Summary")

_ROWS_ON_THE_PAGE = 500


@dataclass(frozen=True)
class Section:
    """One part of a report.

    Attributes:
        kind: Names its templates: `search` is shown by `search.html.j2` and `search.md.j2`.
        summary: What they show.
        table: Name of its table's files, without the suffix; empty where it has none of its own.
        figures: Its figures, those that could be drawn.
        rows: Rows of its table on the page.
        left_out: Number of rows that only the files have.
        notes: Sentences about what is missing, and what the numbers can say.
        details: A further table of it: `name` of its files where it has some, `rows` and `notes`; empty without one.
    """

    kind: str
    summary: Any = None
    table: str = ""
    figures: Sequence[Drawing] = ()
    rows: Sequence[Any] = field(default=(), repr=False)
    left_out: int = 0
    notes: Sequence[str] = ()
    details: Mapping[str, Any] = field(default_factory=dict, repr=False)


def compose_claims(answers: Sequence[ClaimAnswer]) -> list[Section]:
    """Return the section of the claims; none where the study makes none."""
    rows = [view_of(answer) for answer in answers]
    figures = _drawn(draw.CLAIMS, answers)
    return [Section("claims", None, "claims", figures, rows, notes=family_notes(answers))] if answers else []


def compose_search(search: SearchSummary, found: ImportanceSummary | None = None) -> Section:
    """Return the section of a search, with the importance of its axes where it is known."""
    rows, left_out = _rows(search.proposals)
    figures = _drawn(draw.SEARCH, search)
    return Section("search", search, "search", figures, rows, left_out, details=_importances(search, found))


def compose_ablation(ablation: AblationSummary) -> Section:
    """Return the section of one readout of an ablation."""
    rows, left_out = _rows(ablation.arms)
    notes = describe.describe_notes(ablation)
    if ablation.is_for_claims:
        return Section("arms", ablation, "arms", _drawn(draw.ARMS, ablation), rows, left_out, notes)
    table, figures = file_name("contrasts", ablation), _drawn(draw.ABLATION, ablation)
    return Section("ablation", ablation, table, figures, rows, left_out, notes, _effects(ablation))


def compose_closing(
    state: StudyState, arms: pd.DataFrame, trials: TrialsSummary, tables: Sequence[Table]
) -> list[Section]:
    """Return the sections that every report ends with: what did not finish, how it was measured and can be repeated."""
    budget = Section("budget", rows=budgets(state))
    unfinished = Section("unfinished", trials, "trials", rows=trials.unfinished[:_ROWS_ON_THE_PAGE])
    measured = Section("measured", protocol.protocol_facts(state))
    repeated = {"facts": protocol.version_facts(state), "tables": [table.name for table in tables]}
    found = origins(state, arms)
    shown, left_out = found[:_ROWS_ON_THE_PAGE], max(0, len(found) - _ROWS_ON_THE_PAGE)
    reproduce = Section("reproduce", repeated, rows=shown, left_out=left_out)
    return [unfinished, *([budget] if budget.rows else []), measured, reproduce]


def compose_report(
    state: StudyState,
    arms: pd.DataFrame,
    found: StudyAnswers,
    tables: Sequence[Table],
) -> dict[str, Any]:
    """Return what the templates are filled with.

    Args:
        state: The study as it stands.
        arms: The table of `load_arms`.
        found: What the study answers.
        tables: Every table of the report.
    """
    trials = summarise_trials(state, arms)
    searches, ablations = [search for search, _ in found.searches], found.ablations
    phases = [*(search.phase for search in searches), *(ablation.phase for ablation in ablations)]
    sections = compose_claims(found.claims)
    sections += [compose_search(search, importance) for search, importance in found.searches]
    sections += [compose_ablation(ablation) for ablation in ablations]
    sections += compose_closing(state, arms, trials, tables)
    sections += [Section("reading")] if ablations else []
    return {
        "name": state.name,
        "answers": [view_of(answer) for answer in found.claims],
        "summary": describe.describe_study(state, searches, ablations),
        "tiles": describe.headline_numbers(searches, ablations, trials, protocol.test_evaluations(state)),
        "warnings": describe.describe_problems(state, phases),
        "sections": sections,
    }


def _effects(ablation: AblationSummary) -> dict[str, Any]:
    if ablation.effects is None:
        return {}
    rows, left_out = _rows(ablation.effects.table)
    name, notes = file_name("effects", ablation), describe_tables.describe_effects(ablation)
    return {"name": name, "rows": rows, "left_out": left_out, "notes": notes}


def _importances(search: SearchSummary, found: ImportanceSummary | None) -> dict[str, Any]:
    if found is None:
        return {}
    by_forest = {item.axis: item for item in found.fanova}
    rows = [(item, by_forest.get(item.axis)) for item in found.ped_anova]
    name = file_name("importances", search)
    return {"name": name, "rows": rows, "fanova": bool(by_forest), "notes": describe_tables.describe_importance(found)}


def _rows(table: pd.DataFrame) -> tuple[list[dict[str, Any]], int]:
    shown = table.head(_ROWS_ON_THE_PAGE)
    rows = [{str(name): value for name, value in row.items()} for row in shown.to_dict("records")]
    return rows, len(table) - len(shown)


def _drawn(functions: Iterable[Callable[[Summary], Drawing | None]], summary: Summary) -> list[Drawing]:
    return [drawing for drawing in (function(summary) for function in functions) if drawing is not None]

"""Compose the sections of a report, in order, for the templates."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

import pandas as pd

from reid_search.records import Status, StudyState

from ..answers.ablations import AblationSummary
from ..answers.budget import budgets
from ..answers.claim_answer import ClaimAnswer
from ..answers.family import Family
from ..answers.importances import ImportanceSummary
from ..answers.searches import SearchSummary
from ..answers.study_answers import StudyAnswers
from ..answers.train_test import TrainTest
from ..answers.trials_summary import TrialsSummary, summarise_trials
from ..reading.measures import Row, rows_of
from . import describe, describe_tables, draw, protocol
from .answer import answer_in_short
from .citation import citation_facts
from .claims import ClaimView, family_notes, views_of, whom_all
from .describe_collapse import describe_best_collapsed
from .describe_edges import describe_edges
from .describe_family import describe_family
from .describe_matrix import matrix_heading, matrix_notes, matrix_rows
from .describe_rungs import describe_rungs
from .draw import Drawing
from .export import Table
from .labels import Labels, labelled
from .naming import file_name
from .repeat import origins

Summary = TypeVar("Summary")

_ROWS_ON_THE_PAGE = 500


@dataclass(frozen=True)
class Section:
    """One part of a report.

    Attributes:
        kind: Names its templates: `search` is shown by `search.html.j2` and `search.md.j2`.
        title: Its heading.
        summary: What they show.
        table: Name of its table's files, without the suffix; empty if it has none.
        figures: Its figures, as far as they could be drawn.
        rows: Rows of its table on the page.
        left_out: Number of rows that are only in the files.
        notes: Sentences about what is missing and what the numbers mean.
        details: A second table: `name` of its files, `rows` and `notes`; empty without one.
    """

    kind: str
    title: str
    summary: object = None
    table: str = ""
    figures: Sequence[Drawing] = ()
    rows: Sequence[object] = field(default=(), repr=False)
    left_out: int = 0
    notes: Sequence[str] = ()
    details: Mapping[str, object] = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class Report:
    """What the templates show.

    Attributes:
        name: Name of the study.
        title: What it is called, or its name.
        question: What it asks; empty if the study file does not say.
        short: The answer, in at most three sentences.
        answers: Its claims.
        summary: What was done and found, sentence by sentence.
        tiles: A name, a number and a remark each.
        figure_of_answer: The figure that shows the answer; None if nothing is drawn.
        warnings: What is wrong with the files.
        sections: The parts below.
    """

    name: str
    title: str
    question: str
    short: Sequence[str]
    answers: Sequence[ClaimView]
    summary: Sequence[str]
    tiles: Sequence[tuple[str, str, str]]
    figure_of_answer: Drawing | None
    warnings: Sequence[str]
    sections: Sequence[Section]

    @property
    def drawings(self) -> list[Drawing]:
        """All figures."""
        below = [drawing for section in self.sections for drawing in section.figures]
        return [*([self.figure_of_answer] if self.figure_of_answer else []), *below]


def compose_claims(answers: Sequence[ClaimAnswer], family: Family) -> list[Section]:
    """Return the section of the claims; none if the study makes none and never did."""
    rows, notes = views_of(answers), [*family_notes(answers), *describe_family(family)]
    table, figures = "claims" if answers else "", _drawn(draw.CLAIMS, answers)
    return [Section("claims", "Claims", None, table, figures, rows, notes=notes)] if notes else []


def compose_search(search: SearchSummary, found: ImportanceSummary | None = None) -> Section:
    """Return the section of a search, with the importance of its axes if it is known."""
    rows, left_out = _rows(search.proposals)
    figures = _drawn(draw.SEARCH, search)
    notes = [*describe_best_collapsed(search), *describe_edges(search), *describe_rungs(search)]
    title, details = f"Search ‘{search.phase}’", _importances(search, found)
    return Section("search", title, search, "search", figures, rows, left_out, notes, details)


def compose_ablation(ablation: AblationSummary) -> Section:
    """Return the section of one readout of an ablation."""
    rows, left_out = _rows(ablation.arms)
    title, notes = describe_tables.describe_heading(ablation), describe.describe_notes(ablation)
    if ablation.is_for_claims:
        return Section("arms", title, ablation, "arms", _drawn(draw.ARMS, ablation), rows, left_out, notes)
    table, figures = file_name("contrasts", ablation), _drawn(draw.ABLATION, ablation)
    return Section("ablation", title, ablation, table, figures, rows, left_out, notes, _effects(ablation))


def compose_train_test(matrix: TrainTest) -> Section:
    """Return the matrix of what was trained on and what was tested on."""
    rows = matrix_rows(matrix)
    shown, notes, name = rows[:_ROWS_ON_THE_PAGE], list(matrix_notes(matrix)), file_name("train-test", matrix)
    return Section("train_test", matrix_heading(matrix), matrix, name, (), shown, len(rows) - len(shown), notes)


def compose_closing(
    state: StudyState, arms: pd.DataFrame, trials: TrialsSummary, tables: Sequence[Table]
) -> list[Section]:
    """Return the last sections of every report: unfinished trials, costs, protocol, how to reproduce the numbers."""
    budget = Section("budget", "Planned and spent", rows=budgets(state))
    missing = [trial for trial in trials.unfinished if trial.status != Status.STOPPED]
    shown = missing[:_ROWS_ON_THE_PAGE]
    title = "Trials that did not finish"
    unfinished = Section("unfinished", title, trials, "trials", (), shown, len(missing) - len(shown))
    measured = Section("measured", "How it was measured", protocol.protocol_facts(state))
    repeated = {
        "facts": [*protocol.version_facts(state), *citation_facts(state)],
        "tables": [table.name for table in tables],
        "folder": str(state.store.storage.resolve().parent),
    }
    found = origins(state, arms)
    rows, left_out = found[:_ROWS_ON_THE_PAGE], max(0, len(found) - _ROWS_ON_THE_PAGE)
    reproduce = Section("reproduce", "How to reproduce it", repeated, rows=rows, left_out=left_out)
    return [unfinished, *([budget] if budget.rows else []), measured, reproduce]


def compose_report(state: StudyState, arms: pd.DataFrame, found: StudyAnswers, tables: Sequence[Table]) -> Report:
    """Return what the templates show of a study."""
    trials, labels = summarise_trials(state, arms), Labels.of(state.study)
    short, found = answer_in_short(found, arms, labels), labelled(found, labels)
    searches, ablations = [search for search, _ in found.searches], found.ablations
    phases = [*(search.phase for search in searches), *(ablation.phase for ablation in ablations)]
    sections = compose_claims(found.claims, found.family)
    sections += [compose_search(search, importance) for search, importance in found.searches]
    sections += [compose_ablation(ablation) for ablation in ablations]
    sections += [compose_train_test(matrix) for matrix in found.matrices]
    sections += compose_closing(state, arms, trials, tables)
    sections += [Section("reading", "How to read the tables")] if ablations else []
    figure, sections = _first_figure(sections)
    whom = whom_all(found.claims)
    return Report(
        name=state.name,
        title=str(state.study.get("title") or state.name),
        question=str(state.study.get("question") or ""),
        short=short,
        answers=views_of(found.claims),
        summary=[*([whom] if whom else []), *describe.describe_study(state, searches, ablations)],
        tiles=describe.headline_numbers(searches, ablations, trials, protocol.test_evaluations(state)),
        figure_of_answer=figure,
        warnings=describe.describe_problems(state, phases),
        sections=sections,
    )


def _first_figure(sections: Sequence[Section]) -> tuple[Drawing | None, list[Section]]:
    """Return the figure that answers the question, of claims, or else of an ablation or a search; and the rest."""
    for kind in ("claims", "ablation", "arms", "search"):
        for place, section in enumerate(sections):
            if section.kind == kind and section.figures:
                rest = replace(section, figures=section.figures[1:])
                return section.figures[0], [*sections[:place], rest, *sections[place + 1 :]]
    return None, list(sections)


def _effects(ablation: AblationSummary) -> dict[str, object]:
    if ablation.effects is None:
        return {}
    rows, left_out = _rows(ablation.effects.table)
    name, notes = file_name("effects", ablation), describe_tables.describe_effects(ablation)
    return {"name": name, "rows": rows, "left_out": left_out, "notes": notes}


def _importances(search: SearchSummary, found: ImportanceSummary | None) -> dict[str, object]:
    if found is None:
        return {}
    of_best = {item.axis: item for item in found.ped_anova}
    rows = [(item, of_best.get(item.axis)) for item in found.fanova]
    name, notes = file_name("importances", search), describe_tables.describe_importance(found)
    return {"name": name, "rows": rows, "ped_anova": bool(of_best), "notes": notes}


def _rows(table: pd.DataFrame) -> tuple[list[Row], int]:
    shown = table.head(_ROWS_ON_THE_PAGE)
    return rows_of(shown), len(table) - len(shown)


def _drawn(functions: Iterable[Callable[[Summary], Drawing | None]], summary: Summary) -> list[Drawing]:
    return [drawing for drawing in (function(summary) for function in functions) if drawing is not None]

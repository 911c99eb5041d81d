"""Write the report of a study: a page, its Markdown, tables and figures."""

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

import pandas as pd

from reid_search.errors import ReidSearchError
from reid_search.records import StudyState, StudyStore, read_state
from reid_search.records.files import write_atomically

from ..answers.importances import ImportanceSummary
from ..answers.searches import SearchSummary
from ..answers.study_answers import StudyAnswers, answer_study
from ..reading.arms import arms_table
from ..reading.proposals import search_table
from ..reading.trials import trials_table
from . import sheets
from .compose import Report, compose_report
from .export import Table
from .render import render_html, render_markdown


def write_report(study_dir: Path | str, smallest_effect: float = 0.01) -> Path:
    """Write `report/` in a study's folder and return the path of `report/index.html`.

    The same records give the same bytes. Files that cannot be read are named in the report; so are unfinished trials,
    which no mean includes.

    Args:
        study_dir: `<storage>/<study>`.
        smallest_effect: Smallest difference of mAP that matters, in [0, 1].

    Raises:
        RequestError: There is no study in this folder.
    """
    state = read_state(StudyStore.at(study_dir), tolerant=True)
    folder = state.store.report
    arms, search = arms_table(state), search_table(state)
    found = answer_study(state, arms, search, smallest_effect)
    tables = _tables(state, arms, search, found)
    written = dict(_files(compose_report(state, arms, found, tables), tables))
    for name, content in written.items():
        write_atomically(folder / name, content)
    _remove_others(folder, written)
    return folder / "index.html"


def _tables(state: StudyState, arms: pd.DataFrame, search: pd.DataFrame, found: StudyAnswers) -> list[Table]:
    return [
        *([sheets.claims_sheet(found.claims)] if found.claims else []),
        sheets.trials_sheet(trials_table(state)),
        sheets.arms_sheet(arms),
        sheets.search_sheet(search),
        *(sheet for search, importance in found.searches for sheet in _of_search(search, importance)),
        *(sheets.contrasts_sheet(ablation) for ablation in found.ablations if not ablation.is_for_claims),
        *(sheets.train_test_sheet(matrix) for matrix in found.matrices),
        *(sheet for sheet in map(sheets.effects_sheet, found.ablations) if sheet is not None),
    ]


def _of_search(search: SearchSummary, found: ImportanceSummary | None) -> list[Table]:
    sheet = sheets.importances_sheet(search, found) if found else None
    tables = (sheets.isolation_sheet(search), sheets.spending_sheet(search), sheets.rungs_sheet(search), sheet)
    return [table for table in tables if table is not None and len(table.frame)]


def _remove_others(folder: Path, written: Collection[str]) -> None:
    """Remove tables and figures of an earlier report that this one no longer has."""
    for path in (path for kind in ("tables", "figures") for path in (folder / kind).glob("*.*")):
        if path.relative_to(folder).as_posix() not in written:
            path.unlink()


def _files(report: Report, tables: Sequence[Table]) -> Iterator[tuple[str, str | bytes]]:
    """Yield path and content of every file, the page last, so that its links always work."""
    for table in tables:
        for suffix, text in table.files.items():
            yield f"tables/{table.name}.{suffix}", text
    pages = {"report.md": render_markdown(vars(report)), "index.html": render_html(vars(report))}
    for drawing in report.drawings:
        for name, text in pages.items():  # so that no template forgets a figure and no two share a name
            links = text.replace("\\_", "_")  # Markdown escapes it
            if (count := links.count(f"figures/{drawing.name}.svg")) != 1:
                raise ReidSearchError(f"figure '{drawing.name}': appears {count} times in {name}; expected once")
        yield f"figures/{drawing.name}.svg", drawing.svg
        yield f"figures/{drawing.name}.pdf", drawing.pdf
    yield from pages.items()

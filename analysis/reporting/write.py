"""Write the report of a study: a page, its Markdown, tables and figures."""

from pathlib import Path

from reid_search.records import StudyStore
from reid_search.records.files import write_atomically

from ..answers.ablations import summarise_ablations
from ..answers.searches import summarise_searches
from ..reading.arms import arms_table
from ..reading.gather import gather
from ..reading.proposals import search_table
from ..reading.trials import trials_table
from .compose import compose_ablation, compose_report, compose_search
from .render import render_html, render_markdown


def write_report(study_dir: Path | str, smallest_effect: float = 0.01) -> Path:
    """Write `report/` in a study's folder and return the path of `report/index.html`.

    The same records give the same bytes. What cannot be read is named in the report; what is not finished is left out
    of means and named too.

    Args:
        study_dir: `<storage>/<study>`.
        smallest_effect: Smallest difference of mAP that matters, in [0, 1].

    Raises:
        RequestError: There is no study in this folder.
    """
    results = gather(study_dir, tolerant=True)
    folder = StudyStore.at(results.path).report
    arms, search = arms_table(results), search_table(results)
    searches = [compose_search(summary) for summary in summarise_searches(results, search)]
    ablations = [compose_ablation(summary) for summary in summarise_ablations(results, arms, smallest_effect)]
    tables = {"trials": trials_table(results), "arms": arms, "search": search}
    tables |= {section.table: section.summary.contrasts for section in ablations}
    for name, table in tables.items():
        write_atomically(folder / "tables" / f"{name}.csv", table.to_csv(index=False, lineterminator="\n"))
    figures = [figure for section in searches for figure in section.named_figures()]
    figures += [figure for section in ablations for figure in section.named_figures()]
    for name, svg in figures:
        write_atomically(folder / "figures" / f"{name}.svg", svg)
    view = compose_report(results, arms, searches, ablations) | {"tables": list(tables)}
    write_atomically(folder / "report.md", render_markdown(view))
    write_atomically(folder / "index.html", render_html(view))
    return folder / "index.html"

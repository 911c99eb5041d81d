"""Put together what the templates show."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import pandas as pd

from ..answers.ablations import AblationSummary
from ..answers.searches import SearchSummary
from ..answers.trials_summary import summarise_trials
from ..reading.gather import StudyResults
from . import describe, draw, protocol

_ROWS_ON_THE_PAGE = 500

Summary = TypeVar("Summary", SearchSummary, AblationSummary)


@dataclass(frozen=True)
class Section(Generic[Summary]):
    """A search, or one readout of an ablation.

    Attributes:
        summary: What came out.
        table: Name of its CSV file, without the suffix.
        figures: SVG texts by kind: `history`, or `forest` and `cmc`; those that could be drawn.
        rows: Rows of its table on the page.
        left_out: Number of rows that only the CSV file has.
        notes: Sentences about what is missing, and what the numbers can say.
    """

    summary: Summary
    table: str
    figures: Mapping[str, str]
    rows: list[dict[str, Any]] = field(repr=False)
    left_out: int = 0
    notes: Sequence[str] = ()

    def figure_name(self, kind: str) -> str:
        """Return the name of a figure's file, without the suffix."""
        return file_name(kind, self.summary)

    def named_figures(self) -> list[tuple[str, str]]:
        """Return the figures as pairs of the file's name and SVG text."""
        return [(self.figure_name(kind), svg) for kind, svg in self.figures.items()]


def compose_search(summary: SearchSummary) -> Section[SearchSummary]:
    """Return the section of a search."""
    rows, left_out = _rows(summary.proposals)
    return Section(summary, "search", _drawn(history=draw.draw_history(summary)), rows, left_out)


def compose_ablation(summary: AblationSummary) -> Section[AblationSummary]:
    """Return the section of one readout of an ablation."""
    rows, left_out = _rows(summary.arms)
    figures = _drawn(forest=draw.draw_forest(summary), cmc=draw.draw_cmc(summary))
    return Section(summary, file_name("contrasts", summary), figures, rows, left_out, describe.describe_notes(summary))


def compose_report(
    results: StudyResults,
    arms: pd.DataFrame,
    searches: list[Section[SearchSummary]],
    ablations: list[Section[AblationSummary]],
) -> dict[str, Any]:
    """Return what the templates are filled with.

    Args:
        results: What was gathered.
        arms: The table of `load_arms`.
        searches: The sections of the searches.
        ablations: The sections of the ablations.
    """
    found, compared = [section.summary for section in searches], [section.summary for section in ablations]
    trials = summarise_trials(results, arms)
    return {
        "name": results.name,
        "summary": describe.describe_study(results, found, compared),
        "tiles": describe.headline_numbers(found, compared, trials, protocol.test_evaluations(results)),
        "searches": searches,
        "ablations": ablations,
        "drawn": {"arms": draw.ARMS_DRAWN, "curves": draw.CURVES_DRAWN},
        "trials": trials,
        "unfinished": trials.unfinished[:_ROWS_ON_THE_PAGE],
        "warnings": describe.describe_problems(
            results, [*(item.phase for item in found), *(item.phase for item in compared)]
        ),
        "protocol": protocol.protocol_facts(results),
        "versions": protocol.version_facts(results),
    }


def file_name(kind: str, summary: SearchSummary | AblationSummary) -> str:
    """Return a file name such as `contrasts-ablate` or, for a further readout, `forest-ablate--global`."""
    readout = getattr(summary, "readout", "default")
    name = f"{kind}-{summary.phase}" + ("" if readout == "default" else f"--{readout}")
    return re.sub(r"[^A-Za-z0-9_.-]", "_", name)


def _rows(table: pd.DataFrame) -> tuple[list[dict[str, Any]], int]:
    shown = table.head(_ROWS_ON_THE_PAGE)
    return [{str(name): value for name, value in row.items()} for row in shown.to_dict("records")], len(table) - len(
        shown
    )


def _drawn(**figures: str | None) -> dict[str, str]:
    return {kind: svg for kind, svg in figures.items() if svg is not None}

"""From trial records to tables, statistics, figures and a report; pandas, no torch, no ray.

    gather        reads what the trials left on disk, each file once
    tabulate_*    makes tables of it: trials, arms, proposals
    contrast      compares the arms of an ablation with its baseline
    summarise_*   reduces a search or an ablation to what a reader wants to know
    describe      says it in sentences
    draw          makes the figures
    render        fills the templates
    report        writes everything into `<study>/report/`

The same package is reachable as `reid_search.analysis`, for an environment in which another `analysis` comes first.
Importing it is cheap: pandas, scipy and matplotlib are loaded when a name is first used.
"""

from typing import TYPE_CHECKING, Any

from .names import PUBLIC, resolve

if TYPE_CHECKING:
    from .contrast import contrasts
    from .report import write_report
    from .tabulate_arms import load_arms
    from .tabulate_search import load_search
    from .tabulate_trials import load_trials

__all__ = ["contrasts", "load_arms", "load_search", "load_trials", "write_report"]


def __getattr__(name: str) -> Any:
    return resolve(__name__, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *PUBLIC})

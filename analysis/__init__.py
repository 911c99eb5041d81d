"""From trial records to tables, statistics, figures and a report; pandas, no torch, no ray.

    reading/      tables of what trials left on disk: trials, arms, proposals
    statistics/   pure functions of arrays
    answers/      how a search went, what the arms of an ablation are worth, which claims hold
    reporting/    sentences, figures, tables and the page `<study>/report/`

Each room imports only from those above it.

The same package is reachable as `reid_search.analysis`, for an environment in which another `analysis` comes first.
Importing it is cheap: pandas, scipy and matplotlib are loaded when a name is first used.
"""

from typing import TYPE_CHECKING

from .names import PUBLIC, resolve

if TYPE_CHECKING:
    from .answers.arm_values import ArmValue, arm_values
    from .answers.bests import best_values
    from .answers.compare import compare_studies
    from .answers.going_on import expected_count, look_at_claims
    from .answers.paired_contrasts import contrasts
    from .reading.arms import load_arms
    from .reading.proposals import load_search
    from .reading.speed import measured_speed, planned_seconds
    from .reading.trials import load_trials
    from .reporting.arm_verdicts import arm_verdicts
    from .reporting.claims import verdicts
    from .reporting.comparison import comparison_sheet, lost_seeds
    from .reporting.conclude import conclusion
    from .reporting.describe_family import caveats
    from .reporting.describe_rungs import rungs_to_set
    from .reporting.write import write_report

__all__ = [
    "ArmValue", "arm_values", "arm_verdicts", "best_values", "caveats", "compare_studies", "comparison_sheet",
    "conclusion", "contrasts", "expected_count", "load_arms", "load_search", "load_trials", "look_at_claims",
    "lost_seeds", "measured_speed", "planned_seconds", "rungs_to_set", "verdicts", "write_report",
]  # fmt: skip


def __getattr__(name: str) -> object:
    return resolve(__name__, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *PUBLIC})

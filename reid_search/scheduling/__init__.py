"""Running a study: proposals, placement on Ray, pruning, resuming. The only room that imports ray and optuna."""

from typing import TYPE_CHECKING, Any

from reid_search.scheduling.progress import Best, Observer, RunSummary, TrialLabel

if TYPE_CHECKING:
    from reid_search.scheduling.driver import RunOptions, run_study

__all__ = ["Best", "Observer", "RunOptions", "RunSummary", "TrialLabel", "run_study"]


def __getattr__(name: str) -> Any:
    if name in ("RunOptions", "run_study"):
        from reid_search.scheduling import driver

        return getattr(driver, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

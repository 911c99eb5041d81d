"""Running a study on a backend: proposals, pruning, resuming. Only this room imports ray."""

from typing import TYPE_CHECKING

from reid_search.lazy import lazy_names
from reid_search.scheduling.observer import Best, Observer, RunSummary, TrialLabel

if TYPE_CHECKING:
    from reid_search.scheduling.backends import check_address
    from reid_search.scheduling.driver import RunOptions, run_study

__all__ = ["Best", "Observer", "RunOptions", "RunSummary", "TrialLabel", "check_address", "run_study"]

__getattr__ = lazy_names(__name__, {"RunOptions": "driver", "check_address": "backends", "run_study": "driver"})

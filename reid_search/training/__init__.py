"""One trial: a config and a seed in, a record out. No ray and no mlflow, so that it runs on a bare GPU machine."""

from typing import TYPE_CHECKING

from reid_search.lazy import lazy_names
from reid_search.training.request import Device, TrialRequest

if TYPE_CHECKING:
    from reid_search.training.session import TrialSession, run_trial

__all__ = ["Device", "TrialRequest", "TrialSession", "run_trial"]

__getattr__ = lazy_names(__name__, {"TrialSession": "session", "run_trial": "session"})

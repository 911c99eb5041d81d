"""One trial: a config and a seed in, a record out. No ray and no mlflow, so that it runs on a bare GPU machine."""

from typing import TYPE_CHECKING, Any

from reid_search.training.request import TrialRequest

if TYPE_CHECKING:
    from reid_search.training.session import TrialSession, run_trial

__all__ = ["TrialRequest", "TrialSession", "run_trial"]


def __getattr__(name: str) -> Any:
    if name in ("TrialSession", "run_trial"):
        from reid_search.training import session

        return getattr(session, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

"""Settings of the median rule; no Optuna."""

from typing import Literal

from pydantic import Field

from reid_search.study import PrunerConfig


class MedianConfig(PrunerConfig):
    """Stops a trial whose best epoch so far is worse than the median of the finished trials at the same epoch.

    Attributes:
        min_epochs: Epochs that every trial runs.
        startup: Finished trials before the first is stopped.
    """

    kind: Literal["median"]
    min_epochs: int = Field(default=1, ge=1)
    startup: int = Field(default=5, ge=1)

    def begins(self, epochs: int) -> int:
        """Return the first epoch after which it may stop a trial."""
        del epochs
        return self.min_epochs

    def check(self, epochs: int) -> None:
        """Make sure that trials are compared before their last epoch."""
        self._check_fewest_epochs(self.min_epochs, epochs)


CONFIG = MedianConfig

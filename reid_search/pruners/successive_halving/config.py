"""Settings of successive halving; no Optuna."""

from typing import Literal

from pydantic import Field

from reid_search.study import PrunerConfig


class SuccessiveHalvingConfig(PrunerConfig):
    """Stops a trial that is not among the best at a rung (Jamieson & Talwalkar 2016; asynchronous: Li et al. 2020).

    Rungs are `min_epochs`, `min_epochs` × `reduction`, `min_epochs` × `reduction`², ... epochs.

    Attributes:
        min_epochs: Epochs that every trial runs.
        reduction: One in this many trials passes a rung.
    """

    kind: Literal["successive_halving"]
    min_epochs: int = Field(default=1, ge=1)
    reduction: int = Field(default=3, ge=2)

    def check(self, epochs: int) -> None:
        """Make sure that trials are compared before their last epoch."""
        self._check_fewest_epochs(self.min_epochs, epochs)


CONFIG = SuccessiveHalvingConfig

"""Settings of successive halving; no Optuna."""

from typing import Literal

from pydantic import Field

from reid_search.study import PrunerConfig

_DEFAULT_SHARE = 3  # of a trial: every trial runs one part in so many


class SuccessiveHalvingConfig(PrunerConfig):
    """Stops a trial that is not among the best at a rung (Jamieson & Talwalkar 2016; asynchronous: Li et al. 2020).

    Rungs are `min_epochs`, `min_epochs` × `reduction`, `min_epochs` × `reduction`², ... epochs.

    Attributes:
        min_epochs: Epochs that every trial runs; by default a third of those of a trial, since the order after the
            first few is not yet that of the end. The report of a search says which epochs have it.
        reduction: One in this many trials passes a rung.
    """

    kind: Literal["successive_halving"]
    min_epochs: int | None = Field(default=None, ge=1)
    reduction: int = Field(default=3, ge=2)

    def begins(self, epochs: int) -> int:
        """Return the first epoch after which it may stop a trial of this many epochs."""
        return max(1, epochs // _DEFAULT_SHARE) if self.min_epochs is None else self.min_epochs

    def check(self, epochs: int) -> None:
        """Make sure that trials are compared before their last epoch."""
        self._check_fewest_epochs(self.begins(epochs), epochs)


CONFIG = SuccessiveHalvingConfig

"""Settings of Hyperband; no Optuna."""

from typing import Literal

from pydantic import Field

from reid_search.study import EntryError, PrunerConfig

_REDUCTION = 3


class HyperbandConfig(PrunerConfig):
    """Several successive halvings side by side, from strict to lenient (brackets; Li et al. 2018).

    It suits objectives that may tell good trials from bad ones early or late. A trial's bracket follows from the names
    of the study and the phase and from the trial's number. The sampler learns from all brackets.

    Attributes:
        min_epochs: Epochs that every trial runs.
        max_epochs: Epochs of a trial that is never stopped, which decide the number of brackets; by default those of
            the search's base.
        reduction: One in this many trials passes a rung of a bracket.
    """

    kind: Literal["hyperband"]
    min_epochs: int = Field(default=1, ge=1)
    max_epochs: int | None = Field(default=None, ge=1)
    reduction: int = Field(default=_REDUCTION, ge=2)

    def begins(self, epochs: int) -> int:
        """Return the first epoch after which it may stop a trial."""
        del epochs
        return self.min_epochs

    def check(self, epochs: int) -> None:
        """Make sure that trials are compared before their last epoch, and that there is more than one bracket."""
        self._check_fewest_epochs(self.min_epochs, epochs)
        most = max(self.max_epochs or epochs, self.min_epochs)
        if self.reduction > _REDUCTION and self.min_epochs * self.reduction > most:
            one = f"{self.reduction}: of {most} epochs this makes one bracket only, which is successive halving"
            allowed = f"allowed: at most {max(most // self.min_epochs, _REDUCTION)}, or pruner: successive_halving"
            raise EntryError(f"{one}; {allowed}", "reduction")


CONFIG = HyperbandConfig

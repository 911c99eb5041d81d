"""Settings of Hyperband; no Optuna."""

from typing import Literal

from pydantic import Field

from reid_search.study import PrunerConfig


class HyperbandConfig(PrunerConfig):
    """Several successive halvings side by side, from strict to lenient (brackets; Li et al. 2018).

    For objectives of which it is not known how early they tell good trials from bad ones. A trial's bracket follows
    from the names of the study and the phase and from the trial's number. The sampler learns from all brackets.

    Attributes:
        min_epochs: Epochs that every trial runs.
        max_epochs: Epochs of a trial that is never stopped, from which the number of brackets follows; those of the
            search's base where omitted.
        reduction: Of so many trials at a rung of a bracket one goes on.
    """

    kind: Literal["hyperband"]
    min_epochs: int = Field(default=1, ge=1)
    max_epochs: int | None = Field(default=None, ge=1)
    reduction: int = Field(default=3, ge=2)


CONFIG = HyperbandConfig

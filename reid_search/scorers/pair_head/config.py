"""Settings of the pair head as a scorer; no torch."""

from typing import Literal

from pydantic import Field

from reid_search.study import LossConfig, ScorerConfig


class PairHeadConfig(ScorerConfig):
    """Distances from the trained head of a pair loss, each pair on its own.

    Attributes:
        head: Name of the loss whose trained head scores.
        top: How many of each query's nearest images it scores; all if null.
    """

    kind: Literal["pair_head"]
    head: str
    top: int | None = Field(default=None, ge=1)

    @property
    def loss(self) -> str:
        """Name of the loss whose trained head it uses."""
        return self.head

    @property
    def transductive(self) -> bool:
        """Whether a pair's distance depends on other images of the gallery."""
        return False

    def problem_with(self, loss: LossConfig) -> str | None:
        """Return why this loss cannot be used, or None."""
        if getattr(loss, "scores_pairs", False):
            return None
        return f"loss '{loss.kind}' has no head that scores pairs; allowed: a loss such as graph or verification"


CONFIG = PairHeadConfig

"""Settings of the graph as a scorer; no torch."""

from typing import Literal

from pydantic import Field

from reid_search.study import LossConfig, ScorerConfig


class GraphScorerConfig(ScorerConfig):
    """SGGNN on each query's nearest images; the rest keep their order (Shen et al. 2018, section 4).

    `alpha` and `edges` may differ from training, so that one training also yields its base model (`alpha: 0`) and its
    controls (`edges: uniform`, `shuffled`, `oracle`).

    Attributes:
        head: Name of the loss whose trained graph scores.
        top: How many images of each query are scored together.
        mix: Weight of the first-stage distance, 1 - mix being that of the graph's probability; 1 keeps the first stage.
        alpha: Share of the neighbours' messages; as in training if omitted.
        edges: Which gallery images send messages to each other; as in training if omitted. `oracle` reads the
            identities of the gallery: an upper bound, not a result.
    """

    kind: Literal["graph"]
    head: str = "graph"
    top: int = Field(default=100, ge=1)
    mix: float = Field(default=0.0, ge=0.0, le=1.0)
    alpha: float | None = Field(default=None, ge=0.0, le=1.0)
    edges: Literal["supervised", "learnt", "uniform", "oracle", "shuffled"] | None = None

    @property
    def loss(self) -> str:
        """Name of the loss whose trained head it uses."""
        return self.head

    def problem_with(self, loss: LossConfig) -> str | None:
        """Return why this loss cannot be used, or None."""
        if loss.kind != "graph":
            return f"loss '{loss.kind}' has no graph; allowed: a loss of kind graph"
        if self.edges == "learnt" and getattr(loss, "edges", None) != "learnt":
            return "edges: learnt needs a loss that learnt them (edges: learnt); no other loss has their parameters"
        return None


CONFIG = GraphScorerConfig

"""Settings of the graph over pairs; no torch."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from reid_search.errors import nearest
from reid_search.study import EntryError, LossConfig
from reid_search.study.component import Either

if TYPE_CHECKING:
    from reid_search.study.trial.training import TrainingConfig

EdgeKind = Literal["supervised", "learnt", "uniform", "oracle", "shuffled"]


class GraphConfig(LossConfig):
    """Similarity-guided graph neural network (Shen et al. 2018, section 3), trained on P × K batches.

    Each pair of a probe and a gallery image is a node; the nodes of one probe exchange messages along edges weighted by
    the similarity of their gallery images. `scores_pairs` says that it has a head that scores pairs.

    Attributes:
        pair: Features of a pair, before batch norm: the squared or absolute difference of the two, or their product.
        edges: Where messages go: to images that the siamese scorer, supervised on gallery-gallery pairs, finds similar
            (`supervised`); along weights learnt from the nodes without gallery labels (`learnt`); to all images
            equally (`uniform`); to images of the same identity, in testing too (`oracle`); as `supervised`, but
            between the wrong images (`shuffled`).
        temperature: Divides the scores of edges before their softmax; they are log-odds.
        edge_weight: Weight of the supervision of gallery-gallery pairs.
        alpha: Share of the neighbours' messages in a node; 0 is the base model.
        iterations: Rounds of messages.
        message_layers: Layers (linear, batch norm, ReLU) from a node to its message; 0 sends the node itself.
        width: Hidden size of these layers; the feature's if omitted.
        positive_weight: Weight of a pair of one identity, or `balanced`: all such pairs weigh as much as all others.
        features: Whether the gradient reaches the network (`trained`) or only the loss's own parameters (`frozen`).
        base_stages: Names of the stages that train its base model alone: no node sends a message (pre-training,
            section 4.2).
    """

    scores_pairs: ClassVar[bool] = True
    written_if_set: ClassVar[tuple[str, ...]] = ("base_stages",)
    kind: Literal["graph"]
    compares_images: ClassVar[bool] = True
    pair: Literal["squared", "absolute", "product"] = "squared"
    edges: EdgeKind = "supervised"
    temperature: float = Field(default=1.0, ge=1e-3, le=1e3)
    edge_weight: float = Field(default=1.0, ge=0.0, le=1e6)
    alpha: float = Field(default=0.9, ge=0.0, le=1.0)
    iterations: int = Field(default=1, ge=1, le=10)
    message_layers: int = Field(default=2, ge=0, le=2)
    width: int | None = Field(default=None, ge=1, le=65_536)
    positive_weight: Annotated[
        Annotated[float, Field(ge=1e-6, le=1e6, strict=True)] | Literal["balanced"],
        Either("balanced", "a number from 1e-6 to 1e6"),
    ] = 1.0
    features: Literal["trained", "frozen"] = "trained"
    base_stages: tuple[str, ...] = ()

    def check_training(self, training: "TrainingConfig", stages: Sequence[str]) -> None:
        """Raise an EntryError if a stage of the base model is none of the training's, or no other trains messages."""
        known = [stage.name for stage in training.resolved_stages]
        for name in self.base_stages:
            if name not in known:
                raise EntryError(f"unknown stage '{name}'; {nearest(name, known)}", "base_stages")
        if self.alpha and set(stages) <= set(self.base_stages):
            message = f"{list(self.base_stages)}: no other stage uses this loss, so its messages would never be trained"
            raise EntryError(f"{message}; allowed: [], a further stage, or alpha 0", "base_stages")


CONFIG = GraphConfig

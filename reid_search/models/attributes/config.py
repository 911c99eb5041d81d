"""Settings of attribute-person recognition; no torch."""

from collections.abc import Mapping
from typing import ClassVar, Literal

from reid_search.models.layers.settings import BranchSettings, PoolingName
from reid_search.models.layers.taps import head_stages, last_stage, pooling_parameters, vector_taps
from reid_search.study import Scope, Stage, TapSpec
from reid_search.study.trial.side_cars import ATTRIBUTES

LOGITS = sum(ATTRIBUTES.values())


class AttributesConfig(BranchSettings):
    """A global vector that knows attributes (APR, Lin et al. 2019, section 4), named `p1` as the baseline's.

    Each attribute has a classifier on the pooled map; `attributes.logits` concatenates their logits in the order of
    the tables. `p1.global` is the pooled map followed by the predicted probabilities, each times a gate between 0 and 1
    that sees all of them.

    The paper's loss is `λ · identity + mean over attributes` with λ = 8; the default losses are an eighth of it, so
    that the identity loss has the same weight as in other architectures.

    Attributes:
        last_stride: Last stride of the backbone (of `layer4` in a ResNet).
        pooling: How the map is pooled.
        reweighting: Whether the re-weighted predictions join the vector, or are only learnt beside it.
    """

    default_losses: ClassVar[Mapping[str, Mapping[str, object]]] = {
        "identity": {"kind": "cross_entropy", "on": ["global@coarse"]},
        "attributes": {"kind": "attributes", "on": ["attribute@coarse"], "weight": 0.125},
    }
    architecture: Literal["attributes"]
    pooling: PoolingName = "avg"
    last_stride: Literal[1, 2] = 1
    reweighting: bool = True

    @property
    def default_readout(self) -> tuple[str, ...]:
        """The global vector at its last stage."""
        return (f"global@{last_stage(self)}",)

    @property
    def vector_size(self) -> int:
        """Values of the global vector."""
        return self.channels + self.reweighting * LOGITS

    def taps(self, image_size: tuple[int, int]) -> tuple[TapSpec, ...]:
        """Return the taps of the global vector and of the attributes."""
        del image_size
        pooled = {"backbone", *pooling_parameters(self)}
        known = pooled | {"classifiers"}
        below = known | {"gate"} if self.reweighting else pooled
        taps = vector_taps("p1.global", Scope.GLOBAL, head_stages(self, self.vector_size), below, ["head"])
        return (*taps, TapSpec("attributes.logits", Scope.ATTRIBUTE, Stage.COARSE, (LOGITS,), frozenset(known)))


CONFIG = AttributesConfig

"""Settings of attribute-person recognition; no torch."""

from collections.abc import Mapping
from typing import ClassVar, Literal

from reid_search.models.layers.settings import BranchSettings
from reid_search.models.layers.taps import head_stages, pooling_parameters, vector_taps
from reid_search.study import Scope, Stage, TapSpec
from reid_search.study.trial.side_cars import AttributeSet, logits_of


class AttributesConfig(BranchSettings):
    """A global vector that includes attributes (APR, Lin et al. 2019, section 4), named `p1` like the baseline's.

    Each attribute has a classifier on the pooled map; `attributes.logits` concatenates their logits. `p1.global` is the
    pooled map followed by the predicted probabilities, each multiplied by a gate in [0, 1] that is computed from all of
    them.

    The paper's loss is `λ · identity + mean over attributes` with λ = 8; the default losses are an eighth of it, so
    that the identity loss has the same weight as in other architectures.

    Attributes:
        reweighting: Whether the vector includes the re-weighted predictions, or the attributes are only trained.
        attribute_set: The attributes, those of Market-1501 or of DukeMTMC-reID; the loss on them names the same set.
    """

    written_if_set: ClassVar[tuple[str, ...]] = ("attribute_set",)
    default_losses: ClassVar[Mapping[str, Mapping[str, object]]] = {
        "identity": {"kind": "cross_entropy", "on": ["global@coarse"]},
        "attributes": {"kind": "attributes", "on": ["attribute@coarse"], "weight": 0.125},
    }
    architecture: Literal["attributes"]
    reweighting: bool = True
    attribute_set: AttributeSet = "market"

    @property
    def logits(self) -> int:
        """Values of all attributes together."""
        return logits_of(self.attribute_set)

    @property
    def vector_size(self) -> int:
        """Values of the global vector."""
        return self.channels + self.reweighting * self.logits

    def taps(self, _image_size: tuple[int, int]) -> tuple[TapSpec, ...]:
        """Return the taps of the global vector and of the attributes."""
        pooled = {"backbone", *pooling_parameters(self)}
        known = pooled | {"classifiers"}
        below = known | {"gate"} if self.reweighting else pooled
        taps = vector_taps("p1.global", Scope.GLOBAL, head_stages(self, self.vector_size), below, ["head"])
        return (*taps, TapSpec("attributes.logits", Scope.ATTRIBUTE, Stage.COARSE, (self.logits,), frozenset(known)))


CONFIG = AttributesConfig

"""Settings of the part-based convolutional baseline; no torch."""

from collections.abc import Mapping
from typing import ClassVar, Literal

from pydantic import model_validator

from reid_search.models.layers.settings import HeadName, StripeSettings
from reid_search.models.layers.shapes import Region
from reid_search.models.layers.taps import head_stages, stripe_taps, vector_taps
from reid_search.study import EntryError, Scope, Stage, TapSpec


class PCBConfig(StripeSettings):
    """A part-based convolutional baseline (Sun et al. 2018, section 3): one map, cut into stripes.

    With six parts it offers `p6.part1` … and their concatenation `p6.concat`. The published system sums the identity
    losses of its parts (a loss here is the mean over its taps, so that a weight of 6 is the sum) and tests on the
    coarse features (PCB-G) or the reduced ones (PCB-H).

    Refined part pooling is trained in three stages: `mode: stripes`, without refinement; the induction, which trains
    only the part classifier (`train: [part_classifier.*]`); and all parameters together.

    Attributes:
        parts: Number of stripes.
        last_stride: Last stride of the backbone (of `layer4` in a ResNet).
        partition: `stripes` cuts the map into rows. `refined` weights every place by the probability, from a learnt
            classifier, that it belongs to the part (section 3.3), and divides by the sum of the weights, so that a
            classifier that is certain of the stripes gives their averages. `refined_as_code` is what the authors' code
            has instead: the classifier sees 256 averages of neighbouring channels (with dropout), less their means over
            the map, and sums are divided by the number of places in a stripe.
        global_head: Whether the whole map also has a head, `p6.global`.
        part_mean: Whether the mean of the reduced parts is offered as `p6.mean@reduced`, the tap of the single loss in
            the paper's Variant 1. The default readout leaves it out, since it repeats the parts.
    """

    default_losses: ClassVar[Mapping[str, Mapping[str, object]]] = {
        "identity": {"kind": "cross_entropy", "on": ["global@reduced", "part@reduced"], "bias": True}
    }
    modes: ClassVar[tuple[str, ...]] = ("stripes",)

    architecture: Literal["pcb"]
    parts: Literal[2, 3, 4, 6, 8, 12] = 6
    pooling: HeadName = "avg"
    last_stride: Literal[1, 2] = 1
    partition: Literal["stripes", "refined", "refined_as_code"] = "stripes"
    global_head: bool = False
    part_mean: bool = False

    @model_validator(mode="after")
    def _refined_parts_are_weighted_averages(self) -> "PCBConfig":
        if self.is_refined and self.pooling != "avg":
            found = f"'{self.pooling}' with partition '{self.partition}', a weighted average"
            raise EntryError(f"{found}; allowed: avg", "pooling")
        return self

    @property
    def is_refined(self) -> bool:
        """Whether parts are found by a classifier."""
        return self.partition != "stripes"

    @property
    def name(self) -> str:
        """The prefix of its tap names, `p6`."""
        return f"p{self.parts}"

    @property
    def default_readout(self) -> tuple[str, ...]:
        """All reduced vectors, each once."""
        return ("part@reduced", f"{self.name}.global@reduced") if self.global_head else ("part@reduced",)

    def region(self, image_size: tuple[int, int]) -> Region:
        """Return the map."""
        return Region.of(self.backbone, image_size, self.last_stride)

    def taps(self, image_size: tuple[int, int]) -> tuple[TapSpec, ...]:
        """Return the taps of the whole map, if it has a head, and of the parts, their concatenation and their mean.

        Raises:
            StudyError: There are more stripes than the map has rows.
        """
        self.region(image_size).stripes(self.parts)
        stages, name = head_stages(self), self.name
        below = ("backbone", "part_classifier") if self.is_refined else ("backbone",)
        taps = list(stripe_taps(name, self.parts, stages, below, "parts"))
        if self.part_mean:
            joined = next(tap for tap in taps if tap.key == f"{name}.concat@{Stage.REDUCED}")
            shape = (self.embedding_dim,)
            taps.append(TapSpec(f"{name}.mean", Scope.GLOBAL, Stage.REDUCED, shape, joined.through))
        if not self.global_head:
            return tuple(taps)
        return (*vector_taps(f"{name}.global", Scope.GLOBAL, stages, ["backbone"], ["whole"]), *taps)


CONFIG = PCBConfig

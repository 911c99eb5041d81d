"""Settings of the multiple granularity network; no torch."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from pydantic import Field, field_validator, model_validator

from reid_search.backbones import backbone_config
from reid_search.errors import nearest
from reid_search.models.layers.settings import StripeSettings, Trunk
from reid_search.models.layers.shapes import Region
from reid_search.models.layers.taps import branch_taps, head_stages
from reid_search.study import EntryError, TapSpec
from reid_search.words import several

Stride = Literal[1, 2]


@dataclass(frozen=True)
class BranchPlan:
    """One branch: its name `p3`, the numbers of stripes its map is cut into by name, the backbone's last stride."""

    name: str
    cuts: Mapping[str, int]
    stride: Stride


class MGNConfig(StripeSettings):
    """A multiple granularity network (Wang et al. 2018, section 3): branches that cut the map into 1, 2, 3, … stripes.

    Branch `p<n>` has `n` stripes and offers `p<n>.global`, `p<n>.part1` … and their concatenation `p<n>.concat`.

    With `branches: one`, the paper's counter-example, one map is cut in every way. Its parts keep their names, and its
    single global tap is named after the coarsest cut: `p2.global` and `p3.global` would be the same vector, which the
    loss and the readout would count three times.

    Attributes:
        parts: Stripes of each branch, each number once.
        branches: A branch for each number of stripes, or `one` for all of them.
        split: Last layer or block that the branches share, one of the backbone's `cuts`; `layer3.0` is conv4_1, `input`
            shares nothing, which gives an ensemble of separate networks. It does not matter with one branch.
        strides: Last stride of the backbone (of `layer4` in a ResNet) by the branch's number of stripes; 1 for branches
            not listed. With `branches: one`, the stride of the finest cut applies.
    """

    default_losses: ClassVar[Mapping[str, Mapping[str, object]]] = {
        "identity": {"kind": "cross_entropy", "on": ["global@coarse", "part@reduced"], "bias": True},
        "triplet": {"kind": "triplet", "on": ["global@reduced"], "margin": 1.2},
    }

    architecture: Literal["mgn"]
    parts: tuple[int, ...] = (1, 2, 3)
    branches: Literal["separate", "one"] = "separate"
    split: str = "layer3.0"
    strides: dict[Annotated[int, Field(ge=1)], Stride] = Field(default={1: 2})

    @field_validator("parts")
    @classmethod
    def _distinct(cls, parts: tuple[int, ...]) -> tuple[int, ...]:
        if not parts or any(count < 1 for count in parts):
            raise ValueError(f"{list(parts)}: a branch has at least 1 stripe, and there is at least one branch")
        if len(set(parts)) < len(parts):
            raise ValueError(f"{list(parts)}: each number of stripes may appear once, since it names the branch")
        return parts

    @model_validator(mode="after")
    def _strides_are_of_branches(self) -> "MGNConfig":
        for count in self.strides:
            if count not in (1, *self.parts):  # there is one of 1 by default, also without a branch of 1
                message = f"{self.strides}: there is no branch of {several(count, 'stripe')}"
                raise EntryError(f"{message}; {nearest(str(count), map(str, self.parts))}", "strides")
        return self

    @model_validator(mode="after")
    def _strides_fit_the_split(self) -> "MGNConfig":
        backbone = backbone_config(self.backbone)
        if self.split not in backbone.cuts:
            raise EntryError(f"{self.split!r} is not a choice; {nearest(self.split, backbone.cuts)}", "split")
        strides = {count: self.stride(count) for count in self.parts}
        shared = {backbone.blocks(stride)[: self.shared_blocks] for stride in backbone.last_strides}
        if self.branches == "separate" and len(shared) > 1 and len(set(strides.values())) > 1:
            shares = f"with split {self.split} the branches share the block that has the stride"
            raise EntryError(f"{strides}: {shares}; give them the same", "strides")
        return self

    @property
    def default_readout(self) -> tuple[str, ...]:
        """All reduced vectors, as the paper tests (section 3.2)."""
        return ("reduced",)

    @property
    def trunks(self) -> tuple[Trunk, ...]:
        """The backbone with the last stride of each branch."""
        return tuple(Trunk("strides", self.backbone, plan.stride) for plan in self.plans)

    @property
    def shared_blocks(self) -> int:
        """How many of the backbone's blocks the branches share."""
        return backbone_config(self.backbone).cuts[self.split]

    def stride(self, parts: int) -> Stride:
        """Return the last stride in the branch with this number of stripes."""
        return self.strides.get(parts, 1)

    @property
    def plans(self) -> tuple[BranchPlan, ...]:
        """The branches, in order."""
        if self.branches == "one":
            cuts = {f"p{count}": count for count in self.parts}
            return (BranchPlan(f"p{min(self.parts)}", cuts, self.stride(max(self.parts))),)
        return tuple(BranchPlan(f"p{count}", {f"p{count}": count}, self.stride(count)) for count in self.parts)

    def region(self, plan: BranchPlan, image_size: tuple[int, int]) -> Region:
        """Return the map of a branch."""
        return Region.of(self.backbone, image_size, plan.stride)

    def taps(self, image_size: tuple[int, int]) -> tuple[TapSpec, ...]:
        """Return the taps, branch after branch.

        Raises:
            StudyError: A branch has more stripes than its map has rows.
        """
        taps: list[TapSpec] = []
        for index, plan in enumerate(self.plans):
            self.region(plan, image_size).stripes(max(plan.cuts.values()))
            taps.extend(branch_taps(index, plan.name, plan.cuts, head_stages(self)))
        return tuple(taps)


CONFIG = MGNConfig

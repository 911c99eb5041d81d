"""Settings of the multiple granularity network; no torch."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, field_validator, model_validator

from reid_search.errors import StudyError
from reid_search.models.parts.settings import BranchSettings, Dim
from reid_search.models.parts.shapes import BACKBONES, SplitName, map_size
from reid_search.models.parts.taps import branch_taps
from reid_search.study import EntryError, TapSpec

Stride = Literal[1, 2]


def _global_branch_strides() -> dict[int, Stride]:
    return {1: 2}


class MGNConfig(BranchSettings):
    """A multiple granularity network (Wang et al. 2018, section 3): branches that cut the map into 1, 2, 3, … stripes.

    Branch `p<n>` has `n` stripes and offers `p<n>.global`, `p<n>.part1` … and their concatenation `p<n>.concat`.

    Attributes:
        parts: Stripes of each branch, each number once.
        split: Last layer or block that the branches share; `layer3.0` is conv4_1, `input` shares nothing and makes an
            ensemble of separate networks.
        strides: Stride of `layer4` by the branch's number of stripes; 1 where a branch is not named.
        reduction_shared: Whether all vectors go through one reduction.
        embedding_dim: Size of a reduced vector.
    """

    default_losses: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "identity": {"kind": "cross_entropy", "on": ["global@coarse", "part@reduced"], "bias": True},
        "triplet": {"kind": "triplet", "on": ["global@reduced"], "margin": 1.2},
    }

    architecture: Literal["mgn"]
    parts: tuple[int, ...] = (1, 2, 3)
    split: SplitName = "layer3.0"
    strides: dict[Annotated[int, Field(ge=1)], Stride] = Field(default_factory=_global_branch_strides)
    reduction_shared: bool = False
    embedding_dim: Dim = 256

    @field_validator("parts")
    @classmethod
    def _distinct(cls, parts: tuple[int, ...]) -> tuple[int, ...]:
        if not parts or any(count < 1 for count in parts):
            raise ValueError(f"{list(parts)}: a branch has at least 1 stripe, and there is at least one branch")
        if len(set(parts)) < len(parts):
            raise ValueError(f"{list(parts)}: each number of stripes may stand once, since it names the branch")
        return parts

    @model_validator(mode="after")
    def _strides_fit_the_split(self) -> "MGNConfig":
        strides = {count: self.stride(count) for count in self.parts}
        if self.split == "layer4.0" and len(set(strides.values())) > 1:
            raise EntryError(
                f"{strides}: with split layer4.0 the branches share the block that has the stride; give them the same",
                "strides",
            )
        return self

    @property
    def default_readout(self) -> tuple[str, ...]:
        """All reduced vectors, as the paper tests (section 3.2)."""
        return ("reduced",)

    def stride(self, parts: int) -> int:
        """Return the stride of `layer4` in the branch with so many stripes."""
        return self.strides.get(parts, 1)

    def taps(self, image_size: tuple[int, int]) -> tuple[TapSpec, ...]:
        """Return the taps, branch after branch.

        Raises:
            StudyError: A branch has more stripes than its map has rows.
        """
        channels = BACKBONES[self.backbone].channels
        taps: list[TapSpec] = []
        for count in self.parts:
            rows, columns = map_size(self.backbone, image_size, self.stride(count))
            if count > rows:
                height, width = image_size
                raise StudyError(
                    f"parts: {count} stripes do not fit a map of {rows}×{columns} ({self.backbone} on images of "
                    f"{height}×{width}); at most {rows}, or larger images"
                )
            taps.extend(branch_taps(f"p{count}", count, channels, self.embedding_dim, self.neck == "bnneck"))
        return tuple(taps)


CONFIG = MGNConfig

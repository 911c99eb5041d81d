"""Settings of the control of part branches; no torch."""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from reid_search.errors import StudyError
from reid_search.models.layers.settings import BranchSettings, Dim, PoolingName
from reid_search.models.layers.shapes import Region
from reid_search.models.layers.taps import head_stages, stripe_taps, vector_taps
from reid_search.study import Scope, TapSpec


class PartControlConfig(BranchSettings):
    """A branch of MGN or PCB with every head but without stripes, which tells what the location in a stripe is worth.

    With three parts it offers the taps of an MGN's branch `p3` (`p3.global`, `p3.part1` …, `p3.concat`), and it has as
    many parameters, so that losses and readouts are the same ones. Only what a part's head sees differs.

    Attributes:
        parts: Number of heads beside the one on the whole map.
        embedding_dim: Size of a reduced vector.
        sees: What each of these heads pools. `whole`: the whole map, so that the heads differ only in their weights.
            `scattered`: places of its own all over the map, as many as a stripe has, drawn once with the weights and
            the same for every image. It takes images of one size only.
    """

    default_losses: ClassVar[Mapping[str, Mapping[str, object]]] = {
        "identity": {"kind": "cross_entropy", "on": ["global@coarse", "part@reduced"], "bias": True},
        "triplet": {"kind": "triplet", "on": ["global@reduced"], "margin": 1.2},
    }

    architecture: Literal["part_control"]
    parts: Annotated[int, Field(ge=1, le=64)] = 3
    embedding_dim: Dim = 256
    pooling: PoolingName = "max"
    sees: Literal["whole", "scattered"] = "whole"

    @property
    def name(self) -> str:
        """The prefix of its tap names, `p3`."""
        return f"p{self.parts}"

    @property
    def default_readout(self) -> tuple[str, ...]:
        """All reduced vectors."""
        return ("reduced",)

    def region(self, image_size: tuple[int, int]) -> Region:
        """Return the map."""
        return Region.of(self.backbone, image_size, self.last_stride)

    def taps(self, image_size: tuple[int, int]) -> tuple[TapSpec, ...]:
        """Return the taps of the whole map and of the parts, in the order of an MGN's branch.

        Raises:
            StudyError: There are more scattered parts than the map has places.
        """
        region, stages = self.region(image_size), head_stages(self)
        places = region.rows * region.columns
        if self.sees == "scattered" and self.parts > places:
            raise StudyError(
                f"parts: {self.parts} parts cannot share the places of a map of {region} ({self.backbone} on images "
                f"of {image_size[0]}×{image_size[1]}); at most {places}, or larger images"
            )
        return (
            *vector_taps(f"{self.name}.global", Scope.GLOBAL, stages, ["backbone"], ["whole"]),
            *stripe_taps(self.name, self.parts, stages, ["backbone"], "parts"),
        )


CONFIG = PartControlConfig
"""The control of part branches."""

"""Settings of SPReID; no torch."""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from reid_search.backbones import BackboneName, backbone_config
from reid_search.models.layers.settings import BranchSettings, Trunk
from reid_search.models.layers.taps import head_stages, pooling_parameters, vector_taps
from reid_search.study import EntryError, Scope, SideCar, Stage, TapSpec
from reid_search.study.trial.side_cars import PARTS

FOREGROUND = "foreground"
_GRID_PER_FEATURE = 2

Cells = Annotated[int, Field(ge=1, le=512)]


class SPReIDConfig(BranchSettings):
    """Features pooled under five soft maps: foreground, head, upper, lower, shoes (Kalayeh et al. 2018, section 3).

    `spreid.global` is the concatenation of the foreground's vector, the body parts' combined and the pooled map: three
    times 2048 values on ResNet-50. `spreid.foreground`, `spreid.head` … are the five vectors by themselves.

    Attributes:
        last_stride: As in other models; 2 in the paper.
        maps: Where the maps come from: `side_car` (files beside the images), `learnt` (a parser that gives
            `parsing@coarse`), or as controls `stripes` (four of equal height, all foreground) and `uniform` (every map
            is 1 everywhere, so every vector is the average).
        map_grid: Rows and columns of the maps; twice those of the features where omitted.
        resize: `features` are interpolated to the grid of the maps, as the paper does, or `maps` are averaged to the
            grid of the features.
        foreground: Whether the vector has the foreground (`w/fg`) or not (`wo/fg`).
        combine: How head, upper, lower and shoes are combined: element-wise `max` (the paper) or `mean`, `concat`, or
            left out (`none`).
        include_global: Whether the vector has the pooled map.
        backbone_shared: Whether one backbone serves the pooled map and the maps, or each has its own (paper's table 5).
        parser: Whether a learnt parser has its `own` backbone, or is a head on the features that are pooled (`shared`).
        parser_backbone: Backbone of an own parser; its last stride is 1.
        parser_detached: Whether no gradient of re-identification reaches the parser (frozen in the paper).
    """

    default_losses: ClassVar[Mapping[str, Mapping[str, object]]] = {
        "identity": {"kind": "cross_entropy", "on": ["global@coarse"]},
        "parsing": {"kind": "parsing", "on": ["map@coarse"]},
    }
    architecture: Literal["spreid"]
    last_stride: Literal[1, 2] = 2
    maps: Literal["side_car", "learnt", "stripes", "uniform"] = "side_car"
    map_grid: tuple[Cells, Cells] | None = None
    resize: Literal["features", "maps"] = "features"
    foreground: bool = True
    combine: Literal["max", "mean", "concat", "none"] = "max"
    include_global: bool = True
    backbone_shared: bool = True
    parser: Literal["own", "shared"] = "own"
    parser_backbone: BackboneName = "resnet10_thin"
    parser_detached: bool = True

    @model_validator(mode="after")
    def _something_is_left(self) -> "SPReIDConfig":
        if not self.foreground and self.combine == "none" and not self.include_global:
            raise EntryError("'none' leaves no vector without foreground and include_global; allowed: max", "combine")
        return self

    @property
    def needs(self) -> frozenset[SideCar]:
        """Part maps, unless they are learnt or are a control."""
        return frozenset({"maps"}) if self.maps == "side_car" else frozenset()

    @property
    def trunks(self) -> tuple[Trunk, ...]:
        """The backbone, and that of a parser of its own."""
        parser = Trunk("parser_backbone", self.parser_backbone, 1)
        return (*super().trunks, parser) if (self.maps, self.parser) == ("learnt", "own") else super().trunks

    @property
    def vectors(self) -> int:
        """How many pooled vectors `spreid.global` concatenates."""
        parts = {"max": 1, "mean": 1, "concat": len(PARTS), "none": 0}[self.combine]
        return self.foreground + parts + self.include_global

    def grid(self, feature_grid: tuple[int, int]) -> tuple[int, int]:
        """Return rows and columns of the maps, given those of the features."""
        rows, columns = feature_grid
        return self.map_grid or (_GRID_PER_FEATURE * rows, _GRID_PER_FEATURE * columns)

    def taps(self, image_size: tuple[int, int]) -> tuple[TapSpec, ...]:
        """Return the taps of the whole vector, of the five maps' vectors, and of the parser."""
        maps, below = self._below_maps, self._below_vector
        stages = head_stages(self, self.vectors * self.channels)
        taps = list(vector_taps("spreid.global", Scope.GLOBAL, stages, below, ["head"]))
        taps += [
            TapSpec(f"spreid.{name}", Scope.PART, Stage.COARSE, (self.channels,), maps) for name in (FOREGROUND, *PARTS)
        ]
        if self.maps == "learnt":
            grid = self.grid(backbone_config(self.backbone).map_size(image_size, self.last_stride))
            parser = frozenset({"parser"} if self.parser == "own" else {"parser", "backbone"})
            taps.append(TapSpec("parsing", Scope.MAP, Stage.COARSE, (1 + len(PARTS), *grid), parser))
        return tuple(taps)

    @property
    def _below_maps(self) -> frozenset[str]:
        """What a gradient on a vector under a map reaches."""
        parsed = self.maps == "learnt" and not self.parser_detached
        return frozenset({"backbone", "parser"} if parsed else {"backbone"})

    @property
    def _below_vector(self) -> frozenset[str]:
        """What a gradient on the whole vector reaches below the head."""
        below = self._below_maps if self.foreground or self.combine != "none" else frozenset()
        if self.include_global:
            trunk = "backbone" if self.backbone_shared else "global_backbone"
            below |= {trunk} | pooling_parameters(self)
        return below


CONFIG = SPReIDConfig

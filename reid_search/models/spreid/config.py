"""Settings of SPReID; no torch."""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from reid_search.backbones import BackboneName, backbone_config
from reid_search.models.layers.settings import BranchSettings, Trunk
from reid_search.models.layers.taps import head_stages, pooling_parameters, vector_taps
from reid_search.study import EntryError, Scope, SideCar, Stage, TapSpec
from reid_search.study.component import Either
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
        align_corners: Whether that interpolation lets the corners of both grids coincide, as the authors' code does.
        foreground: Whether the vector has the foreground (`w/fg`) or not (`wo/fg`). `both` builds one network with it
            and one without, which share nothing, with the vectors `with_foreground.global` and
            `without_foreground.global`: at unit length each and concatenated, they are the paper's combined system.
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
    written_if_set: ClassVar[tuple[str, ...]] = ("align_corners",)
    architecture: Literal["spreid"]
    last_stride: Literal[1, 2] = 2
    maps: Literal["side_car", "learnt", "stripes", "uniform"] = "side_car"
    map_grid: tuple[Cells, Cells] | None = None
    resize: Literal["features", "maps"] = "features"
    align_corners: bool = False
    foreground: Annotated[bool | Literal["both"], Either("both", "false", "true")] = True
    combine: Literal["max", "mean", "concat", "none"] = "max"
    include_global: bool = True
    backbone_shared: bool = True
    parser: Literal["own", "shared"] = "own"
    parser_backbone: BackboneName = "resnet10_thin"
    parser_detached: bool = True

    @model_validator(mode="after")
    def _something_is_left(self) -> "SPReIDConfig":
        if self.foreground is not True and self.combine == "none" and not self.include_global:
            raise EntryError("'none' leaves no vector without foreground and include_global; allowed: max", "combine")
        return self

    @model_validator(mode="after")
    def _two_networks_are_given_their_maps(self) -> "SPReIDConfig":
        if self.foreground == "both" and self.maps == "learnt":
            rule = "'both' with maps 'learnt', which would train two parsers"
            raise EntryError(f"{rule}; allowed: true, false, or other maps", "foreground")
        return self

    @property
    def networks(self) -> "Mapping[str, SPReIDConfig]":
        """The config of each network, by the prefix of its taps."""
        if self.foreground != "both":
            return {"spreid": self}
        return {
            f"{word}_foreground": self.model_copy(update={"foreground": has})
            for word, has in (("with", True), ("without", False))
        }

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
        return (self.foreground is True) + parts + self.include_global

    def grid(self, feature_grid: tuple[int, int]) -> tuple[int, int]:
        """Return rows and columns of the maps, given those of the features."""
        rows, columns = feature_grid
        return self.map_grid or (_GRID_PER_FEATURE * rows, _GRID_PER_FEATURE * columns)

    def taps(self, image_size: tuple[int, int]) -> tuple[TapSpec, ...]:
        """Return the taps of the whole vector, of the five maps' vectors, and of the parser.

        Of two networks, those of both.
        """
        if self.foreground == "both":
            return tuple(tap for name, own in self.networks.items() for tap in own._vector_taps(name, f"{name}."))
        taps = self._vector_taps("spreid")
        if self.maps == "learnt":
            grid = self.grid(backbone_config(self.backbone).map_size(image_size, self.last_stride))
            parser = frozenset({"parser"} if self.parser == "own" else {"parser", "backbone"})
            taps.append(TapSpec("parsing", Scope.MAP, Stage.COARSE, (1 + len(PARTS), *grid), parser))
        return tuple(taps)

    def _vector_taps(self, name: str, place: str = "") -> list[TapSpec]:
        """Return the taps of the vectors of one network, whose modules lie at `place`."""
        maps, below = (
            frozenset(f"{place}{module}" for module in found) for found in (self._below_maps, self._below_vector)
        )
        stages = head_stages(self, self.vectors * self.channels)
        taps = list(vector_taps(f"{name}.global", Scope.GLOBAL, stages, below, [f"{place}head"]))
        return taps + [
            TapSpec(f"{name}.{part}", Scope.PART, Stage.COARSE, (self.channels,), maps) for part in (FOREGROUND, *PARTS)
        ]

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

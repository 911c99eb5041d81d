"""Settings of the bilinear CNN; no torch."""

from collections.abc import Mapping
from typing import Literal

from pydantic import model_validator

from reid_search.backbones import BackboneName, backbone_config
from reid_search.models.layers.bilinear_settings import BilinearSettings, Width
from reid_search.models.layers.settings import Trunk
from reid_search.models.layers.taps import head_stages, vector_taps
from reid_search.study import EntryError, Scope, TapSpec
from reid_search.study.trial.weights import WeightsConfig


class BilinearCNNConfig(BilinearSettings):
    """The product of a map with itself, or with the map of a second network (Lin et al. 2015, section 3).

    Attributes:
        streams: `one` network, whose map is multiplied with itself, or `two`.
        stream_dim: Channels to which a stream's map is projected before the product; null multiplies the map as it is,
            which gives 4 million values on ResNet-50.
        second_backbone: Backbone of the second stream; that of the first if omitted.
        second_weights: Its pretrained weights, as `weights`.
        fusion: The `full` outer product, or `compact` by tensor sketch (Gao et al. 2016).
        pooling: Products are averaged.
    """

    architecture: Literal["bilinear_cnn"]
    pooling: Literal["avg"] = "avg"
    signed_sqrt: bool = True
    streams: Literal["one", "two"] = "one"
    stream_dim: Width | None = 128
    second_backbone: BackboneName | None = None
    second_weights: WeightsConfig | None = None
    fusion: Literal["full", "compact"] = "full"

    @model_validator(mode="after")
    def _streams_differ(self) -> "BilinearCNNConfig":
        alike = self.weights == self.second_weights and self.second_backbone in (None, self.backbone)
        if self.streams == "two" and self.weights is not None and self.stream_dim is None and alike:
            rule = "'two' streams that start from the same weights stay alike"
            raise EntryError(f"{rule}; allowed: one, or another second_backbone", "streams")
        return self

    @property
    def pretrained(self) -> Mapping[str, tuple[str, WeightsConfig]]:
        """Those of one stream or of two."""
        if self.streams == "one" or self.second_weights is None:
            return super().pretrained
        return {**super().pretrained, "second_weights": (self.backbones[1], self.second_weights)}

    @property
    def backbones(self) -> tuple[BackboneName, BackboneName]:
        """Backbones of the two maps that are multiplied."""
        second = self.second_backbone if self.streams == "two" else None
        return self.backbone, second or self.backbone

    @property
    def trunks(self) -> tuple[Trunk, ...]:
        """Backbones of both streams, which have the same last stride."""
        return tuple(Trunk("last_stride", name, self.last_stride) for name in self.backbones)

    @property
    def sizes(self) -> tuple[int, int]:
        """Channels of the two maps that are multiplied."""
        first, second = (self.stream_dim or backbone_config(name).channels for name in self.backbones)
        return first, second

    def taps(self, _image_size: tuple[int, int]) -> tuple[TapSpec, ...]:
        """Return the taps of the product."""
        size = self.product_dim(self.sizes, self.fusion == "compact")
        below = ("first", "second") if self.streams == "two" else ("first",)
        return tuple(vector_taps("bilinear.global", Scope.GLOBAL, head_stages(self, size), below, ["head"]))


CONFIG = BilinearCNNConfig

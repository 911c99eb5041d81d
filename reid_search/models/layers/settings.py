"""Settings that several architectures share, so that an axis can switch between them."""

from collections.abc import Mapping
from typing import Annotated, Literal, NamedTuple, Self

from pydantic import Field, model_validator

from reid_search.backbones import BackboneName, backbone_config
from reid_search.errors import nearest
from reid_search.study import BACKBONES, EntryError, ModelConfig, Stage
from reid_search.study.trial.weights import WeightsConfig

Dim = Annotated[int, Field(ge=8, le=2048)]
PoolingName = Literal["max", "avg", "gem", "avg_max"]
HeadName = Literal["max", "avg", "gem", "avg_max", "fc"]
ReductionName = Literal["conv_bn_relu", "conv_bn", "conv", "linear"]


class Trunk(NamedTuple):
    """A backbone that a model builds: the entry of its config that sets the last stride, and both."""

    entry: str
    backbone: str
    last_stride: int


class BackboneSettings(ModelConfig):
    """Settings of models on a backbone, except how their heads begin.

    Attributes:
        backbone: Name of a backbone, such as `resnet50`; `resnet10_thin` (16 to 128 channels) trains on a CPU.
        weights: The backbone's pretrained weights: a file, the folder of a trial that kept its own, `default`, or a map
            with more to say of them (`WeightsConfig`); null draws them.
        reduction: 1×1 convolution and batch norm, with or without ReLU; the convolution alone (`conv`, before a BNNeck
            that is then the one norm, as in fast-reid's MGN); or a `linear` layer alone, which has a bias.
        embedding_dim: Size of the reduced feature; null leaves the reduction out.
        neck: `bnneck` adds a batch norm without shift after the embedding (Luo et al. 2019).
    """

    backbone: BackboneName = "resnet50"
    weights: WeightsConfig | None = None
    reduction: ReductionName = "conv_bn_relu"
    embedding_dim: Dim | None = None
    neck: Literal["none", "bnneck"] = "none"

    @property
    def pretrained(self) -> Mapping[str, tuple[str, WeightsConfig]]:
        """Those of the backbone."""
        return {"weights": (self.backbone, self.weights)} if self.weights is not None else {}

    @property
    def channels(self) -> int:
        """Channels of the last map."""
        return backbone_config(self.backbone).channels

    @property
    def last_stage(self) -> Stage:
        """The last stage of a vector."""
        if self.neck == "bnneck":
            return Stage.NECK
        return Stage.COARSE if self.embedding_dim is None else Stage.REDUCED

    @property
    def trunks(self) -> tuple[Trunk, ...]:
        """Every backbone that the model builds, with last stride 1 where there is no `last_stride`."""
        return (Trunk("last_stride", self.backbone, getattr(self, "last_stride", 1)),)

    def check_image_size(self, image_size: tuple[int, int]) -> None:
        """Refuse images that a backbone cannot take.

        Raises:
            StudyError: They are too small for a map, or no multiple of its patches.
        """
        for trunk in self.trunks:
            backbone_config(trunk.backbone).check_image_size(image_size, trunk.last_stride)

    @model_validator(mode="after")
    def _backbones_have_their_last_stride(self) -> Self:
        for trunk in self.trunks:
            possible = backbone_config(trunk.backbone).last_strides
            if trunk.last_stride in possible:
                continue
            value = getattr(self, trunk.entry, trunk.last_stride)
            fixed = f"{value!r}: the last stride of {trunk.backbone} is always {possible[0]}"
            if trunk.entry in ("last_stride", "strides"):
                raise EntryError(f"{fixed}; allowed: {possible[0]}", trunk.entry)
            others = [name for name in BACKBONES.names() if trunk.last_stride in backbone_config(name).last_strides]
            raise EntryError(f"{fixed}, and {trunk.last_stride} is needed; {nearest(str(value), others)}", trunk.entry)
        return self


class BranchSettings(BackboneSettings):
    """Settings of models whose heads pool, and so take images of any size.

    Attributes:
        pooling: How the global vector is pooled: `max`, `avg`, their sum `avg_max`, or `gem` with a learnt exponent
            (Radenović et al. 2019).
        last_stride: Last stride of the backbone (of `layer4` in a ResNet).
    """

    pooling: PoolingName = "avg"
    last_stride: Literal[1, 2] = 1

    @property
    def default_readout(self) -> tuple[str, ...]:
        """The global vector at its last stage."""
        return (f"global@{self.last_stage}",)


class RegionSettings(BackboneSettings):
    """Settings of models whose heads know their part of the map, and so may flatten it.

    Attributes:
        pooling: `max`, `avg`, their sum `avg_max`, `gem` with a learnt exponent (Radenović et al. 2019), or `fc`: a
            fully connected layer from the flattened map to `embedding_dim` (where that is null, as many values as the
            map has channels) in place of pooling (the comparison of Lin et al. 2014, section 4.6). Its output is the
            coarse feature, and only what follows a reduction's linear layer comes after it, so that `fc` and a pooled
            head with its reduction have one linear layer each. It takes images of one size only.
        dropout: Share of the coarse feature's values dropped before the reduction in training (PCB's code: .5); with
            `fc`, of the flattened map's.
    """

    pooling: HeadName = "max"
    dropout: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.0

    @property
    def coarse_dim(self) -> int:
        """Size of the coarse feature."""
        return coarse_dim(self.pooling, self.channels, self.embedding_dim)

    @model_validator(mode="after")
    def _dropout_comes_before_a_layer(self) -> Self:
        if self.dropout and self.pooling != "fc" and self.embedding_dim is None:
            found = f"{self.dropout} without a reduction that it comes before"
            raise EntryError(f"{found}; allowed: 0, an embedding_dim, or pooling 'fc'", "dropout")
        return self


class StripeSettings(RegionSettings):
    """Settings of models with a reduced feature of every stripe.

    Attributes:
        embedding_dim: Size of a reduced vector.
        reduction_shared: Whether all vectors go through one reduction.
    """

    embedding_dim: Dim = 256
    reduction_shared: bool = False

    @model_validator(mode="after")
    def _a_shared_reduction_needs_pooled_vectors(self) -> Self:
        if self.reduction_shared and self.pooling == "fc":
            message = (
                "true with pooling 'fc', whose linear layer belongs to its own part of the map and cannot be shared; "
                "allowed: false, or a pooled head (avg, avg_max, gem, max)"
            )
            raise EntryError(message, "reduction_shared")
        return self


def coarse_dim(pooling: HeadName, channels: int, dim: int | None) -> int:
    """Return the size of a head's coarse feature; `dim` is that of the reduced one, None where there is none."""
    return dim or channels if pooling == "fc" else channels

"""Settings that several architectures share, so that an axis can switch between them."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from reid_search.models.parts.shapes import BackboneName
from reid_search.study import ModelConfig

Dim = Annotated[int, Field(ge=64, le=2048)]


class BranchSettings(ModelConfig):
    """Settings of models made of ResNet branches.

    Attributes:
        backbone: A torchvision ResNet, or `resnet10_thin` (16 to 128 channels), which trains on a CPU.
        weights: File with the backbone's pretrained weights (torchvision's names; `.safetensors`, or `.pth` without
            pickled code).
        pooling: `max`, `avg`, or `gem` with a learnt exponent (Radenović et al. 2019).
        reduction: 1×1 convolution and batch norm, with or without ReLU.
        embedding_dim: Size of the reduced feature; null leaves the reduction out.
        neck: `bnneck` adds a batch norm without shift behind the embedding (Luo et al. 2019).
    """

    backbone: BackboneName = "resnet50"
    weights: Path | None = None
    pooling: Literal["max", "avg", "gem"] = "max"
    reduction: Literal["conv_bn_relu", "conv_bn"] = "conv_bn_relu"
    embedding_dim: Dim | None = None
    neck: Literal["none", "bnneck"] = "none"

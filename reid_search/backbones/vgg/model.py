"""VGG-16 in blocks, with the names of torchvision and timm."""

from collections import OrderedDict
from itertools import pairwise
from typing import cast

from torch import nn

from reid_search.backbones.backbone import Backbone
from reid_search.backbones.vgg.config import CONVOLUTIONS, STAGES, WIDTHS, VGGConfig
from reid_search.backbones.weights import Weights, load_weights


class VGG(Backbone):
    """VGG-16 without its fully connected layers."""

    def set_last_stride(self, stride: int) -> None:
        """Pool cells of this many rows and columns before `conv5`; cells of one are left alone."""
        block = getattr(self, "conv5", None)
        if block is not None:
            pooling = cast("nn.MaxPool2d", block[0])
            pooling.kernel_size = pooling.stride = stride


def build(config: VGGConfig, weights: Weights | None) -> VGG:
    """Build VGG-16 with freshly drawn weights, or with those of a file.

    Raises:
        StudyError: The weights cannot be read or do not fit.
    """
    network = nn.Module()
    network.features = layers = _layers()
    if weights is not None:
        load_weights(network, config, weights, but=("pre_logits.", "head.", "classifier."))
    starts = [0, *(index for index, layer in enumerate(layers) if isinstance(layer, nn.MaxPool2d)), len(layers)]
    return VGG(
        OrderedDict((name, layers[low:high]) for name, (low, high) in zip(STAGES, pairwise(starts), strict=True))
    )


def _layers() -> nn.Sequential:
    """Return the convolutions, each with its ReLU, and a pooling before every stage but the first."""
    layers, before = nn.Sequential(), 3
    for width, count in zip(WIDTHS, CONVOLUTIONS, strict=True):
        if len(layers):
            layers.append(nn.MaxPool2d(2, stride=2))
        for _ in range(count):
            convolution = nn.Conv2d(before, width, 3, padding=1)
            nn.init.kaiming_normal_(convolution.weight, mode="fan_out", nonlinearity="relu")
            nn.init.zeros_(convolution.bias)  # type: ignore[arg-type]  # it has one
            layers.extend((convolution, nn.ReLU(inplace=True)))
            before = width
    return layers

"""GoogLeNet in blocks, with the names of Suh et al.'s code."""

from collections import OrderedDict

import torch
from torch import Tensor, nn
from torch.nn import functional

from reid_search.backbones.backbone import Backbone
from reid_search.backbones.googlenet.config import MODULES, STRIDED, GoogLeNetConfig, Widths
from reid_search.backbones.weights import Weights, load_weights

_NEIGHBOURS, _ALPHA, _BETA = 5, 1e-4, 0.75


class GoogLeNet(Backbone):
    """GoogLeNet without its head."""

    def set_last_stride(self, stride: int) -> None:
        """Pool before `inception_4a`, or leave that out and dilate it and what follows."""
        for name, module in self.named_children():
            if isinstance(module, Inception) and name >= STRIDED:
                module.set_dilation(1 if stride == 2 else 2)
                module.pools_first = stride == 2 and name == STRIDED


class ResponseNorm(nn.Module):
    """Divides values by a power of the squares of five neighbouring channels (Krizhevsky et al. 2012, section 3.3)."""

    def forward(self, features: Tensor) -> Tensor:
        """Return `(B, C, h, w)`."""
        reach, channels = _NEIGHBOURS // 2, features.shape[1]
        squares = functional.pad(features.square(), (0, 0, 0, 0, reach, reach))
        total = torch.stack([squares[:, start : start + channels] for start in range(_NEIGHBOURS)]).sum(dim=0)
        return features / (1 + _ALPHA / _NEIGHBOURS * total) ** _BETA


class Inception(nn.Module):
    """An inception module: convolutions of three sizes and a pooling, side by side.

    `pools_first` says whether its input is pooled to half its sides.
    """

    def __init__(self, before: int, widths: Widths) -> None:
        super().__init__()
        self._1x1 = _convolution(before, widths.ones, 1)
        self._3x3_reduce = _convolution(before, widths.before_threes, 1)
        self._3x3 = _convolution(widths.before_threes, widths.threes, 3)
        self._5x5_reduce = _convolution(before, widths.before_fives, 1)
        self._5x5 = _convolution(widths.before_fives, widths.fives, 5)
        self.pool_proj = _convolution(before, widths.pooled, 1)
        self.pools_first = False
        self._dilation = 1

    def set_dilation(self, dilation: int) -> None:
        """Set the dilation of its larger convolutions, and widen its pooling as much; sizes stay."""
        self._dilation = dilation
        for convolution, reach in ((self._3x3, 1), (self._5x5, 2)):
            convolution.dilation = (dilation, dilation)
            convolution.padding = (reach * dilation, reach * dilation)

    def forward(self, features: Tensor) -> Tensor:
        """Return `(B, C, h, w)`."""
        if self.pools_first:
            features = functional.max_pool2d(features, 3, stride=2, ceil_mode=True)
        reach = self._dilation
        pooled = functional.max_pool2d(features, 2 * reach + 1, stride=1, padding=reach)
        branches = (
            self._1x1(features),
            self._3x3(self._3x3_reduce(features).relu()),
            self._5x5(self._5x5_reduce(features).relu()),
            self.pool_proj(pooled),
        )
        return torch.cat(branches, dim=1).relu()


def build(config: GoogLeNetConfig, weights: Weights | None) -> GoogLeNet:
    """Build GoogLeNet with freshly drawn weights, or with those of a file.

    Raises:
        StudyError: The weights cannot be read or do not fit.
    """
    network = nn.Module()
    network.conv1__7x7_s2 = _convolution(3, 64, 7, stride=2)
    network.conv2__3x3_reduce = _convolution(64, 64, 1)
    network.conv2__3x3 = _convolution(64, 192, 3)
    before = 192
    for name, widths in MODULES.items():
        network.add_module(name, Inception(before, widths))
        before = widths.total
    if weights is not None:
        load_weights(network, config, weights, but=("input_feat.", "bn.", "inception_5", "loss"))
    stem = OrderedDict(
        conv1__7x7_s2=network.conv1__7x7_s2,
        relu1=nn.ReLU(),
        pool1=_pooling(),
        norm1=ResponseNorm(),
        conv2__3x3_reduce=network.conv2__3x3_reduce,
        relu2=nn.ReLU(),
        conv2__3x3=network.conv2__3x3,
        relu3=nn.ReLU(),
        norm2=ResponseNorm(),
        pool2=_pooling(),
    )
    blocks: OrderedDict[str, nn.Module] = OrderedDict(stem=nn.Sequential(stem))
    return GoogLeNet(blocks | OrderedDict((name, network.get_submodule(name)) for name in MODULES))


def _pooling() -> nn.MaxPool2d:
    return nn.MaxPool2d(3, stride=2, ceil_mode=True)


def _convolution(before: int, channels: int, kernel: int, stride: int = 1) -> nn.Conv2d:
    convolution = nn.Conv2d(before, channels, kernel, stride, padding=kernel // 2)
    nn.init.kaiming_normal_(convolution.weight, nonlinearity="relu")
    if convolution.bias is not None:
        nn.init.zeros_(convolution.bias)
    return convolution

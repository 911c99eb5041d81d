"""OSNets in blocks (Zhou et al. 2019, section 3), with the names of the authors' code."""

from collections import OrderedDict

import torch
from torch import Tensor, nn

from reid_search.backbones.backbone import Backbone, modules_of
from reid_search.backbones.osnet.config import CHANNELS, OSNetConfig
from reid_search.backbones.weights import Weights, load_weights

_SCALES = "abcd"


class OSNet(Backbone):
    """An OSNet without its head."""


def build(config: OSNetConfig, weights: Weights | None) -> OSNet:
    """Build an OSNet with freshly drawn weights, or with those of a file.

    Raises:
        StudyError: The weights cannot be read or do not fit.
    """
    network = _network(CHANNELS[config.name], by_instance="_ibn_" in config.name)
    if weights is not None:
        load_weights(network, config, weights, but=("fc.", "classifier."))
    stem = (network.get_submodule(name) for name in ("conv1", "maxpool"))
    blocks: OrderedDict[str, nn.Module] = OrderedDict(stem=nn.Sequential(*stem))
    return OSNet(blocks | modules_of(network, config.blocks(1)[1:]))


def _network(channels: tuple[int, int, int, int], by_instance: bool) -> nn.Module:
    """Return the network; weights are drawn as the authors draw them."""
    stem, second, third, fourth = channels
    network = nn.Module()
    network.conv1 = Convolution(3, stem, 7, stride=2, by_instance=by_instance)
    network.maxpool = nn.MaxPool2d(3, stride=2, padding=1)
    network.conv2 = _stage(stem, second, halved=True, by_instance=by_instance)
    network.conv3 = _stage(second, third, halved=True)
    network.conv4 = _stage(third, fourth)
    network.conv5 = Convolution(fourth, fourth, 1)
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
            if module.bias is not None:
                nn.init.zeros_(module.bias)
    return network


def _stage(before: int, channels: int, *, halved: bool = False, by_instance: bool = False) -> nn.Sequential:
    stage = nn.Sequential(OmniScale(before, channels, by_instance), OmniScale(channels, channels, by_instance))
    if halved:
        stage.append(nn.Sequential(Convolution(channels, channels, 1), nn.AvgPool2d(2, stride=2)))
    return stage


class Convolution(nn.Module):
    """A convolution and a norm, and ReLU unless it is `linear`."""

    def __init__(
        self,
        before: int,
        channels: int,
        kernel: int,
        *,
        stride: int = 1,
        by_instance: bool = False,
        linear: bool = False,
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(before, channels, kernel, stride, padding=kernel // 2, bias=False)
        self.bn = nn.InstanceNorm2d(channels, affine=True) if by_instance else nn.BatchNorm2d(channels)
        self._linear = linear

    def forward(self, features: Tensor) -> Tensor:
        """Return `(B, channels, h, w)`."""
        normed: Tensor = self.bn(self.conv(features))
        return normed if self._linear else normed.relu()


class LightConvolution(nn.Module):
    """A 1×1 convolution, then a 3×3 convolution of every channel by itself, norm and ReLU."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 1, bias=False)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, groups=channels, bias=False)
        self.bn = nn.BatchNorm2d(channels)

    def forward(self, features: Tensor) -> Tensor:
        """Return `(B, channels, h, w)`."""
        return torch.relu(self.bn(self.conv2(self.conv1(features))))


class Gate(nn.Module):
    """Weighs each channel by a number between 0 and 1 that depends on the averages of all."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.fc1 = nn.Conv2d(channels, channels // 16, 1)
        self.fc2 = nn.Conv2d(channels // 16, channels, 1)

    def forward(self, features: Tensor) -> Tensor:
        """Return `(B, channels, h, w)`."""
        averages = features.mean(dim=(2, 3), keepdim=True)
        weights: Tensor = self.fc2(self.fc1(averages).relu()).sigmoid()
        return features * weights


class OmniScale(nn.Module):
    """Streams of one to four light convolutions, summed under one gate, with a residual connection."""

    def __init__(self, before: int, channels: int, by_instance: bool) -> None:
        super().__init__()
        middle = channels // 4
        self.conv1 = Convolution(before, middle, 1)
        self.conv2a = LightConvolution(middle)
        for depth, scale in enumerate(_SCALES[1:], start=2):
            self.add_module(f"conv2{scale}", nn.Sequential(*(LightConvolution(middle) for _ in range(depth))))
        self.gate = Gate(middle)
        self.conv3 = Convolution(middle, channels, 1, linear=True)
        self.downsample = Convolution(before, channels, 1, linear=True) if before != channels else None
        self.IN = nn.InstanceNorm2d(channels, affine=True) if by_instance else None

    def forward(self, features: Tensor) -> Tensor:
        """Return `(B, channels, h, w)`."""
        reduced = self.conv1(features)
        streams = [self.gate(self.get_submodule(f"conv2{scale}")(reduced)) for scale in _SCALES]
        shortcut = features if self.downsample is None else self.downsample(features)
        total = self.conv3(torch.stack(streams).sum(dim=0)) + shortcut
        return torch.relu(total if self.IN is None else self.IN(total))

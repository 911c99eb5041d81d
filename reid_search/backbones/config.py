"""The base of every backbone's config: its blocks, and the channels and map sizes that follow from them. No torch."""

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from math import prod
from typing import Annotated, ClassVar, cast

from reid_search.study import BACKBONES, Config
from reid_search.study.component import OneOf
from reid_search.study.trial.weights import DefaultWeights


@dataclass(frozen=True)
class Block:
    """A block of a backbone.

    Attributes:
        name: Its name, `layer4_0`, with which those of its parameters begin.
        channels: Channels of the map that it returns.
        stride: How many times smaller that map is than the one before, rounded up.
    """

    name: str
    channels: int
    stride: int = 1


class BackboneConfig(Config):
    """A network from images to a map; each backbone's own config extends this.

    A weights file fits if it holds every tensor of the backbone, under the source's names, and no further one whose
    name begins with `body`; others, such as those of a classifier, are ignored.

    Attributes:
        name: The backbone, `resnet50`.
    """

    weights_form: ClassVar[str]
    body: ClassVar[tuple[str, ...]] = ()
    name: str

    @property
    def default_weights(self) -> DefaultWeights | None:
        """What `weights: default` means; None where nobody publishes weights of it."""
        return None

    @abstractmethod
    def blocks(self, last_stride: int) -> tuple[Block, ...]:
        """Return the blocks in order.

        Args:
            last_stride: Stride of the last block that has one, 1 or 2; the architecture chooses it.
        """

    @property
    def cuts(self) -> Mapping[str, int]:
        """Where architectures may cut it: the name of the place, and how many blocks come before it."""
        names = (block.name for block in self.blocks(1)[:-1])
        return {"input": 0, **{name: count for count, name in enumerate(names, start=1)}}

    @property
    def channels(self) -> int:
        """Channels of the last map."""
        return self.blocks(1)[-1].channels

    def stride(self, last_stride: int) -> int:
        """Return how many times smaller than the image the last map is."""
        return prod(block.stride for block in self.blocks(last_stride))

    def map_size(self, image_size: tuple[int, int], last_stride: int) -> tuple[int, int]:
        """Return height and width of the last map for an image of this height and width."""
        height, width = image_size
        for block in self.blocks(last_stride):
            height, width = -(-height // block.stride), -(-width // block.stride)
        return height, width


def backbone_config(name: str) -> BackboneConfig:
    """Return the config of a backbone by its name.

    Raises:
        StudyError: No backbone has this name.
    """
    return _made(BACKBONES.config_class(name), name)


@cache
def _made(cls: type[Config], name: str) -> BackboneConfig:
    return cast("BackboneConfig", cls.model_validate({"name": name}))


BackboneName = Annotated[str, OneOf(BACKBONES.names)]

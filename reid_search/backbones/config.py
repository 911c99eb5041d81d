"""The base of every backbone's config: its blocks, and the channels and map sizes that follow from them. No torch."""

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from math import prod
from typing import Annotated, ClassVar, cast

from pydantic import AfterValidator, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from reid_search.errors import StudyError, nearest
from reid_search.study import BACKBONES, Config


@dataclass(frozen=True)
class Block:
    """A block of a backbone.

    Attributes:
        name: Its name, `layer4_0`; parameters are called after it.
        channels: Channels of the map that it returns.
        stride: How many times smaller that map is than the one before, rounded up.
    """

    name: str
    channels: int
    stride: int = 1


class BackboneConfig(Config):
    """A network from images to a map; each backbone's own config extends this.

    A weights file fits if it holds every tensor of the backbone, by the names of its source, and none that begins with
    `body` beside them; others, such as those of a classifier, are passed over.

    Attributes:
        name: The backbone, `resnet50`.
    """

    weights_form: ClassVar[str]
    body: ClassVar[tuple[str, ...]] = ()
    name: str

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
        """Return height and width of the last map.

        Args:
            image_size: Height and width of the image.
            last_stride: Stride of the last block that has one.
        """
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


def _known(name: str) -> str:
    try:
        BACKBONES.config_class(name)
    except StudyError:
        raise ValueError(f"{name!r} is not a choice; {nearest(name, BACKBONES.names())}") from None
    return name


class _ListsNames:
    """Lists the known backbones in the schema of a setting that names one."""

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {**handler(core), "enum": BACKBONES.names()}


BackboneName = Annotated[str, AfterValidator(_known), _ListsNames()]

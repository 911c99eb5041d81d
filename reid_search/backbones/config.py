"""The base of every backbone's config: its blocks, and the channels and map sizes that follow from them. No torch."""

from abc import abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import count
from math import prod
from typing import Annotated, ClassVar, cast

from reid_search.errors import StudyError
from reid_search.study import BACKBONES, Config
from reid_search.study.component import OneOf
from reid_search.study.trial.weights import DefaultWeights

_ROUNDS_UP = "_ceil"


@dataclass(frozen=True)
class Block:
    """A block of a backbone.

    Attributes:
        name: Its name, `layer4_0`, with which those of its parameters begin.
        channels: Channels of the map that it returns.
        stride: How many times smaller that map is than the one before.
        window: Size of what slides over the map by that stride (a kernel less its padding on both sides): a side of
            `n` becomes `(n - window) // stride + 1`. A window of 1 rounds up, one as wide as the stride rounds down.
        path: The module of the source network that it is, `layer4.0`; empty where it is put together from several.
    """

    name: str
    channels: int
    stride: int = 1
    window: int = 1
    path: str = ""

    @classmethod
    def at(cls, path: str, channels: int, stride: int = 1, window: int = 1) -> "Block":
        """Return the block that is one module of the source network, named after it with `_` for every dot."""
        return cls(path.replace(".", "_"), channels, stride, window, path)

    def side(self, before: int) -> int:
        """Return the height or width of its map, given that of the map before; below 1 there is none."""
        return (before - self.window) // self.stride + 1


class BackboneConfig(Config):
    """A network from images to a map; each backbone's own config extends this.

    A weights file fits if it holds every tensor of the backbone, under the source's names, and no further one whose
    name begins with `body`; others, such as those of a classifier, are ignored.

    `tags` are those by which timm calls the weights that `weights: default` means, by the backbone's name.
    `last_strides` are the last strides that it can be given; a backbone without a choice lists its own. Height and
    width of an image must be multiples of `patch`. `keeps_grid` says that the module with its table of positions takes
    one of any grid, which it finds in its attribute `position_grid`.

    Attributes:
        name: The backbone, `resnet50`.
    """

    weights_form: ClassVar[str]
    body: ClassVar[tuple[str, ...]] = ()
    tags: ClassVar[Mapping[str, str]] = {}
    last_strides: ClassVar[tuple[int, ...]] = (1, 2)
    patch: ClassVar[int] = 1
    keeps_grid: ClassVar[bool] = False
    name: str

    @property
    def source_name(self) -> str:
        """The network from which it is made and whose weights fit it; only the pooling of the stem may differ."""
        return self.name.removesuffix(_ROUNDS_UP)

    @property
    def rounds_up(self) -> bool:
        """Whether the stem pools without padding and rounds up."""
        return self.name.endswith(_ROUNDS_UP)

    @property
    def default_weights(self) -> DefaultWeights | None:
        """What `weights: default` means; None where nobody publishes weights of it."""
        return DefaultWeights(f"timm/{self.name}.{self.tags[self.name]}") if self.name in self.tags else None

    @abstractmethod
    def blocks(self, last_stride: int) -> tuple[Block, ...]:
        """Return the blocks in order.

        Args:
            last_stride: Stride of the last block that has one, of `last_strides`; the architecture chooses it.
        """

    @property
    def cuts(self) -> Mapping[str, int]:
        """Where architectures may cut it: the name of the place, and how many blocks come before it."""
        return cuts_after(self._blocks, (block.name for block in self._blocks[:-1]))

    @property
    def channels(self) -> int:
        """Channels of the last map."""
        return self._blocks[-1].channels

    def stride(self, last_stride: int) -> int:
        """Return how many times smaller than the image the last map is."""
        return prod(block.stride for block in self.blocks(last_stride))

    def map_size(self, image_size: tuple[int, int], last_stride: int) -> tuple[int, int]:
        """Return height and width of the last map for an image of this height and width."""
        height, width = image_size
        for block in self.blocks(last_stride):
            height, width = block.side(height), block.side(width)
        return height, width

    def check_image_size(self, image_size: tuple[int, int], last_stride: int) -> None:
        """Refuse images that it cannot take.

        Raises:
            StudyError: Height or width is no multiple of the patches, or so small that no map is left.
        """
        if any(side % self.patch for side in image_size):
            near = [max(1, round(side / self.patch)) * self.patch for side in image_size]
            cuts = f"{self.name} cuts images into patches of {self.patch}×{self.patch} pixels"
            raise StudyError(f"{list(image_size)}: {cuts}; allowed: multiples of {self.patch}, such as {near}")
        if min(self.map_size(image_size, last_stride)) < 1:
            least = next(side for side in count(1) if min(self.map_size((side, side), last_stride)) > 0)
            small = f"{self.name} leaves no map of an image this small"
            raise StudyError(f"{list(image_size)}: {small}; allowed: at least {least} on either side")

    @property
    def _blocks(self) -> tuple[Block, ...]:
        return self.blocks(self.last_strides[0])


def cuts_after(blocks: Sequence[Block], places: Iterable[str]) -> Mapping[str, int]:
    """Return how many blocks come before the input (none), and before what follows each place.

    A place is a block, or a module of the source network that holds several: the cut is after the last.
    """
    counts = {"input": 0}
    for place in places:
        counts[place] = max(
            number
            for number, block in enumerate(blocks, start=1)
            if place in (block.name, block.path) or block.path.startswith(f"{place}.")
        )
    return counts


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

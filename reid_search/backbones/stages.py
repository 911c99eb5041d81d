"""The four stages of ConvNeXts and Swin transformers, which timm lays out alike; no torch."""

from collections.abc import Iterator, Sequence

from reid_search.backbones.config import Block

Depths = tuple[int, int, int, int]


def staged_blocks(
    stem: str, stages: str, width: int, depths: Depths, last_stride: int, windowed: bool
) -> Iterator[Block]:
    """Yield the stem, which makes cells of 4×4 pixels, and the blocks of every stage, each twice as wide as the last.

    Args:
        stem: The module of the stem.
        stages: The module that holds the stages: `stages.2.blocks.0` is a block.
        width: Channels of the first stage.
        depths: Blocks of each stage.
        last_stride: Stride before the last stage.
        windowed: Whether what halves the map is a window as wide as its stride, and so rounds down.
    """
    yield Block.at(stem, width, 4, window=4)
    for stage, (depth, stride) in enumerate(zip(depths, (1, 2, 2, last_stride), strict=True)):
        channels = width * 2**stage
        if stage:
            yield Block.at(f"{stages}.{stage}.downsample", channels, stride, window=stride if windowed else 1)
        for index in range(depth):
            yield Block.at(f"{stages}.{stage}.blocks.{index}", channels)


def stage_cuts(stem: str, stages: str) -> Sequence[str]:
    """Return the cuts after the stem, after a stage but the last, and after the first block of the last two."""
    return (stem, *(f"{stages}.{place}" for place in ("0", "1", "2.blocks.0", "2", "3.blocks.0")))

"""Boxes: the part of an image file that shows one person. No image is opened here.

A file with several people is several images of a data set, each with its own box. Their names tell them apart:
`photo.jpg#xywh=10,20,64,128`, as W3C's Media Fragments write a region.
"""

import re
from typing import NamedTuple

from reid_search.errors import DataError

_NUMBERS = re.compile(r"\[?\s*" + r"(?:\s*,\s*|\s+)".join([r"(\d{1,9})"] * 4) + r"\s*\]?")


class Box(NamedTuple):
    """A box in pixels of the upright image: its left top corner, counted from 0, and its size."""

    x: int
    y: int
    width: int
    height: int

    def __str__(self) -> str:
        """Return `x,y,width,height`."""
        return ",".join(map(str, self))

    @property
    def edges(self) -> tuple[int, int, int, int]:
        """Left, upper, right and lower edge; the last two lie just outside."""
        return self.x, self.y, self.x + self.width, self.y + self.height

    def is_inside(self, size: tuple[int, int]) -> bool:
        """Say whether it lies in an image of this width and height."""
        _, _, right, lower = self.edges
        return right <= size[0] and lower <= size[1]


def parse_box(text: str, place: str) -> Box | None:
    """Return the box that a text gives, four numbers with commas or spaces between them; None for an empty text.

    Args:
        text: Such as `10,20,64,128`.
        place: Where it stands, for the message.

    Raises:
        DataError: It is no box.
    """
    if not text:
        return None
    found = _NUMBERS.fullmatch(text)
    box = Box(*map(int, found.groups())) if found else None
    if box is None or not (box.width and box.height):
        raise DataError(
            f"{place}: box '{text}'; expected x,y,width,height in whole pixels, such as 10,20,64,128: the left top "
            "corner from 0, width and height 1 or more"
        )
    return box


def named(name: str, box: Box | None) -> str:
    """Return the name of an image that is a part of a file, or the whole."""
    return name if box is None else f"{name}#xywh={box}"

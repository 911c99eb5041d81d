"""Drawing: flat polygons, each with a colour and the part that it belongs to, painted one over the other.

Each polygon is painted twice: with its colour on the picture, and with its number on the map of what is on top at each
place.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple

from PIL import Image, ImageDraw

from reid_search.data.synthetic.people.person import Colour

Point = tuple[float, float]
Polygon = list[Point]

SHADE = 0.84
SHADE_FROM = 0.35
_CORNERS = 16
_CIRCLE = [
    (math.cos(2 * math.pi * corner / _CORNERS), math.sin(2 * math.pi * corner / _CORNERS)) for corner in range(_CORNERS)
]


class Part(IntEnum):
    """What a polygon is part of."""

    BACKGROUND = 0
    HEAD = 1
    HAIR = 2
    UPPER = 3
    ARMS = 4
    LOWER = 5
    LEGS = 6
    SHOES = 7
    BAG = 8
    OCCLUDER = 9


class Owner(IntEnum):
    """Which piece of a body a polygon belongs to; left and right are the person's own."""

    NOBODY = 0
    HEAD = 1
    TRUNK = 2
    LEFT_ARM = 3
    RIGHT_ARM = 4
    LEFT_LEG = 5
    RIGHT_LEG = 6
    BAG = 7


class Shape(NamedTuple):
    """A polygon of one colour; its corners are in pixels, x to the right and y down."""

    part: Part
    outline: Polygon
    colour: Colour


class Layer(NamedTuple):
    """Shapes that are painted together, the last on top.

    `depth` is towards the camera, in body heights; nearer layers are painted later.
    """

    depth: float
    owner: Owner
    shapes: list[Shape]


@dataclass(frozen=True)
class Canvas:
    """An RGB picture and the map of what is on top at each place: `code_of` values, 0 if nothing is painted there.

    `left` and `top` are its origin in the shapes' pixels, `scale` its pixels per shape pixel.
    """

    picture: Image.Image
    codes: Image.Image
    scale: float
    left: float = 0.0
    top: float = 0.0

    def paint(self, layers: Iterable[Layer]) -> None:
        """Paint layers one over the other."""
        picture, codes = ImageDraw.Draw(self.picture), ImageDraw.Draw(self.codes)
        left, top, scale = self.left, self.top, self.scale
        for layer in layers:
            for shape in layer.shapes:
                outline = [((x - left) * scale, (y - top) * scale) for x, y in shape.outline]
                picture.polygon(outline, fill=shape.colour)
                if shape.part:
                    codes.polygon(outline, fill=code_of(shape.part, layer.owner))


def code_of(part: Part, owner: Owner) -> int:
    """Return one number, 0 to 255, for a part and its owner; the part is in the lower four bits."""
    return owner << 4 | part


@dataclass(frozen=True)
class Ribbon:
    """A band around a line: a limb, or a trunk.

    A place on it has two coordinates: `along`, 0 at the first point of the line and 1 at the last, in equal steps from
    point to point, and `across`, -1 at the left edge and 1 at the right edge of a ribbon that runs down. The line has
    at least two points; `widths` holds half the width at each, all in pixels.
    """

    line: Sequence[Point]
    widths: Sequence[float]

    def patch(self, start: float = 0.0, end: float = 1.0, left: float = -1.0, right: float = 1.0) -> Polygon:
        """Return the outline of the piece between two places along and two places across."""
        last = len(self.line) - 1
        inner = [place / last for place in range(last + 1) if start < place / last < end]
        sections = [self._section(along) for along in (start, *inner, end)]
        one_edge = [(x + left * across_x, y + left * across_y) for x, y, across_x, across_y in sections]
        other_edge = [(x + right * across_x, y + right * across_y) for x, y, across_x, across_y in sections]
        return one_edge + other_edge[::-1]

    def point(self, along: float, across: float) -> Point:
        """Return the place in pixels."""
        x, y, across_x, across_y = self._section(along)
        return x + across * across_x, y + across * across_y

    def _section(self, along: float) -> tuple[float, float, float, float]:
        last = len(self.line) - 1
        place = min(int(along * last), last - 1)
        share = along * last - place
        (x0, y0), (x1, y1) = self.line[place], self.line[place + 1]
        width = self.widths[place] * (1 - share) + self.widths[place + 1] * share
        (back_x, back_y), (ahead_x, ahead_y) = self.line[max(place - (share == 0), 0)], self.line[place + 1]
        step_x, step_y = ahead_x - back_x, ahead_y - back_y
        length = math.hypot(step_x, step_y) or 1.0
        return (
            x0 * (1 - share) + x1 * share,
            y0 * (1 - share) + y1 * share,
            width * step_y / length,
            -width * step_x / length,
        )


def ellipse(centre: Point, across: float, down: float) -> Polygon:
    """Return an ellipse with these half axes as a polygon."""
    x, y = centre
    return [(x + across * right, y + down * below) for right, below in _CIRCLE]


def rectangle(left: float, top: float, right: float, bottom: float) -> Polygon:
    """Return a rectangle as a polygon."""
    return [(left, top), (right, top), (right, bottom), (left, bottom)]


def shaded(colour: Colour, factor: float) -> Colour:
    """Return a darker (below 1) or lighter colour."""
    red, green, blue = (min(int(value * factor), 255) for value in colour)
    return red, green, blue


def toned(part: Part, ribbon: Ribbon, colour: Colour, end: float = 1.0, start: float = 0.0) -> list[Shape]:
    """Return a ribbon from `start` to `end`, with its right edge in the shade."""
    return [
        Shape(part, ribbon.patch(start, end), colour),
        Shape(part, ribbon.patch(start, end, SHADE_FROM, 1.0), shaded(colour, SHADE)),
    ]


def ball(centre: Point, radius: float) -> Polygon:
    """Return a circle as a polygon."""
    return ellipse(centre, radius, radius)

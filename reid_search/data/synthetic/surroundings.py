"""What stands around and in front of people: each camera's fixed place, and things that come and go."""

from collections.abc import Sequence

import numpy as np
from PIL import Image

from reid_search.data.synthetic.drawing import Part, Polygon, Shape, ellipse, paint, rectangle, shaded
from reid_search.data.synthetic.people import Colour
from reid_search.data.synthetic.scenes import HEIGHT, WIDTH, Thing

PANORAMA_WIDTH = 5 * WIDTH

_GREY: Colour = (128, 128, 128)
_MUTED = (60, 200)


def panorama(generator: np.random.Generator, contrast: float, oversample: int) -> Image.Image:
    """Draw the place that a camera looks at: ground, and a row of houses, hedges and shop windows.

    Args:
        generator: Random numbers of this camera.
        contrast: 1 as drawn, 0 plain grey.
        oversample: Canvas pixels of one pixel.

    Returns:
        An image of `PANORAMA_WIDTH` by `HEIGHT` pixels, oversampled.
    """
    size = (PANORAMA_WIDTH * oversample, HEIGHT * oversample)
    drawn = Image.new("RGB", size, _muted(generator))
    paint(drawn, _place(generator), oversample)
    return Image.blend(Image.new("RGB", size, _GREY), drawn, contrast)


def shapes_of(things: Sequence[Thing], part: Part) -> list[Shape]:
    """Return the shapes of things, in their order."""
    return [shape for thing in things for shape in _thing(thing, part)]


def _place(generator: np.random.Generator) -> list[Shape]:
    horizon = HEIGHT * float(generator.uniform(0.5, 0.72))
    ground = _muted(generator)
    shapes = [Shape(Part.BACKGROUND, rectangle(0, horizon, PANORAMA_WIDTH, HEIGHT), ground)]
    x = 0.0
    while x < PANORAMA_WIDTH:
        width = float(generator.uniform(22, 70))
        shapes += _house(generator, x, horizon, width)
        x += width
    for _ in range(10):
        y = float(generator.uniform(horizon, HEIGHT))
        left, length = generator.uniform(0, PANORAMA_WIDTH), generator.uniform(20, 120)
        outline = rectangle(float(left), y, float(left + length), y + 1 + (y - horizon) / 12)
        shapes.append(Shape(Part.BACKGROUND, outline, shaded(ground, float(generator.uniform(0.7, 1.3)))))
    return shapes


def _house(generator: np.random.Generator, x: float, horizon: float, width: float) -> list[Shape]:
    colour, pane = _muted(generator), _muted(generator)
    top = horizon * float(generator.uniform(0.0, 0.6))
    shapes = [Shape(Part.BACKGROUND, rectangle(x, top, x + width, horizon), colour)]
    columns, rows = int(generator.integers(1, 4)), int(generator.integers(1, 5))
    step_x, step_y = width / columns, (horizon - top) / rows
    for column in range(columns):
        for row in range(rows):
            left, upper = x + step_x * (column + 0.2), top + step_y * (row + 0.2)
            shapes.append(
                Shape(Part.BACKGROUND, rectangle(left, upper, left + 0.6 * step_x, upper + 0.55 * step_y), pane)
            )
    return shapes


def _thing(thing: Thing, part: Part) -> list[Shape]:
    left, right = thing.x - thing.width / 2, thing.x + thing.width / 2
    top, dark = thing.bottom - thing.height, shaded(thing.colour, 0.72)
    if thing.kind == "fence":
        return _fence(thing, part)
    if thing.kind == "bush":
        outlines: list[Polygon] = [
            ellipse(
                (thing.x + share * thing.width, thing.bottom - 0.4 * thing.height),
                0.3 * thing.width,
                0.5 * thing.height,
            )
            for share in (-0.25, 0.25, 0.0)
        ]
        return [
            Shape(part, outline, colour) for outline, colour in zip(outlines, (dark, dark, thing.colour), strict=True)
        ]
    shapes = [
        Shape(part, rectangle(left, top, right, thing.bottom), thing.colour),
        Shape(part, rectangle(thing.x + 0.15 * thing.width, top, right, thing.bottom), dark),
    ]
    if thing.kind in ("crate", "sign"):
        band = top + 0.25 * thing.height
        shapes.append(Shape(part, rectangle(left, band, right, band + 0.18 * thing.height), shaded(thing.colour, 1.35)))
    return shapes


def _fence(thing: Thing, part: Part) -> list[Shape]:
    top, dark = thing.bottom - thing.height, shaded(thing.colour, 0.72)
    rails = [top + share * thing.height for share in (0.0, 0.35, 0.7)]
    shapes = [Shape(part, rectangle(0, rail, WIDTH, rail + 4), thing.colour) for rail in rails]
    shapes += [Shape(part, rectangle(x, top - 3, x + 2.5, thing.bottom), dark) for x in range(4, WIDTH, 15)]
    return shapes


def _muted(generator: np.random.Generator) -> Colour:
    grey = float(generator.uniform(*_MUTED))
    red, green, blue = (int(min(max(grey + value, 10.0), 245.0)) for value in generator.normal(0.0, 32.0, size=3))
    return red, green, blue

"""What is around and in front of people: each camera's fixed place, and things that come and go."""

from collections.abc import Sequence

import numpy as np
from PIL import Image

from reid_search.data.synthetic.people.person import Colour
from reid_search.data.synthetic.puppet.drawing import (
    Canvas,
    Layer,
    Owner,
    Part,
    Shape,
    ellipse,
    rectangle,
    shaded,
)
from reid_search.data.synthetic.views.boxes import Box
from reid_search.data.synthetic.views.scenes import HEIGHT, WIDTH, Thing

MARGIN_X, MARGIN_Y = float(WIDTH), 0.6 * HEIGHT
PANORAMA_WIDTH, PANORAMA_HEIGHT = 7.0 * WIDTH, HEIGHT + 2 * MARGIN_Y

_GREY: Colour = (128, 128, 128)
_MUTED = (60, 200)


def panorama(generator: np.random.Generator, contrast: float, oversample: int) -> Image.Image:
    """Draw the place that a camera looks at: ground, and a row of houses, hedges and shop windows.

    It has `PANORAMA_WIDTH` by `PANORAMA_HEIGHT` pixels, oversampled; a contrast of 0 is plain grey, 1 as drawn.
    """
    size = (round(PANORAMA_WIDTH * oversample), round(PANORAMA_HEIGHT * oversample))
    drawn = Image.new("RGB", size, _muted(generator))
    canvas = Canvas(drawn, Image.new("L", size), oversample, -MARGIN_X, -MARGIN_Y)
    canvas.paint([Layer(0.0, Owner.NOBODY, _place(generator))])
    return Image.blend(Image.new("RGB", size, _GREY), drawn, contrast)


def view_of(place: Image.Image, pan: float, box: Box, oversample: int) -> Image.Image:
    """Return the part of a panorama that a box shows, both oversampled.

    The scene stands at `pan` in it, 0 to 1; a box that reaches beyond the panorama is moved back into it.
    """
    width, height = WIDTH * oversample / box.scale, HEIGHT * oversample / box.scale
    left = oversample * (MARGIN_X + pan * (PANORAMA_WIDTH - 2 * MARGIN_X - WIDTH) + box.left)
    top = oversample * (MARGIN_Y + box.top)
    left, top = min(max(left, 0.0), place.width - width), min(max(top, 0.0), place.height - height)
    size = (WIDTH * oversample, HEIGHT * oversample)
    return place.resize(size, Image.Resampling.NEAREST, (left, top, left + width, top + height))


def shapes_of(things: Sequence[Thing], part: Part) -> list[Shape]:
    """Return the shapes of things, in their order."""
    return [shape for thing in things for shape in _thing(thing, part)]


def _place(generator: np.random.Generator) -> list[Shape]:
    horizon = HEIGHT * float(generator.uniform(0.5, 0.72))
    ground, right = _muted(generator), PANORAMA_WIDTH - MARGIN_X
    shapes = [Shape(Part.BACKGROUND, rectangle(-MARGIN_X, horizon, right, HEIGHT + MARGIN_Y), ground)]
    x = -MARGIN_X
    while x < right:
        width = float(generator.uniform(22, 70))
        shapes += _house(generator, x, horizon, width)
        x += width
    for _ in range(14):
        y = float(generator.uniform(horizon, HEIGHT))
        left, length = generator.uniform(-MARGIN_X, right), generator.uniform(20, 120)
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
            outline = rectangle(left, upper, left + 0.6 * step_x, upper + 0.55 * step_y)
            shapes.append(Shape(Part.BACKGROUND, outline, pane))
    return shapes


def _thing(thing: Thing, part: Part) -> list[Shape]:
    if not thing.width * thing.height:
        return []
    left, right = thing.x - thing.width / 2, thing.x + thing.width / 2
    top, dark = thing.bottom - thing.height, shaded(thing.colour, 0.72)
    if thing.kind == "fence":
        return _fence(thing, part)
    if thing.kind == "bush":
        y, across, along = thing.bottom - 0.4 * thing.height, 0.3 * thing.width, 0.5 * thing.height
        leaves = ((-0.25, dark), (0.25, dark), (0.0, thing.colour))
        return [Shape(part, ellipse((thing.x + at * thing.width, y), across, along), tone) for at, tone in leaves]
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
    shown = thing.height - (thing.bottom - HEIGHT)
    rails = [top + share * shown for share in (0.0, 0.35, 0.7)]
    shapes = [Shape(part, rectangle(-WIDTH, rail, 2 * WIDTH, rail + 4), thing.colour) for rail in rails]
    shapes += [
        Shape(part, rectangle(x, top - 3, x + 2.5, thing.bottom), dark) for x in range(4 - 4 * 15, 2 * WIDTH, 15)
    ]
    return shapes


def _muted(generator: np.random.Generator) -> Colour:
    grey = float(generator.uniform(*_MUTED))
    red, green, blue = (int(min(max(grey + value, 10.0), 245.0)) for value in generator.normal(0.0, 32.0, size=3))
    return red, green, blue

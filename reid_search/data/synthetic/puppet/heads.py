"""Head, hair, cap and face of the puppet."""

import math

from reid_search.data.synthetic.people.person import Colour, Person
from reid_search.data.synthetic.puppet.body import Skeleton
from reid_search.data.synthetic.puppet.drawing import (
    Layer,
    Owner,
    Part,
    Point,
    Ribbon,
    Shape,
    ball,
    ellipse,
    shaded,
    toned,
)

FACE_SEEN = -0.25
"""Cosine of the yaw from which on the face is seen."""


def head(person: Person, skeleton: Skeleton) -> list[Layer]:
    """Return the layers of the head."""
    pixels, hair = skeleton.pixels, person.hair
    x, y = skeleton.head.point
    sine, cosine = math.sin(skeleton.yaw), math.cos(skeleton.yaw)
    across, down = 0.056 * pixels, 0.072 * pixels
    skull = shaded(person.skin, 0.95) if hair.style == "bald" else hair.colour
    shapes = [Shape(Part.HAIR, ellipse((x, y - 0.004 * pixels), across * 1.08, down * 1.05), skull)]
    if cosine > FACE_SEEN:
        middle = (x + 0.42 * across * sine, y + 0.012 * pixels)
        wide = across * (0.92 - 0.3 * abs(sine))
        shapes.append(Shape(Part.HEAD, ellipse(middle, wide, down * 0.84), person.skin))
        shapes += _eyes(skeleton, wide, person.skin)
    if hair.style == "cap":
        shapes += _cap(hair.cap, (x, y), across, down, sine)
    layers = [Layer(0.03, Owner.HEAD, shapes)]
    if hair.style == "bun":
        bun = (x - 0.85 * across * sine, y - 0.9 * down)
        knot = Shape(Part.HAIR, ball(bun, 0.03 * pixels), shaded(hair.colour, 0.9))
        layers.append(Layer(-0.031 * cosine, Owner.HEAD, [knot]))
    if hair.style == "long":
        back = x - 0.45 * across * sine
        fall = Ribbon(((back, y - 0.01 * pixels), (back, y + 0.17 * pixels)), (across * 1.12, across * 1.25))
        depth = -0.035 * cosine if cosine > 0 else 0.031
        layers.append(Layer(depth, Owner.HEAD, toned(Part.HAIR, fall, hair.colour)))
    return layers


def _eyes(skeleton: Skeleton, wide: float, skin: Colour) -> list[Shape]:
    seen = [eye for eye in skeleton.face.eyes if eye.depth > 0.0]
    return [Shape(Part.HEAD, ellipse(eye.point, 0.13 * wide, 0.16 * wide), shaded(skin, 0.35)) for eye in seen]


def _cap(colour: Colour, centre: Point, across: float, down: float, sine: float) -> list[Shape]:
    x, y = centre
    crown = [(px, min(py, y - 0.25 * down)) for px, py in ellipse((x, y - 0.05 * down), across * 1.14, down * 1.08)]
    brim = (x + 0.75 * across * sine, y - 0.25 * down)
    return [
        Shape(Part.HAIR, crown, colour),
        Shape(Part.HAIR, ellipse(brim, across * (0.95 + 0.3 * abs(sine)), down * 0.13), shaded(colour, 0.75)),
    ]

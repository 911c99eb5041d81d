"""What the puppet carries."""

import math

from reid_search.data.synthetic.people.person import Person
from reid_search.data.synthetic.puppet.body import Skeleton
from reid_search.data.synthetic.puppet.clothes import torso_of
from reid_search.data.synthetic.puppet.drawing import Layer, Owner, Part, Ribbon, Shape, shaded, toned
from reid_search.data.synthetic.puppet.heads import FACE_SEEN


def bag(person: Person, skeleton: Skeleton) -> list[Layer]:
    """Return the layers of what is carried, if anything."""
    if person.bag.kind == "backpack":
        return _backpack(person, skeleton)
    if person.bag.kind != "none":
        return [_at_the_hip(person, skeleton)]
    return []


def _backpack(person: Person, skeleton: Skeleton) -> list[Layer]:
    pixels, colour, girth = skeleton.pixels, person.bag.colour, person.build.girth
    sine, cosine = math.sin(skeleton.yaw), math.cos(skeleton.yaw)
    middle = skeleton.neck.x - 0.115 * girth * sine * pixels
    half = math.hypot(0.088 * cosine, 0.05 * sine) * pixels
    top, bottom = skeleton.neck.y + 0.025 * pixels, skeleton.waist.y + 0.035 * pixels
    sack = Ribbon(((middle, top), (middle, top + 0.04 * pixels), (middle, bottom)), (half * 0.7, half, half * 1.05))
    pocket = Shape(Part.BAG, sack.patch(0.62, 0.93, -0.7, 0.7), shaded(colour, 0.78))
    layers = [Layer(-0.12 * cosine - 0.005, Owner.BAG, [*toned(Part.BAG, sack, colour), pocket])]
    if cosine > FACE_SEEN:
        torso = torso_of(person, skeleton)
        edges = (-0.62, -0.42), (0.42, 0.62)
        straps = [
            torso.patch(0.12, 0.68, left + 0.5 * sine, min(right + 0.5 * sine, 1.0))
            for left, right in edges
            if left + 0.5 * sine < 0.9
        ]
        layers.append(Layer(0.001, Owner.BAG, [Shape(Part.BAG, strap, shaded(colour, 0.9)) for strap in straps]))
    return layers


def _at_the_hip(person: Person, skeleton: Skeleton) -> Layer:
    pixels, colour = skeleton.pixels, person.bag.colour
    arm, other = skeleton.arms if person.bag.left else skeleton.arms[::-1]
    x, y = arm.root.x * 0.5 + arm.end.x * 0.5, skeleton.hip.y
    half = (0.05 + 0.025 * abs(math.sin(skeleton.yaw))) * pixels
    sack = Ribbon(((x, y - 0.02 * pixels), (x, y + 0.11 * pixels)), (half * 0.85, half))
    shoulder = other.root.point if person.bag.kind == "satchel" else arm.root.point
    strap = Ribbon((shoulder, (x, y)), (0.009 * pixels, 0.009 * pixels))
    shapes = [Shape(Part.BAG, strap.patch(), shaded(colour, 0.8)), *toned(Part.BAG, sack, colour)]
    shapes.append(Shape(Part.BAG, sack.patch(0.0, 0.3), shaded(colour, 0.7)))
    return Layer(arm.depth + 0.02, Owner.BAG, shapes)

"""The mark on the front of the upper garment."""

import math

from reid_search.data.synthetic.people.person import Logo
from reid_search.data.synthetic.puppet.drawing import Part, Polygon, Ribbon, Shape, ball

_SIZE = 0.036
_LEAST_SEEN = 0.2


def logo(mark: Logo, torso: Ribbon, yaw: float, pixels: float) -> list[Shape]:
    """Return a logo on a trunk, seen as a cylinder: displaced and narrowed with the yaw, and hidden from behind."""
    ahead = math.sqrt(1.0 - mark.across**2)
    across = mark.across * math.cos(yaw) + ahead * math.sin(yaw)
    facing = ahead * math.cos(yaw) - mark.across * math.sin(yaw)
    if mark.shape == "none" or facing < _LEAST_SEEN:
        return []
    x, y = torso.point(mark.along, across)
    half = _SIZE * pixels
    return [Shape(Part.UPPER, [(x + facing * right, y + down) for right, down in _outline(mark, half)], mark.colour)]


def _outline(mark: Logo, half: float) -> Polygon:
    if mark.shape == "disc":
        return ball((0.0, 0.0), half)
    if mark.shape == "triangle":
        return [(0.0, -half), (1.1 * half, half), (-1.1 * half, half)]
    wide, high = (half, half) if mark.shape == "square" else (1.7 * half, 0.45 * half)
    return [(-wide, -high), (wide, -high), (wide, high), (-wide, high)]

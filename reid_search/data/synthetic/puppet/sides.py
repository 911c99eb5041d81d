"""Front and back of what somebody wears: which part of a ribbon shows the back, seen from a direction."""

import math

from reid_search.data.synthetic.people.person import Colour
from reid_search.data.synthetic.puppet.drawing import SHADE, SHADE_FROM, Part, Ribbon, Shape, shaded

_LEAST_SEEN = 0.05


def behind(part: Part, ribbon: Ribbon, colour: Colour, yaw: float, end: float = 1.0) -> list[Shape]:
    """Return the visible back of a ribbon around a body, in its own colour, from its start to `end`.

    A seam runs down each side of the body. Seen from a yaw, one seam is nearer, at -cos(yaw) across the ribbon for
    somebody who walks to the right and at cos(yaw) to the left; the back lies on the side away from where they walk.
    """
    seam = math.cos(yaw)
    left, right = (-1.0, -seam) if math.sin(yaw) >= 0.0 else (seam, 1.0)
    if right - left < _LEAST_SEEN:
        return []
    shapes = [Shape(part, ribbon.patch(0.0, end, left, right), colour)]
    if right > SHADE_FROM:
        edge = ribbon.patch(0.0, end, max(left, SHADE_FROM), right)
        shapes.append(Shape(part, edge, shaded(colour, SHADE)))
    return shapes

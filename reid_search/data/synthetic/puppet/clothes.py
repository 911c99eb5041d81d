"""The clothes of the puppet, and the arms and legs in them, as polygons around a skeleton."""

import math

from reid_search.data.synthetic.people.person import Lower, Person, Upper
from reid_search.data.synthetic.puppet.body import CHEST_DEPTH, Limb, Skeleton
from reid_search.data.synthetic.puppet.drawing import SHADE, Part, Polygon, Ribbon, Shape, ball, shaded, toned
from reid_search.data.synthetic.puppet.logos import logo
from reid_search.data.synthetic.puppet.sides import behind

_BELLY_FROM, _SHINS_FROM = 0.55, 0.4
"""Where two-tone garments change: chest, belly, sleeves, thighs and, above boots, knees have about equal areas."""


def trunk(person: Person, skeleton: Skeleton) -> list[Shape]:
    """Return neck and upper garment, over the skirt or the seat of the trousers."""
    neck = Ribbon((skeleton.head.point, skeleton.neck.point), (0.03 * skeleton.pixels, 0.034 * skeleton.pixels))
    throat = Shape(Part.HEAD, neck.patch(0.0, 1.0), shaded(person.skin, SHADE))
    return [throat, *_seat(person, skeleton), *_top(person, skeleton)]


def torso_of(person: Person, skeleton: Skeleton) -> Ribbon:
    """Return the trunk from the neck to the hem of the upper garment."""
    build, pixels = person.build, skeleton.pixels
    turn = abs(math.cos(skeleton.yaw)), abs(math.sin(skeleton.yaw))

    def width(across: float, deep: float) -> float:
        return math.hypot(across * build.girth * turn[0], deep * build.girth * turn[1]) * pixels

    x, top, waist, hip = skeleton.neck.x, skeleton.neck.y, skeleton.waist.y, skeleton.hip.y
    hem = hip + (0.13 if person.upper.long else 0.015) * pixels
    line = ((x, top), (x, top + 0.035 * pixels), (x, (top + waist) / 2), (x, waist), (x, hem))
    shoulders = 0.122 * build.shoulders
    widths = (
        width(0.05, 0.04),
        width(shoulders, CHEST_DEPTH * 0.9),
        width(0.112 * build.shoulders, CHEST_DEPTH * 1.08),
        width(0.094, CHEST_DEPTH),
        width(0.112 if person.upper.long else 0.102, CHEST_DEPTH * (1.35 if person.upper.long else 1.1)),
    )
    return Ribbon(line, widths)


def _top(person: Person, skeleton: Skeleton) -> list[Shape]:
    upper, torso, yaw = person.upper, torso_of(person, skeleton), skeleton.yaw
    shapes = toned(Part.UPPER, torso, upper.colour)
    if upper.pattern == "two_tone":
        shapes += toned(Part.UPPER, torso, upper.second, start=_BELLY_FROM)
    shapes += [Shape(Part.UPPER, outline, upper.second) for outline in _upper_pattern(upper, torso, yaw)]
    shapes += logo(person.logo, torso, yaw, skeleton.pixels)
    return shapes + (behind(Part.UPPER, torso, person.back.upper, yaw) if person.back else [])


def _upper_pattern(upper: Upper, torso: Ribbon, yaw: float) -> list[Polygon]:
    places = range(upper.bands)
    if upper.pattern == "hoops":
        starts = [0.27 + 0.72 * place / upper.bands for place in places]
        return [torso.patch(start, start + 0.36 / upper.bands) for start in starts]
    if upper.pattern == "stripes":
        lefts = [-0.8 + 1.87 * place / upper.bands for place in places]
        return [torso.patch(0.1, 1.0, left, left + 0.8 / upper.bands) for left in lefts]
    if upper.pattern == "checks":
        high = 0.8 / upper.bands
        rows = [(0.2 + high * row, (-1.0, -0.2, 0.6) if row % 2 else (-0.6, 0.2)) for row in places]
        return [torso.patch(start, start + high, left, left + 0.4) for start, lefts in rows for left in lefts]
    if upper.pattern == "band":
        return [torso.patch(0.34, 0.54)]
    if upper.pattern == "open" and math.cos(yaw) > 0:
        middle = 0.75 * math.sin(yaw)
        half = 0.42 * math.cos(yaw)
        return [torso.patch(0.02, 1.0, max(middle - half, -1.0), min(middle + half, 1.0))]
    return []


def _seat(person: Person, skeleton: Skeleton) -> list[Shape]:
    lower, girth, pixels = person.lower, person.build.girth, skeleton.pixels
    turn = abs(math.cos(skeleton.yaw)), abs(math.sin(skeleton.yaw))
    hips = math.hypot(0.1 * girth * turn[0], 0.075 * girth * turn[1]) * pixels
    x, waist, hip = skeleton.hip.x, skeleton.waist.y, skeleton.hip.y
    if lower.kind != "skirt":
        seat = Ribbon(((x, waist + 0.04 * pixels), (x, hip + 0.04 * pixels)), (hips, hips))
        return [*toned(Part.LOWER, seat, lower.colour), *_lower_back(person, seat, skeleton)]
    knees = [leg.middle.x for leg in skeleton.legs]
    flare = max(hips * 1.35, (max(knees) - min(knees)) / 2 + 0.07 * pixels)
    middle = sum(knees) / 2
    skirt = Ribbon(((x, waist), (x, hip), (middle, hip + 0.21 * pixels)), (hips * 0.9, hips * 1.1, flare))
    front = [*toned(Part.LOWER, skirt, lower.colour), *_lower_pattern(lower, skirt)]
    return [*front, *_lower_back(person, skirt, skeleton)]


def _lower_back(
    person: Person, cloth: Ribbon, skeleton: Skeleton, covered: float = 1.0, far: float = 1.0
) -> list[Shape]:
    return behind(Part.LOWER, cloth, shaded(person.back.lower, far), skeleton.yaw, covered) if person.back else []


def leg(person: Person, skeleton: Skeleton, limb: Limb) -> list[Shape]:
    """Return a leg in what is worn below the waist, and its shoe."""
    lower, girth, pixels = person.lower, person.build.girth, skeleton.pixels
    line = (limb.root.point, limb.middle.point, limb.end.point)
    flesh = Ribbon(line, (0.05 * girth * pixels, 0.034 * girth * pixels, 0.022 * girth * pixels))
    cloth = Ribbon(line, (0.056 * girth * pixels, 0.045 * girth * pixels, 0.036 * girth * pixels))
    far = _distance_shade(limb)
    shapes = toned(Part.LEGS, flesh, shaded(person.skin, far))
    covered = {"trousers": 0.97, "shorts": 0.5, "skirt": 0.0}[lower.kind]
    if covered:
        shapes += toned(Part.LOWER, cloth, shaded(lower.colour, far), covered)
        shapes += _lower_pattern(lower, cloth, covered, far)
        shapes += _lower_back(person, cloth, skeleton, covered, far)
    return shapes + _shoe(person, skeleton, limb, cloth, far)


def _lower_pattern(lower: Lower, cloth: Ribbon, covered: float = 1.0, far: float = 1.0) -> list[Shape]:
    if lower.pattern == "two_tone":
        return toned(Part.LOWER, cloth, shaded(lower.second, far), covered, _SHINS_FROM * covered)
    outlines: list[Polygon] = []
    if lower.pattern == "stripe":
        outlines = [cloth.patch(0.0, covered, -0.3, 0.3)]
    elif lower.pattern == "hoops":
        outlines = [cloth.patch(start * covered, (start + 0.14) * covered) for start in (0.3, 0.58, 0.86)]
    return [Shape(Part.LOWER, outline, shaded(lower.second, far)) for outline in outlines]


def _shoe(person: Person, skeleton: Skeleton, limb: Limb, cloth: Ribbon, far: float) -> list[Shape]:
    pixels, colour = skeleton.pixels, shaded(person.shoes.colour, far)
    heel, toe = limb.end.point, limb.tip.point
    sole = max(limb.end.y, limb.tip.y) + 0.018 * pixels
    half = 0.032 * pixels
    left, right = min(heel[0], toe[0]) - half, max(heel[0], toe[0]) + half
    top = limb.end.y - 0.01 * pixels
    outline: Polygon = [(heel[0] - half, top), (heel[0] + half, top), (right, sole - 0.02 * pixels), (right, sole)]
    outline += [(left, sole), (left, sole - 0.02 * pixels)]
    shapes = [Shape(Part.SHOES, outline, colour)]
    if person.shoes.boots:
        shapes.insert(0, Shape(Part.SHOES, cloth.patch(0.74, 1.0, -1.05, 1.05), colour))
    return shapes


def arm(person: Person, skeleton: Skeleton, limb: Limb) -> list[Shape]:
    """Return an arm in its sleeve."""
    upper, girth, pixels = person.upper, math.sqrt(person.build.girth), skeleton.pixels
    line = (limb.root.point, limb.middle.point, limb.end.point)
    flesh = Ribbon(line, (0.032 * girth * pixels, 0.026 * girth * pixels, 0.018 * girth * pixels))
    cloth = Ribbon(line, (0.041 * girth * pixels, 0.036 * girth * pixels, 0.03 * girth * pixels))
    far = _distance_shade(limb)
    skin = shaded(person.skin, far)
    shapes = [*toned(Part.ARMS, flesh, skin), Shape(Part.ARMS, ball(limb.tip.point, 0.026 * pixels), skin)]
    covered = {"none": 0.0, "short": 0.48, "long": 0.97}[upper.sleeves]
    if covered:
        colour = shaded(upper.sleeve, far * 0.94)
        shapes.append(Shape(Part.UPPER, ball(limb.root.point, 0.041 * girth * pixels), colour))
        shapes += toned(Part.UPPER, cloth, colour, covered)
        if upper.pattern == "hoops":
            bands = [start for start in (0.12, 0.34, 0.56, 0.78) if start + 0.1 <= covered]
            shapes += [Shape(Part.UPPER, cloth.patch(at, at + 0.1), shaded(upper.second, far * 0.94)) for at in bands]
        if person.back:
            shapes += behind(Part.UPPER, cloth, shaded(person.back.upper, far * 0.94), skeleton.yaw, covered)
    return shapes


def _distance_shade(limb: Limb) -> float:
    """Return the darker tone of a limb on the far side, which sets it off from the near one."""
    return 0.8 if limb.depth < -0.03 else 1.0

"""The puppet: a person's body, clothes and bag as polygons around a skeleton, what is far away first."""

import math

from reid_search.data.synthetic.body import CHEST_DEPTH, Limb, Placement, Pose, Skeleton, skeleton_of
from reid_search.data.synthetic.drawing import Part, Point, Polygon, Ribbon, Shape, ellipse, shaded
from reid_search.data.synthetic.people import Colour, Lower, Person, Upper

Layer = tuple[float, list[Shape]]

_SHADE = 0.84
_SHADE_FROM = 0.35
_FACE_SEEN = -0.25
_LEGS_BEHIND = -0.02


def puppet(person: Person, pose: Pose, placement: Placement) -> list[Shape]:
    """Return the shapes of a person, in the order in which they are painted."""
    skeleton = skeleton_of(person.build, pose, placement)
    layers = [
        *((_LEGS_BEHIND + 0.5 * limb.depth, _leg(person, skeleton, limb)) for limb in skeleton.legs),
        _trunk(person, skeleton),
        *_head(person, skeleton),
        *((limb.depth, _arm(person, skeleton, limb)) for limb in skeleton.arms),
        *_bag(person, skeleton),
    ]
    layers.sort(key=lambda layer: layer[0])
    return [shape for _, shapes in layers for shape in shapes]


def _trunk(person: Person, skeleton: Skeleton) -> Layer:
    """Return the upper garment, over the skirt or the seat of the trousers."""
    shapes = [*_seat(person, skeleton), *_top(person.upper, _torso(person, skeleton), skeleton)]
    neck = Ribbon((skeleton.head.point, skeleton.neck.point), (0.03 * skeleton.pixels, 0.034 * skeleton.pixels))
    return 0.0, [Shape(Part.HEAD, neck.patch(0.0, 1.0), shaded(person.skin, _SHADE)), *shapes]


def _torso(person: Person, skeleton: Skeleton) -> Ribbon:
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


def _top(upper: Upper, torso: Ribbon, skeleton: Skeleton) -> list[Shape]:
    shapes = _lit(Part.UPPER, torso, upper.colour)
    second = [Shape(Part.UPPER, outline, upper.second) for outline in _upper_pattern(upper, torso, skeleton)]
    return [*shapes, *second]


def _upper_pattern(upper: Upper, torso: Ribbon, skeleton: Skeleton) -> list[Polygon]:
    if upper.pattern == "hoops":
        return [torso.patch(start, start + 0.09) for start in (0.27, 0.45, 0.63, 0.81)]
    if upper.pattern == "stripes":
        return [torso.patch(0.1, 1.0, left, left + 0.2) for left in (-0.8, -0.35, 0.15, 0.6)]
    if upper.pattern == "checks":
        rows = [(0.2 + 0.2 * row, (-1.0, -0.2, 0.6) if row % 2 else (-0.6, 0.2)) for row in range(4)]
        return [torso.patch(start, start + 0.2, left, left + 0.4) for start, lefts in rows for left in lefts]
    if upper.pattern == "band":
        return [torso.patch(0.34, 0.54)]
    if upper.pattern == "two_tone":
        return [torso.patch(0.56, 1.0)]
    if upper.pattern == "open" and math.cos(skeleton.yaw) > 0:
        middle = 0.75 * math.sin(skeleton.yaw)
        half = 0.42 * math.cos(skeleton.yaw)
        return [torso.patch(0.02, 1.0, max(middle - half, -1.0), min(middle + half, 1.0))]
    return []


def _seat(person: Person, skeleton: Skeleton) -> list[Shape]:
    lower, girth, pixels = person.lower, person.build.girth, skeleton.pixels
    turn = abs(math.cos(skeleton.yaw)), abs(math.sin(skeleton.yaw))
    hips = math.hypot(0.1 * girth * turn[0], 0.075 * girth * turn[1]) * pixels
    x, waist, hip = skeleton.hip.x, skeleton.waist.y, skeleton.hip.y
    if lower.kind != "skirt":
        seat = Ribbon(((x, waist + 0.04 * pixels), (x, hip + 0.04 * pixels)), (hips, hips))
        return _lit(Part.LOWER, seat, lower.colour)
    knees = [leg.middle.x for leg in skeleton.legs]
    flare = max(hips * 1.35, (max(knees) - min(knees)) / 2 + 0.07 * pixels)
    middle = sum(knees) / 2
    skirt = Ribbon(((x, waist), (x, hip), (middle, hip + 0.21 * pixels)), (hips * 0.9, hips * 1.1, flare))
    return [*_lit(Part.LOWER, skirt, lower.colour), *_lower_pattern(lower, skirt)]


def _leg(person: Person, skeleton: Skeleton, limb: Limb) -> list[Shape]:
    lower, girth, pixels = person.lower, person.build.girth, skeleton.pixels
    line = (limb.root.point, limb.middle.point, limb.end.point)
    flesh = Ribbon(line, (0.05 * girth * pixels, 0.034 * girth * pixels, 0.022 * girth * pixels))
    cloth = Ribbon(line, (0.056 * girth * pixels, 0.045 * girth * pixels, 0.036 * girth * pixels))
    far = _distance_shade(limb)
    shapes = _lit(Part.LEGS, flesh, shaded(person.skin, far))
    covered = {"trousers": 0.97, "shorts": 0.5, "skirt": 0.0}[lower.kind]
    if covered:
        shapes += _lit(Part.LOWER, cloth, shaded(lower.colour, far), covered)
        shapes += _lower_pattern(lower, cloth, covered, far)
    return shapes + _shoe(person, skeleton, limb, cloth, far)


def _lower_pattern(lower: Lower, cloth: Ribbon, covered: float = 1.0, far: float = 1.0) -> list[Shape]:
    outlines: list[Polygon] = []
    if lower.pattern == "two_tone":
        outlines = [cloth.patch(0.52 * covered, covered)]
    elif lower.pattern == "stripe":
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


def _arm(person: Person, skeleton: Skeleton, limb: Limb) -> list[Shape]:
    upper, girth, pixels = person.upper, math.sqrt(person.build.girth), skeleton.pixels
    line = (limb.root.point, limb.middle.point, limb.end.point)
    flesh = Ribbon(line, (0.032 * girth * pixels, 0.026 * girth * pixels, 0.018 * girth * pixels))
    cloth = Ribbon(line, (0.041 * girth * pixels, 0.036 * girth * pixels, 0.03 * girth * pixels))
    far = _distance_shade(limb)
    skin = shaded(person.skin, far)
    shapes = [*_lit(Part.ARMS, flesh, skin), Shape(Part.ARMS, _ball(limb.tip.point, 0.026 * pixels), skin)]
    covered = {"none": 0.0, "short": 0.48, "long": 0.97}[upper.sleeves]
    if covered:
        colour = shaded(upper.second if upper.pattern == "sleeves" else upper.colour, far * 0.94)
        shapes.append(Shape(Part.UPPER, _ball(limb.root.point, 0.041 * girth * pixels), colour))
        shapes += _lit(Part.UPPER, cloth, colour, covered)
        if upper.pattern == "hoops":
            bands = [start for start in (0.12, 0.34, 0.56, 0.78) if start + 0.1 <= covered]
            shapes += [Shape(Part.UPPER, cloth.patch(at, at + 0.1), shaded(upper.second, far * 0.94)) for at in bands]
    return shapes


def _head(person: Person, skeleton: Skeleton) -> list[Layer]:
    pixels, hair = skeleton.pixels, person.hair
    x, y = skeleton.head.point
    sine, cosine = math.sin(skeleton.yaw), math.cos(skeleton.yaw)
    across, down = 0.056 * pixels, 0.072 * pixels
    skull = shaded(person.skin, 0.95) if hair.style == "bald" else hair.colour
    shapes = [Shape(Part.HAIR, ellipse((x, y - 0.004 * pixels), across * 1.08, down * 1.05), skull)]
    if cosine > _FACE_SEEN:
        middle = (x + 0.42 * across * sine, y + 0.012 * pixels)
        wide = across * (0.92 - 0.3 * abs(sine))
        shapes.append(Shape(Part.HEAD, ellipse(middle, wide, down * 0.84), person.skin))
        shapes += _eyes(middle, wide, sine, cosine, person.skin)
    if hair.style == "cap":
        shapes += _cap(hair.cap, (x, y), across, down, sine)
    layers: list[Layer] = [(0.03, shapes)]
    if hair.style == "bun":
        bun = (x - 0.85 * across * sine, y - 0.9 * down)
        layers.append((-0.031 * cosine, [Shape(Part.HAIR, _ball(bun, 0.03 * pixels), shaded(hair.colour, 0.9))]))
    if hair.style == "long":
        back = x - 0.45 * across * sine
        fall = Ribbon(((back, y - 0.01 * pixels), (back, y + 0.17 * pixels)), (across * 1.12, across * 1.25))
        layers.append((-0.035 * cosine if cosine > 0 else 0.031, _lit(Part.HAIR, fall, hair.colour)))
    return layers


def _eyes(middle: Point, wide: float, sine: float, cosine: float, skin: Colour) -> list[Shape]:
    dark = shaded(skin, 0.35)
    places = [middle[0] + wide * (0.45 * sine + side * 0.4 * max(cosine, 0.0)) for side in (-1, 1)]
    return [
        Shape(Part.HEAD, ellipse((place, middle[1] - 0.1 * wide), 0.13 * wide, 0.16 * wide), dark) for place in places
    ]


def _cap(colour: Colour, centre: Point, across: float, down: float, sine: float) -> list[Shape]:
    x, y = centre
    crown = [(px, min(py, y - 0.25 * down)) for px, py in ellipse((x, y - 0.05 * down), across * 1.14, down * 1.08)]
    brim = (x + 0.75 * across * sine, y - 0.25 * down)
    return [
        Shape(Part.HAIR, crown, colour),
        Shape(Part.HAIR, ellipse(brim, across * (0.95 + 0.3 * abs(sine)), down * 0.13), shaded(colour, 0.75)),
    ]


def _bag(person: Person, skeleton: Skeleton) -> list[Layer]:
    if person.bag.kind == "backpack":
        return _backpack(person, skeleton)
    if person.bag.kind == "handbag":
        return [_handbag(person, skeleton)]
    return []


def _backpack(person: Person, skeleton: Skeleton) -> list[Layer]:
    pixels, colour, girth = skeleton.pixels, person.bag.colour, person.build.girth
    sine, cosine = math.sin(skeleton.yaw), math.cos(skeleton.yaw)
    middle = skeleton.neck.x - 0.115 * girth * sine * pixels
    half = math.hypot(0.088 * cosine, 0.05 * sine) * pixels
    top, bottom = skeleton.neck.y + 0.025 * pixels, skeleton.waist.y + 0.035 * pixels
    sack = Ribbon(((middle, top), (middle, top + 0.04 * pixels), (middle, bottom)), (half * 0.7, half, half * 1.05))
    pocket = Shape(Part.BAG, sack.patch(0.62, 0.93, -0.7, 0.7), shaded(colour, 0.78))
    layers: list[Layer] = [(-0.12 * cosine - 0.005, [*_lit(Part.BAG, sack, colour), pocket])]
    if cosine > _FACE_SEEN:
        torso = _torso(person, skeleton)
        edges = (-0.62, -0.42), (0.42, 0.62)
        straps = [
            torso.patch(0.12, 0.68, left + 0.5 * sine, min(right + 0.5 * sine, 1.0))
            for left, right in edges
            if left + 0.5 * sine < 0.9
        ]
        layers.append((0.001, [Shape(Part.BAG, strap, shaded(colour, 0.9)) for strap in straps]))
    return layers


def _handbag(person: Person, skeleton: Skeleton) -> Layer:
    pixels, colour = skeleton.pixels, person.bag.colour
    arm = skeleton.arms[0 if person.bag.left else 1]
    x, y = arm.root.x * 0.5 + arm.end.x * 0.5, skeleton.hip.y
    half = (0.05 + 0.025 * abs(math.sin(skeleton.yaw))) * pixels
    sack = Ribbon(((x, y - 0.02 * pixels), (x, y + 0.11 * pixels)), (half * 0.85, half))
    strap = Ribbon((arm.root.point, (x, y)), (0.009 * pixels, 0.009 * pixels))
    shapes = [Shape(Part.BAG, strap.patch(), shaded(colour, 0.8)), *_lit(Part.BAG, sack, colour)]
    shapes.append(Shape(Part.BAG, sack.patch(0.0, 0.3), shaded(colour, 0.7)))
    return arm.depth + 0.02, shapes


def _lit(part: Part, ribbon: Ribbon, colour: Colour, end: float = 1.0) -> list[Shape]:
    """Return a ribbon with its right edge in the shade."""
    return [
        Shape(part, ribbon.patch(0.0, end), colour),
        Shape(part, ribbon.patch(0.0, end, _SHADE_FROM, 1.0), shaded(colour, _SHADE)),
    ]


def _ball(centre: Point, radius: float) -> Polygon:
    return ellipse(centre, radius, radius)


def _distance_shade(limb: Limb) -> float:
    """Return the darker tone of a limb on the far side, which sets it off from the near one."""
    return 0.8 if limb.depth < -0.03 else 1.0

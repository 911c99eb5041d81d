"""How somebody is seen: pose, box, surroundings, occlusion and light of one image, drawn as far as nuisances allow.

Box, pose, surroundings, things in front and light each have random numbers of their own, and a strength only scales
what they give. So a nuisance that is switched off leaves everything else of an image as it was.
"""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from reid_search.data.synthetic.body import Placement, Pose
from reid_search.data.synthetic.config import Nuisances
from reid_search.data.synthetic.people import Colour, Person, sample_person
from reid_search.data.synthetic.streams import pick

HEIGHT, WIDTH = 128, 64

Framing = Literal["good", "cut", "empty"]
ThingKind = Literal["post", "crate", "sign", "bush"]
OccluderKind = Literal["pole", "fence", "crate", "passer_by"]

_USUAL_SIZE = 116.0
_USUAL_GROUND = 122.0
_MOST_THINGS = 7


@dataclass(frozen=True)
class _Nearness:
    """Ranges of somebody else's size and of the distance to the side, as a share of the image's width."""

    scale: tuple[float, float]
    aside: tuple[float, float]


_BYSTANDERS = _Nearness(scale=(0.55, 0.85), aside=(0.35, 0.62))
_PASSERS = _Nearness(scale=(0.95, 1.15), aside=(0.3, 0.55))


@dataclass(frozen=True)
class Figure:
    """A person in a place.

    Attributes:
        person: Who.
        pose: How.
        placement: Where, in pixels of the image.
    """

    person: Person
    pose: Pose
    placement: Placement


@dataclass(frozen=True)
class Thing:
    """Something that stands in the surroundings or in front; lengths in pixels.

    Attributes:
        kind: What it is.
        x: Its middle.
        bottom: Where it ends.
        width: Its width.
        height: Its height.
        colour: Its colour.
    """

    kind: ThingKind | OccluderKind
    x: float
    bottom: float
    width: float
    height: float
    colour: Colour


@dataclass(frozen=True)
class Light:
    """Light of one image; brightness is multiplied.

    Attributes:
        exposure: Factor of all colours.
        tint: Factors of red, green and blue.
        slope: Change of brightness from left to right and from top to bottom, as shares.
        shadow_from: Where the shade begins, as a share of the width (positive: to its right, negative: to its left).
        shadow: Share of the light that the shade takes away.
    """

    exposure: float
    tint: tuple[float, float, float]
    slope: tuple[float, float]
    shadow_from: float
    shadow: float


@dataclass(frozen=True)
class Shot:
    """Everything about one image but for who is in it.

    Attributes:
        camera: Its number, from 1.
        figure: Who is to be seen, none on an empty image.
        pan: Place in the camera's surroundings, 0 to 1.
        behind: Things behind the person.
        bystanders: People behind the person.
        front: Things in front of the person.
        passers: People in front of the person.
        light: Light.
        blur: Standard deviation of the blur in pixels.
        noise: Standard deviation of the grain in levels of 255.
    """

    camera: int
    figure: Figure | None
    pan: float
    behind: tuple[Thing, ...]
    bystanders: tuple[Figure, ...]
    front: tuple[Thing, ...]
    passers: tuple[Figure, ...]
    light: Light
    blur: float
    noise: float


def sample_shot(
    generator: np.random.Generator, person: Person, camera: int, framing: Framing, nuisances: Nuisances
) -> Shot:
    """Draw how somebody is seen.

    Args:
        generator: Random numbers of this image.
        person: Who is seen; nobody is where `framing` is `empty`.
        camera: Number of the camera, from 1.
        framing: Whether the box fits, cuts the person, or holds nobody.
        nuisances: How much may vary.
    """
    of_person, of_surroundings, of_front, of_light = generator.spawn(4)
    placement = _sample_placement(of_person, nuisances, framing)
    figure = Figure(person, _sample_pose(of_person, nuisances), placement)
    pan = float(of_surroundings.random())
    behind, bystanders = _sample_surroundings(of_surroundings, nuisances)
    front, passers = _sample_front(of_front, nuisances, placement)
    return Shot(
        camera=camera,
        figure=None if framing == "empty" else figure,
        pan=pan,
        behind=behind,
        bystanders=bystanders,
        front=front,
        passers=passers,
        light=_sample_light(of_light, nuisances.light),
        blur=1.6 * nuisances.blur * float(of_light.random()) ** 2,
        noise=12.0 * nuisances.noise * float(of_light.uniform(0.3, 1.0)),
    )


def _sample_pose(generator: np.random.Generator, nuisances: Nuisances) -> Pose:
    turned, yaw = generator.random() < nuisances.view, generator.uniform(0.25, 2 * math.pi - 0.25)
    phase, stride, swing = (
        generator.uniform(0.0, 2 * math.pi),
        generator.uniform(0.1, 0.65),
        generator.uniform(0.1, 0.8),
    )
    spread = generator.uniform(-0.05, 0.12)
    return Pose(
        yaw=float(yaw) if turned else 0.0,
        phase=float(phase),
        stride=float(stride) * nuisances.pose,
        swing=float(swing) * nuisances.pose,
        spread=0.12 + float(spread) * nuisances.pose,
    )


def _sample_placement(generator: np.random.Generator, nuisances: Nuisances, framing: Framing) -> Placement:
    right, down = generator.uniform(-1.0, 1.0, size=2)
    scale = math.exp(generator.uniform(-0.29, 0.26) * nuisances.scale)
    cut_right, cut_down, cut_scale = generator.uniform(-1.0, 1.0, size=3)
    x = WIDTH / 2 + right * nuisances.shift * WIDTH / 6
    ground = _USUAL_GROUND + down * nuisances.shift * HEIGHT / 12
    if framing == "cut":
        x += math.copysign(0.3 + 0.25 * abs(cut_right), cut_right) * WIDTH
        ground += math.copysign(0.2 + 0.25 * abs(cut_down), cut_down) * HEIGHT
        scale *= math.exp(0.45 * cut_scale)
    middle = ground - _USUAL_SIZE / 2
    return Placement(x=float(x), ground=float(middle + scale * _USUAL_SIZE / 2), size=_USUAL_SIZE * scale)


def _sample_surroundings(
    generator: np.random.Generator, nuisances: Nuisances
) -> tuple[tuple[Thing, ...], tuple[Figure, ...]]:
    count = round(nuisances.clutter * generator.integers(1, _MOST_THINGS + 1))
    seen = generator.random() < 0.35 * nuisances.clutter
    bystanders = (_sample_passer(generator, nuisances, WIDTH / 2, _BYSTANDERS),) if seen else ()
    return tuple(_sample_thing(generator) for _ in range(count)), bystanders


def _sample_thing(generator: np.random.Generator) -> Thing:
    kind: ThingKind = pick(generator, ("post", "crate", "sign", "bush"), (0.25, 0.3, 0.25, 0.2))
    x, depth, wide, high = generator.random(4)
    colour = _any_colour(generator)
    bottom = HEIGHT * (0.62 + 0.36 * depth)
    if kind == "post":
        return Thing(kind, WIDTH * x, bottom, 2 + 4 * wide, HEIGHT * (0.6 + 0.4 * high), colour)
    if kind == "sign":
        return Thing(kind, WIDTH * x, HEIGHT * (0.1 + 0.5 * depth), 10 + 22 * wide, 8 + 24 * high, colour)
    return Thing(kind, WIDTH * x, bottom, 12 + 26 * wide, 12 + 40 * high, colour)


def _sample_front(
    generator: np.random.Generator, nuisances: Nuisances, placement: Placement
) -> tuple[tuple[Thing, ...], tuple[Figure, ...]]:
    if generator.random() >= nuisances.occlusion:
        return (), ()
    kind: OccluderKind = pick(generator, ("pole", "fence", "crate", "passer_by"), (0.22, 0.2, 0.28, 0.3))
    if kind == "passer_by":
        return (), (_sample_passer(generator, nuisances, placement.x, _PASSERS, placement.size / _USUAL_SIZE),)
    where, wide, high = generator.uniform(-1.0, 1.0), generator.random(), generator.random()
    colour = _any_colour(generator)
    if kind == "pole":
        return (Thing(kind, placement.x + 16 * where, HEIGHT, 5 + 8 * wide, HEIGHT, colour),), ()
    if kind == "fence":
        return (Thing(kind, WIDTH / 2, HEIGHT, WIDTH, 34 + 30 * high, colour),), ()
    return (Thing(kind, placement.x + 14 * where, HEIGHT, 26 + 30 * wide, 24 + 32 * high, colour),), ()


def _sample_passer(
    generator: np.random.Generator, nuisances: Nuisances, beside: float, nearness: _Nearness, scale: float = 1.0
) -> Figure:
    person = sample_person(generator)
    side = 1 if generator.random() < 0.5 else -1
    x = beside + side * generator.uniform(*nearness.aside) * WIDTH
    size = _USUAL_SIZE * scale * float(generator.uniform(*nearness.scale))
    ground = _USUAL_GROUND + 0.5 * (size - _USUAL_SIZE)
    return Figure(person, _sample_pose(generator, nuisances), Placement(float(x), ground, size))


def _sample_light(generator: np.random.Generator, strength: float) -> Light:
    exposure, *tint = generator.standard_normal(4)
    across, down, edge, depth = generator.uniform(-1.0, 1.0, size=4)
    shaded = generator.random() < 0.4
    red, green, blue = (math.exp(0.13 * strength * float(value)) for value in tint)
    return Light(
        exposure=math.exp(0.38 * strength * float(np.clip(exposure, -2.2, 2.2))),
        tint=(red, green, blue),
        slope=(0.45 * strength * float(across), 0.35 * strength * float(down)),
        shadow_from=math.copysign(0.2 + 0.6 * abs(float(edge)), float(edge)),
        shadow=0.6 * strength * abs(float(depth)) if shaded else 0.0,
    )


def _any_colour(generator: np.random.Generator) -> Colour:
    red, green, blue = generator.integers(25, 235, size=3).tolist()
    return red, green, blue

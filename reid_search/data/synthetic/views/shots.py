"""How somebody is seen: pose, box, surroundings, occlusion and light of one image, as strong as the nuisances say.

Box, pose, surroundings, things in front and light each have their own random numbers, and a strength only scales them.
So switching a nuisance off leaves everything else of an image as it was.
"""

import math
from dataclasses import dataclass, replace

import numpy as np

from reid_search.data.synthetic.config import Nuisances, People
from reid_search.data.synthetic.people.person import Colour, Person
from reid_search.data.synthetic.people.wardrobe import sample_person
from reid_search.data.synthetic.plan import PlannedImage
from reid_search.data.synthetic.puppet.body import Placement, Pose
from reid_search.data.synthetic.puppet.cloth import Folds, sample_folds
from reid_search.data.synthetic.streams import pick
from reid_search.data.synthetic.views.backdrops import Backdrop, sample_backdrop
from reid_search.data.synthetic.views.boxes import Box, sample_box, sample_truncation
from reid_search.data.synthetic.views.scenes import HEIGHT, WIDTH, Figure, Light, OccluderKind, Thing, ThingKind

_USUAL_SIZE = 116.0
_USUAL_GROUND = 122.0
_MOST_THINGS = 7
_BELOW = 1.6 * HEIGHT


@dataclass(frozen=True)
class _Nearness:
    """Ranges of somebody else's size and of the distance to the side, as a share of the image's width."""

    scale: tuple[float, float]
    aside: tuple[float, float]


_BYSTANDERS = _Nearness(scale=(0.55, 0.85), aside=(0.35, 0.62))
_PASSERS = _Nearness(scale=(0.95, 1.15), aside=(0.3, 0.55))


@dataclass(frozen=True)
class Shot:
    """Everything about one image.

    Attributes:
        camera: Its number, from 1.
        box: Which part of the scene the image shows.
        backdrop: The background.
        figure: The person, None on an empty image.
        behind: Things behind the person.
        bystanders: People behind the person.
        front: Things in front of the person.
        passers: People in front of the person.
        light: Light.
        folds: How the person's clothes lie.
        blur: Standard deviation of the blur in pixels.
        noise: Standard deviation of the grain in levels of 255.
    """

    camera: int
    box: Box
    backdrop: Backdrop
    figure: Figure | None
    behind: tuple[Thing, ...]
    bystanders: tuple[Figure, ...]
    front: tuple[Thing, ...]
    passers: tuple[Figure, ...]
    light: Light
    folds: Folds
    blur: float
    noise: float


def sample_shot(
    generator: np.random.Generator,
    seed: int,
    planned: PlannedImage,
    person: Person,
    people: People,
    nuisances: Nuisances,
) -> Shot:
    """Draw how a person is seen in a planned image; an `empty` framing shows nobody.

    `people` says what bystanders and passers-by look like.
    """
    of_person, of_surroundings, of_front, of_light, of_truncation, of_backdrop, of_folds = generator.spawn(7)
    box = sample_box(of_person, nuisances, planned.framing)
    pose = _sample_pose(of_person, nuisances)
    if not planned.any_view:
        pose = replace(pose, yaw=turned_away_from_the_side(pose.yaw))
    pan = float(of_surroundings.random())
    haunted_by = planned.subject if planned.folder == "bounding_box_train" else None
    behind, bystanders = _sample_surroundings(of_surroundings, people, nuisances)
    front, passers = _sample_front(of_front, people, nuisances)
    return Shot(
        camera=planned.camera,
        box=box.within(sample_truncation(of_truncation, nuisances.truncation)),
        backdrop=sample_backdrop(of_backdrop, seed, planned.camera, pan, haunted_by, nuisances),
        figure=None if planned.framing == "empty" else Figure(person, pose, _usual_place()),
        behind=behind,
        bystanders=bystanders,
        front=front,
        passers=passers,
        light=_sample_light(of_light, nuisances.light),
        folds=sample_folds(of_folds, nuisances.folds, pose),
        blur=1.6 * nuisances.blur * float(of_light.random()) ** 2,
        noise=12.0 * nuisances.noise * float(of_light.uniform(0.3, 1.0)),
    )


def _usual_place() -> Placement:
    return Placement(x=WIDTH / 2, ground=_USUAL_GROUND, size=_USUAL_SIZE)


def _sample_pose(generator: np.random.Generator, nuisances: Nuisances) -> Pose:
    turned, yaw = generator.random() < nuisances.view, generator.uniform(0.25, 2 * math.pi - 0.25)
    phase, stride = generator.uniform(0.0, 2 * math.pi), generator.uniform(0.1, 0.65)
    swing, spread = generator.uniform(0.1, 0.8), generator.uniform(-0.05, 0.12)
    return Pose(
        yaw=float(yaw) if turned else 0.0,
        phase=float(phase),
        stride=float(stride) * nuisances.pose,
        swing=float(swing) * nuisances.pose,
        spread=0.12 + float(spread) * nuisances.pose,
    )


def turned_away_from_the_side(yaw: float) -> float:
    """Return a yaw within 30 degrees of the front or the back, whichever is nearer."""
    nearest_pole = math.pi * round(yaw / math.pi)
    return (nearest_pole + (yaw - nearest_pole) / 3) % (2 * math.pi)


def _sample_surroundings(
    generator: np.random.Generator, people: People, nuisances: Nuisances
) -> tuple[tuple[Thing, ...], tuple[Figure, ...]]:
    count = round(nuisances.clutter * generator.integers(1, _MOST_THINGS + 1))
    seen = generator.random() < 0.35 * nuisances.clutter
    bystanders = (_sample_passer(generator, people, nuisances, _BYSTANDERS),) if seen else ()
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
    generator: np.random.Generator, people: People, nuisances: Nuisances
) -> tuple[tuple[Thing, ...], tuple[Figure, ...]]:
    if generator.random() >= nuisances.occlusion:
        return (), ()
    kind: OccluderKind = pick(generator, ("pole", "fence", "crate", "passer_by"), (0.22, 0.2, 0.28, 0.3))
    extent = 2.0 * nuisances.occlusion_area
    if kind == "passer_by":
        passer = _sample_passer(generator, people, nuisances, _PASSERS, extent)
        return (), (passer,) if extent else ()
    where, wide, high = generator.uniform(-1.0, 1.0), generator.random(), generator.random()
    colour = _any_colour(generator)
    if kind == "pole":
        return (Thing(kind, WIDTH / 2 + 16 * where, _BELOW, extent * (5 + 8 * wide), 2 * _BELOW, colour),), ()
    if kind == "fence":
        return (_standing(kind, WIDTH / 2, WIDTH, extent * (34 + 30 * high), colour),), ()
    x, width = WIDTH / 2 + 14 * where, extent * (26 + 30 * wide)
    return (_standing(kind, x, width, extent * (24 + 32 * high), colour),), ()


def _standing(kind: OccluderKind, x: float, width: float, height: float, colour: Colour) -> Thing:
    """Return a thing that covers the lowest `height` pixels, and goes on below them."""
    return Thing(kind, x, _BELOW, width, height + _BELOW - HEIGHT if height else 0.0, colour)


def _sample_passer(
    generator: np.random.Generator, people: People, nuisances: Nuisances, nearness: _Nearness, extent: float = 1.0
) -> Figure:
    person = sample_person(generator, people)
    side = 1 if generator.random() < 0.5 else -1
    aside = generator.uniform(*nearness.aside) / max(extent, 0.5)
    size = _USUAL_SIZE * float(generator.uniform(*nearness.scale))
    ground = _USUAL_GROUND + 0.5 * (size - _USUAL_SIZE)
    place = Placement(WIDTH / 2 + side * float(aside) * WIDTH, ground, size)
    return Figure(person, _sample_pose(generator, nuisances), place)


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

"""The latent factors of an image, as plain values for a JSON file."""

from dataclasses import fields, is_dataclass
from functools import cache

from reid_search.data.synthetic.people.person import Person
from reid_search.data.synthetic.plan import PlannedImage
from reid_search.data.synthetic.views.shots import Shot


def latents_of(seed: int, planned: PlannedImage, shot: Shot, person: Person) -> dict[str, object]:
    """Return the latent factors of an image.

    `identity` is the label, `subject` the true person; `yaw` is in radians; lengths are in pixels of the scene, from
    which the box cuts the image (`box`: left, top, and image pixels per scene pixel).
    """
    figure = shot.figure
    return {
        "seed": seed,
        "index": planned.index,
        "folder": planned.folder,
        "identity": planned.identity,
        "subject": planned.subject,
        "family": planned.twin.family if planned.twin else None,
        "twin": planned.twin.place if planned.twin else None,
        "camera": planned.camera,
        "sequence": planned.sequence,
        "frame": planned.frame,
        "framing": planned.framing,
        "any_view": planned.any_view,
        "yaw": figure.pose.yaw if figure else None,
        "pose": plain(figure.pose) if figure else None,
        "placement": plain(figure.placement) if figure else None,
        "person": plain(person) if figure else None,
        **{name: plain(getattr(shot, name)) for name in _names(Shot) if name not in ("camera", "figure")},
    }


def plain(value: object) -> object:
    """Return a value with every dataclass in it as a dictionary."""
    if is_dataclass(value) and not isinstance(value, type):
        return {name: plain(getattr(value, name)) for name in _names(type(value))}
    if isinstance(value, tuple):
        return [plain(item) for item in value]
    return value


@cache
def _names(kind: type) -> tuple[str, ...]:
    return tuple(field.name for field in fields(kind))

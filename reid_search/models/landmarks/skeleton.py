"""Which keypoints make which region of the body; no torch.

A region is the head, the upper or the lower body (as GLAD cuts them: Wei et al. 2017), one of 14 joints, or one of the
seven regions that Spindle Net makes of these (Zhao et al. 2017).
"""

from dataclasses import dataclass
from typing import Literal

from reid_search.study.trial.side_cars import KEYPOINTS

Kind = Literal["boxes", "heatmaps", "joints", "limbs"]


@dataclass(frozen=True)
class Region:
    """A region of the body.

    Attributes:
        name: What its taps are called.
        members: Keypoints that it spans, as places in `KEYPOINTS`.
        needed: Groups of keypoints; where all of one group are missing, the region is not found.
        stripe: Top and bottom of the stripe used where the region is not found, as shares of the image's height.
    """

    name: str
    members: tuple[int, ...]
    needed: tuple[tuple[int, ...], ...]
    stripe: tuple[float, float]


def _places(*names: str) -> tuple[int, ...]:
    """Return the places of keypoints; `hip` means the left and the right one."""
    sides = [(name,) if name in KEYPOINTS else (f"left_{name}", f"right_{name}") for name in names]
    return tuple(KEYPOINTS.index(name) for pair in sides for name in pair)


_HEAD, _UPPER, _LOWER = (0.0, 1 / 6), (1 / 6, 1 / 2), (1 / 2, 1.0)
_FACE = _places("nose", "eye", "ear")
_SHOULDERS, _HIPS, _ANKLES = _places("shoulder"), _places("hip"), _places("ankle")

BODY = (
    Region("head", _FACE, (_FACE,), _HEAD),
    Region("upper", _places("shoulder", "elbow", "wrist", "hip"), (_SHOULDERS, _HIPS), _UPPER),
    Region("lower", _places("hip", "knee", "ankle"), (_HIPS, _ANKLES), _LOWER),
)


def _joint(name: str, stripe: tuple[float, float]) -> Region:
    place = _places(name)
    return Region(name, place, (place,), stripe)


JOINTS = (
    Region("head", _FACE, (_FACE,), _HEAD),
    Region("neck", _SHOULDERS, (_SHOULDERS[:1], _SHOULDERS[1:]), _HEAD),
    *(_joint(f"{side}_{name}", _UPPER) for name in ("shoulder", "elbow", "wrist") for side in ("left", "right")),
    *(_joint(f"{side}_{name}", _LOWER) for name in ("hip", "knee", "ankle") for side in ("left", "right")),
)
"""Head (the middle of the face), neck (the middle between the shoulders) and twelve joints of arms and legs."""


def _limb(name: str, joints: tuple[str, str, str], stripe: tuple[float, float]) -> Region:
    first, middle, last = (_places(joint) for joint in joints)
    return Region(name, first + middle + last, (first, middle + last), stripe)


LIMBS = (
    Region("head", _FACE + _SHOULDERS, (_FACE, _SHOULDERS), _HEAD),
    *BODY[1:],
    *(
        _limb(f"{side}_{name}", (f"{side}_{joints[0]}", f"{side}_{joints[1]}", f"{side}_{joints[2]}"), stripe)
        for name, joints, stripe in (
            ("arm", ("shoulder", "elbow", "wrist"), _UPPER),
            ("leg", ("hip", "knee", "ankle"), _LOWER),
        )
        for side in ("right", "left")
    ),
)
"""Head with shoulders, upper and lower body, both arms and both legs: the boxes of Spindle Net's code."""


def regions_of(kind: Kind) -> tuple[Region, ...]:
    """Return the regions, head first."""
    return {"joints": JOINTS, "limbs": LIMBS}.get(kind, BODY)

"""The 17 keypoints of COCO: their places in an image, and which of them are visible."""

import math
from typing import cast

import numpy as np
import numpy.typing as npt
from PIL import Image

from reid_search.data.synthetic.puppet.body import Joint, Skeleton
from reid_search.data.synthetic.puppet.drawing import Owner
from reid_search.data.synthetic.puppet.heads import FACE_SEEN
from reid_search.data.synthetic.views.boxes import Box
from reid_search.data.synthetic.views.scenes import HEIGHT, WIDTH
from reid_search.study.trial.side_cars import KEYPOINTS, MIRRORED_KEYPOINTS

Keypoints = npt.NDArray[np.float64]

ABSENT, COVERED, VISIBLE = 0.0, 1.0, 2.0

_EAR_SEEN, _EYE_SEEN, _SHOULDER_SEEN, _HIP_SEEN = -0.02, 0.0, -0.06, -0.04
_PIXEL_OFF, _MISSED, _SWAPPED = 6.0, 0.3, 0.2


def keypoints_of(skeleton: Skeleton, box: Box, codes: Image.Image) -> Keypoints:
    """Return the keypoints of a person, `(17, 3)`, given the map of what is on top in the image, at any resolution.

    x and y are in pixels of the image, the centre of the first at 0; visibility is 0 outside (x and y are 0 too), 1
    covered, 2 visible.
    """
    right, down = codes.width / WIDTH, codes.height / HEIGHT
    found = []
    for joint, owners in _joints(skeleton):
        x, y = box.point(joint.x, joint.y)
        if 0.0 <= x < WIDTH and 0.0 <= y < HEIGHT:
            on_top = cast("int", codes.getpixel((int(x * right), int(y * down)))) >> 4
            found.append((x - 0.5, y - 0.5, VISIBLE if on_top in owners else COVERED))
        else:
            found.append((0.0, 0.0, ABSENT))
    return np.array(found)


def absent_keypoints() -> Keypoints:
    """Return keypoints that are all absent."""
    return np.zeros((len(KEYPOINTS), 3))


def disturbed_keypoints(keypoints: Keypoints, strength: float, generator: np.random.Generator) -> Keypoints:
    """Return true keypoints `(17, 3)` with a detector's errors: displaced, missed, sometimes left and right swapped.

    A strength of 0 leaves them as they are; 1 displaces by 6 pixels and misses 3 of 10.
    """
    moved = keypoints.copy()
    moved[:, :2] += strength * _PIXEL_OFF * generator.standard_normal((len(KEYPOINTS), 2))
    missed = generator.random(len(KEYPOINTS)) < _MISSED * strength
    if generator.random() < _SWAPPED * strength:
        moved = moved[list(MIRRORED_KEYPOINTS)]
    x, y, seen = moved.T
    missed |= (seen == ABSENT) | (x < 0) | (y < 0) | (x > WIDTH - 1) | (y > HEIGHT - 1)
    moved[missed] = 0.0
    return moved if strength else keypoints


def _joints(skeleton: Skeleton) -> list[tuple[Joint, tuple[Owner, ...]]]:
    """Return each keypoint with the owners that make it visible when they are on top at its place."""
    face, (left_arm, right_arm), (left_leg, right_leg) = skeleton.face, skeleton.arms, skeleton.legs
    head = (Owner.HEAD,) if math.cos(skeleton.yaw) > FACE_SEEN else ()
    eyes = [(eye, head if eye.depth > _EYE_SEEN else ()) for eye in face.eyes]
    ears = [(ear, (Owner.HEAD,) if ear.depth > _EAR_SEEN else ()) for ear in face.ears]
    arms = ((left_arm, Owner.LEFT_ARM), (right_arm, Owner.RIGHT_ARM))
    legs = ((left_leg, Owner.LEFT_LEG), (right_leg, Owner.RIGHT_LEG))

    def at_trunk(joint: Joint, owner: Owner, least: float) -> tuple[Joint, tuple[Owner, ...]]:
        return joint, (owner, Owner.TRUNK) if joint.depth > least else (owner,)

    return [
        (face.nose, head),
        *eyes,
        *ears,
        *(at_trunk(arm.root, owner, _SHOULDER_SEEN) for arm, owner in arms),
        *((arm.middle, (owner,)) for arm, owner in arms),
        *((arm.end, (owner,)) for arm, owner in arms),
        *(at_trunk(leg.root, owner, _HIP_SEEN) for leg, owner in legs),
        *((leg.middle, (owner,)) for leg, owner in legs),
        *((leg.end, (owner,)) for leg, owner in legs),
    ]

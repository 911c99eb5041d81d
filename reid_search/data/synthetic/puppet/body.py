"""The skeleton: where a person's joints fall in the image, for a build, a pose and a direction of view.

Lengths are in average body heights. The body's axes point to its left, forward and up; it turns about the upright axis
and is seen from far away, so that depth only decides what covers what.
"""

import math
from dataclasses import dataclass

from reid_search.data.synthetic.people.person import Build
from reid_search.data.synthetic.puppet.drawing import Point

HEAD, EYES, NECK, SHOULDER, WAIST, HIP, ANKLE = 0.925, 0.918, 0.85, 0.815, 0.6, 0.49, 0.045
UPPER_ARM, FOREARM, THIGH, SHIN = 0.165, 0.155, 0.225, 0.22
SHOULDER_REACH, HIP_REACH, CHEST_DEPTH = 0.118, 0.052, 0.07


@dataclass(frozen=True)
class Pose:
    """How somebody walks, and from which side they are seen; angles in radians.

    Attributes:
        yaw: Direction of walking: 0 towards the camera, π/2 to the right, π away.
        phase: Place in the stride; π later left and right have swapped roles.
        stride: Largest angle of a thigh.
        swing: Largest angle of an upper arm.
        spread: Angle between arm and trunk.
    """

    yaw: float
    phase: float
    stride: float
    swing: float
    spread: float


@dataclass(frozen=True)
class Placement:
    """Where somebody stands, in pixels: the middle, the ground from the top, and an average body height."""

    x: float
    ground: float
    size: float


@dataclass(frozen=True)
class Joint:
    """A joint in the image, in pixels from its top left; `depth` is towards the camera, in body heights."""

    x: float
    y: float
    depth: float

    @property
    def point(self) -> Point:
        """Its place in the image."""
        return self.x, self.y


@dataclass(frozen=True)
class Limb:
    """Three joints and the tip: shoulder, elbow, wrist, hand, or hip, knee, ankle, toes."""

    root: Joint
    middle: Joint
    end: Joint
    tip: Joint

    @property
    def depth(self) -> float:
        """Mean depth."""
        return (self.root.depth + self.middle.depth + self.end.depth) / 3


@dataclass(frozen=True)
class Face:
    """The joints of a face; eyes and ears left first."""

    nose: Joint
    eyes: tuple[Joint, Joint]
    ears: tuple[Joint, Joint]


@dataclass(frozen=True)
class Skeleton:
    """Joints in the image: the middles of head, waist and hips, the lower end of the neck; limbs left first.

    `yaw` is the direction of walking in radians, `pixels` the pixels of this person's average body height.
    """

    face: Face
    head: Joint
    neck: Joint
    waist: Joint
    hip: Joint
    arms: tuple[Limb, Limb]
    legs: tuple[Limb, Limb]
    yaw: float
    pixels: float


def skeleton_of(build: Build, pose: Pose, placement: Placement) -> Skeleton:
    """Return the joints of somebody at a place in a pose."""
    view = _View(pose.yaw, placement, build.height, _ground_lift(pose))
    return Skeleton(
        face=Face(
            nose=view.joint(0.0, 0.055, HEAD - 0.012),
            eyes=(view.joint(0.021, 0.043, EYES), view.joint(-0.021, 0.043, EYES)),
            ears=(view.joint(0.052, 0.0, EYES - 0.012), view.joint(-0.052, 0.0, EYES - 0.012)),
        ),
        head=view.joint(0.0, 0.012, HEAD),
        neck=view.joint(0.0, 0.0, NECK),
        waist=view.joint(0.0, 0.0, WAIST),
        hip=view.joint(0.0, 0.0, HIP),
        arms=(_arm(view, build, pose, 1), _arm(view, build, pose, -1)),
        legs=(_leg(view, build, pose, 1), _leg(view, build, pose, -1)),
        yaw=pose.yaw,
        pixels=placement.size * build.height,
    )


@dataclass(frozen=True)
class _View:
    yaw: float
    placement: Placement
    height: float
    lift: float

    def joint(self, left: float, forward: float, up: float) -> Joint:
        sine, cosine = math.sin(self.yaw), math.cos(self.yaw)
        pixels = self.placement.size * self.height
        x = self.placement.x + pixels * (left * cosine + forward * sine)
        return Joint(x, self.placement.ground - pixels * (up - self.lift), forward * cosine - left * sine)


def _arm(view: _View, build: Build, pose: Pose, side: int) -> Limb:
    angle = side * pose.swing * math.sin(pose.phase)
    bend = angle + 0.25 + 0.5 * abs(pose.swing)
    left, forward, up = side * SHOULDER_REACH * build.girth * build.shoulders, 0.0, SHOULDER - 0.015
    root = view.joint(left, forward, up)
    left, forward, up = _onwards((left, forward, up), UPPER_ARM, angle, side * pose.spread)
    middle = view.joint(left, forward, up)
    left, forward, up = _onwards((left, forward, up), FOREARM, bend, side * pose.spread * 0.3)
    end = view.joint(left, forward, up)
    return Limb(root, middle, end, view.joint(*_onwards((left, forward, up), 0.035, bend, 0.0)))


def _leg(view: _View, build: Build, pose: Pose, side: int) -> Limb:
    thigh, shin = _leg_angles(pose, side)
    left, forward, up = side * HIP_REACH * build.girth, 0.0, HIP
    root = view.joint(left, forward, up)
    left, forward, up = _onwards((left, forward, up), THIGH, thigh, 0.0)
    middle = view.joint(left, forward, up)
    left, forward, up = _onwards((left, forward, up), SHIN, shin, 0.0)
    end = view.joint(left, forward, up)
    return Limb(root, middle, end, view.joint(left + side * 0.012, forward + 0.075, up - 0.026))


def _leg_angles(pose: Pose, side: int) -> tuple[float, float]:
    thigh = -side * pose.stride * math.sin(pose.phase)
    bend = pose.stride * (0.2 + 0.9 * max(0.0, -side * math.cos(pose.phase)))
    return thigh, thigh - bend


def _ground_lift(pose: Pose) -> float:
    """Return how far the lower foot of a straight skeleton would float above the ground."""
    reach = max(
        THIGH * math.cos(thigh) + SHIN * math.cos(shin) for thigh, shin in (_leg_angles(pose, 1), _leg_angles(pose, -1))
    )
    return HIP - reach - ANKLE


def _onwards(
    place: tuple[float, float, float], length: float, swing: float, spread: float
) -> tuple[float, float, float]:
    left, forward, up = place
    return (
        left + length * math.sin(spread),
        forward + length * math.sin(swing) * math.cos(spread),
        up - length * math.cos(swing) * math.cos(spread),
    )

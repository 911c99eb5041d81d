"""The puppet: a person's body, clothes and bag as polygons around a skeleton, the farthest first."""

from dataclasses import replace

from reid_search.data.synthetic.people.person import Person
from reid_search.data.synthetic.puppet.bags import bag
from reid_search.data.synthetic.puppet.body import Skeleton
from reid_search.data.synthetic.puppet.clothes import arm, leg, trunk
from reid_search.data.synthetic.puppet.drawing import Layer, Owner
from reid_search.data.synthetic.puppet.heads import head

_LEGS_BEHIND = -0.02
_ARMS = (Owner.LEFT_ARM, Owner.RIGHT_ARM)
_LEGS = (Owner.LEFT_LEG, Owner.RIGHT_LEG)


def puppet(person: Person, skeleton: Skeleton, asymmetry: float = 0.0) -> list[Layer]:
    """Return the layers of a person in painting order; `asymmetry` is the share of people with a different back."""
    if person.back and person.back.chance >= asymmetry:
        person = replace(person, back=None)
    arms, legs = zip(_ARMS, skeleton.arms, strict=True), zip(_LEGS, skeleton.legs, strict=True)
    layers = [
        *(Layer(_LEGS_BEHIND + 0.5 * limb.depth, owner, leg(person, skeleton, limb)) for owner, limb in legs),
        Layer(0.0, Owner.TRUNK, trunk(person, skeleton)),
        *head(person, skeleton),
        *(Layer(limb.depth, owner, arm(person, skeleton, limb)) for owner, limb in arms),
        *bag(person, skeleton),
    ]
    return sorted(layers, key=lambda layer: layer.depth)

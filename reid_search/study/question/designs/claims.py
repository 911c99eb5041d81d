"""The arms that the study's claims need, each once, named after what differs from the centre."""

from reid_search.study.question.designs.arms import Arm, arms_of
from reid_search.study.question.designs.design import Asked, Design


def _arms(asked: Asked) -> list[Arm]:
    return arms_of(asked.space, asked.centre, asked.needed)


DESIGN = Design("claims", "claims", _arms, of_claims=True, has_levels=False)

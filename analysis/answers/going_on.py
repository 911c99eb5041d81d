"""Which arms get more seeds: those of the claims that are undecided, unless more seeds could hardly decide them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from reid_search.records import StudyStore, read_state
from reid_search.study import AblatePhase, Arm, Study
from reid_search.study.question.deciding import budget_of_claim
from reid_search.words import several

from ..reading.arms import arms_table
from ..statistics import verdict
from ..statistics.futility import FUTILE, chance_to_decide, expected_trainings
from ..statistics.looks import levels_of_plan
from .claim_answer import ClaimAnswer
from .claims import answer_claims

_SEED = 1501  # a constant, so that a study that is resumed goes on as it would have


@dataclass(frozen=True)
class GoingOn:
    """What an ablation does after a look.

    Attributes:
        arms: The arms that get more seeds.
        remark: What was found, in a sentence.
    """

    arms: tuple[str, ...]
    remark: str


def look_at_claims(store: StudyStore, phase: str) -> GoingOn:
    """Look at the claims that an ablation decides, now that every training that it asked for is over."""
    state = read_state(store, tolerant=True)
    answers = [answer for answer in answer_claims(state, arms_table(state)) if answer.claim.phase == phase]
    left = [answer for answer in answers if _is_undecided(answer)]
    further = to_go_on(answers)
    arms = tuple(dict.fromkeys(arm for answer in further for arm in answer.claim.arms))
    seeds = max((answer.past.seeds_now for answer in answers), default=0)
    decided = f"{len(answers) - len(left)} of {several(len(answers), 'claim')} decided"
    remark = f"{phase}, {several(seeds, 'seed')}: {decided}"
    if futile := len(left) - len(further):
        remark += f", {futile} beyond what more seeds could decide"
    return GoingOn(arms, f"{remark}, {len(further)} to go on" if further else remark)


def expected_count(study: Study, phase: AblatePhase, arms: Sequence[Arm]) -> int:
    """Return how many trainings an ablation expects that adds seeds until its claims are decided.

    Every second claim is taken to be true by `TRUE_EFFECT` standard deviations, and the others to be of no effect.
    """
    contrasts = [study.contrast(name, phase, arms) for name in study.claims_of(phase)]
    claims = [list(dict.fromkeys((*contrast.effect, *contrast.control))) for contrast in contrasts]
    count = len(study.config.claims)
    levels = levels_of_plan(phase.seeds.looks(count), budget_of_claim(count))
    names = list(dict.fromkeys(arm.name for arm in arms))
    return expected_trainings(claims, names, levels, np.random.default_rng(_SEED))


def to_go_on(answers: Iterable[ClaimAnswer]) -> list[ClaimAnswer]:
    """Return the claims that get more seeds."""
    return [answer for answer in answers if _is_undecided(answer) and chance_left(answer) >= FUTILE]


def chance_left(answer: ClaimAnswer) -> float:
    """Return the chance that the seeds which its study may still add decide a claim; 0 if it may add none."""
    past, effect = answer.past, answer.deciding
    last = past.plan[-1]
    if past.seeds_now >= last or effect.n < 2:
        return 0.0
    level = levels_of_plan(past.plan, past.budget)[last]
    values, generator = np.array(effect.values), np.random.default_rng(_SEED)
    return chance_to_decide(values, last, level, answer.claim.smallest_effect, generator)


def _is_undecided(answer: ClaimAnswer) -> bool:
    open_verdicts = (verdict.UNDECIDED, verdict.CONTROL_UNDECIDED)
    withheld = answer.verdict == verdict.NO_VERDICT and answer.effect.n > 1  # seeds failed or collapsed
    return answer.verdict in open_verdicts or withheld

"""Everything that the trials of a study can answer, computed once for the page, the tables and the figures."""

from dataclasses import dataclass, field

import pandas as pd

from reid_search.records import StudyState

from .ablations import AblationSummary, summarise_ablations
from .claim_answer import ClaimAnswer
from .claims import answer_claims
from .family import Family, family_of
from .importances import ImportanceSummary, summarise_importance
from .searches import SearchSummary, summarise_searches
from .train_test import TrainTest, summarise_tests


@dataclass(frozen=True)
class StudyAnswers:
    """The answers of a study.

    Attributes:
        claims: The answers to its claims.
        searches: Its searches, each with the importance of its axes if that is known.
        ablations: Its ablations, one per readout and protocol.
        matrices: What was trained on against what was tested on, where there are several tests.
        family: Everything that was ever claimed.
    """

    claims: tuple[ClaimAnswer, ...]
    searches: tuple[tuple[SearchSummary, ImportanceSummary | None], ...]
    ablations: tuple[AblationSummary, ...]
    matrices: tuple[TrainTest, ...] = ()
    family: Family = field(default_factory=Family)


def answer_study(state: StudyState, arms: pd.DataFrame, search: pd.DataFrame, smallest_effect: float) -> StudyAnswers:
    """Return everything that the tables of `load_arms` and `load_search` can answer.

    `smallest_effect` is the smallest difference of mAP that matters, in [0, 1]; each claim has its own.
    """
    searches, family = summarise_searches(state, search), family_of(state.store, state.history)
    return StudyAnswers(
        claims=tuple(answer_claims(state, arms, family)),
        searches=tuple((item, summarise_importance(state, item)) for item in searches),
        ablations=tuple(summarise_ablations(state, arms, smallest_effect)),
        matrices=tuple(summarise_tests(state, arms)),
        family=family,
    )

"""Metrics of person re-identification as pure functions of arrays, by the rule of Market-1501 or another."""

from reid_search.evaluation.chance import chance_deviation, chance_mean_ap
from reid_search.evaluation.features import evaluate_ranking
from reid_search.evaluation.labels import EvaluationError
from reid_search.evaluation.ranking import RankingResult, evaluate_distances

__all__ = [
    "EvaluationError",
    "RankingResult",
    "chance_deviation",
    "chance_mean_ap",
    "evaluate_distances",
    "evaluate_ranking",
]

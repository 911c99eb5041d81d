"""Describe the rule by which a data set is evaluated in plain words."""

from reid_search.study import MARKET_RULE, EvaluationRule, SingleShot
from reid_search.words import several

_CONDITIONS = {
    "same camera": "from its own camera",
    "other camera": "from another camera",
    "same clothes": "in its own clothes",
    "other clothes": "in other clothes",
    "same image": "that are the query's own image",
}
_TIES = "A match ranks after every non-match at the same distance."


def describe_rule(rule: EvaluationRule) -> str:
    """Return what is left out for a query, what is ranked, and which gallery is searched."""
    sentences = [_left_out(rule), _TIES]
    sentences += [f"Only images of the query's own {rule.within} are ranked."] if rule.within else []
    sentences += [_galleries(rule.single_shot)] if rule.single_shot else []
    return " ".join(sentences)


def describe_queries(rule: EvaluationRule) -> str:
    """Return what describes a query, and what becomes of one without a match."""
    described = (
        "multi-query: the feature of a query is the mean over all query images of its identity in its camera"
        if rule.multi_query
        else "single query"
    )
    return f"{described}; a query without a match is left out of every mean"


def _left_out(rule: EvaluationRule) -> str:
    always_wrong = "distractors (identity 0) are always wrong."
    if rule.left_out == ("same image",):
        removed = "no cameras: nothing but the query itself is removed"
        return f"{removed}; junk images (identity −1) take no rank, and {always_wrong}"
    conditions = " or ".join(_CONDITIONS.get(item, f"with the {item}") for item in rule.left_out)
    removed = f"for each query, gallery images of its identity {conditions} and junk images (identity −1) are left out"
    name = "Market-1501: " if rule.left_out == MARKET_RULE.left_out else ""
    return f"{name}{removed}; {always_wrong}"


def _galleries(single_shot: SingleShot) -> str:
    gallery = f"a gallery with one random image for each {single_shot.per} (seed {single_shot.seed})"
    draws = several(single_shot.draws, "draw")
    return f"Numbers marked (single shot) are means over {draws} of {gallery}; the others search the whole gallery."

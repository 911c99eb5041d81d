"""Compare the arms of an ablation with its baseline, paired over seeds."""

import math

import pandas as pd

from reid_search.errors import RequestError, nearest
from reid_search.records import Status
from reid_search.study.metrics import MAIN, metric_of

from ..reading.comparability import differences
from ..statistics.effect import Effect, mean_effect
from ..statistics.family import holm
from ..statistics.verdict import of_contrast

_COLUMNS = [
    "arm", "n", "mean", "baseline_mean", "delta", "low", "high", "p", "p_holm", "p_improve", "verdict", "sd",
    "baseline_sd", "sd_delta", "missing", "family", "detectable", "note",
]  # fmt: skip


def contrasts(
    arms: pd.DataFrame,
    baseline: str = "baseline",
    metric: str = f"test/{MAIN}",
    smallest_effect: float = 0.01,
    readout: str | None = None,
) -> pd.DataFrame:
    """Compare every other arm with the baseline over the seeds that both have finished.

    Verdicts, the first that holds: `equivalent` (the interval lies inside ± `smallest_effect`), `better` or `worse`
    (Holm-adjusted p < .05), `inconclusive`; `no verdict` with fewer than two pairs of seeds. A difference that is sure
    but too small to matter is `equivalent`. If less is better for a metric, a fall is `better`.

    Args:
        arms: One phase of `load_arms`: `arm`, `seed`, the metric, and optionally `status`, `phase`, `readout`,
            `evaluate`, `data_fingerprint`, `transductive`.
        baseline: The arm to compare with.
        metric: Column to compare.
        smallest_effect: Smallest difference of interest, in the metric's unit; named in advance.
        readout: Readout to compare; by default `default` if there is one, else the first.

    Returns:
        One row per arm other than the baseline, in the order of `arms`: `arm`, `n` (pairs of seeds), `mean`,
        `baseline_mean`, `delta` (over these pairs), `low`, `high` (95 % paired t interval, not adjusted), `p`
        (two-sided paired t test), `p_holm` (Holm 1979, over the arms that have a p), `p_improve` (share of pairs in
        which the arm is better, ties count half), `verdict`, `sd`, `baseline_sd`, `sd_delta` (sample standard
        deviations), `missing` (seeds without a pair), `family` (number of tests that Holm counts), `detectable` (the
        difference that this n and `sd_delta` find with probability .8 at p < .05 unadjusted), `note`. NaN if undefined.

    Raises:
        RequestError: The table has several phases, no such baseline, metric or readout, a seed twice, or numbers under
            different protocols: other data, another split, or re-ranked next to plain ones.
    """
    table = _one_table(arms, readout, metric)
    names = list(dict.fromkeys(table["arm"]))
    if baseline not in names:
        raise RequestError(f"baseline '{baseline}' is not an arm of the table; {nearest(baseline, names)}")
    if unlike := "; ".join(map(str, differences(table, baseline))):
        raise RequestError(f"{unlike}; numbers under different protocols are not compared")
    values = _values_by_seed(table, metric)
    others = [arm for arm in names if arm != baseline]
    effects = [mean_effect((values[arm] - values[baseline]).to_numpy()) for arm in others]
    adjusted = holm([effect.p for effect in effects])
    family = sum(not math.isnan(effect.p) for effect in effects)
    known = metric_of(metric)
    sign = known.sign if known else 1
    rows = [
        _row(str(arm), effect, values[[arm, baseline]], sign)
        | {"p_holm": p_holm, "family": family, "verdict": of_contrast(effect, p_holm, smallest_effect, sign)}
        for arm, effect, p_holm in zip(others, effects, adjusted, strict=True)
    ]
    return pd.DataFrame(rows, columns=_COLUMNS) if rows else no_contrasts()


def no_contrasts() -> pd.DataFrame:
    """Return the table of `contrasts` without rows."""
    texts = ("arm", "verdict", "note")
    return pd.DataFrame({name: pd.Series(dtype="str" if name in texts else "float64") for name in _COLUMNS})


def _row(arm: str, effect: Effect, values: pd.DataFrame, sign: int) -> dict[str, object]:
    paired = values.dropna()
    means, deviations = paired.mean(), paired.std(ddof=1)
    return {
        **{name: getattr(effect, name) for name in ("n", "delta", "low", "high", "p", "detectable", "note")},
        "arm": arm,
        "mean": means.iloc[0],
        "baseline_mean": means.iloc[1],
        "p_improve": effect.p_improve if sign > 0 else 1 - effect.p_improve,
        "sd": deviations.iloc[0],
        "baseline_sd": deviations.iloc[1],
        "sd_delta": effect.sd,
        "missing": len(values) - effect.n,
    }


def _one_table(arms: pd.DataFrame, readout: str | None, metric: str) -> pd.DataFrame:
    if metric not in arms.columns:
        raise RequestError(f"metric '{metric}' is not measured here; {nearest(metric, _measured(arms))}")
    phases = list(dict.fromkeys(arms["phase"])) if "phase" in arms.columns else []
    if len(phases) > 1:
        example = f'arms[arms["phase"] == "{phases[0]}"]'
        raise RequestError(f"the table holds the phases {', '.join(phases)}; compare within one: {example}")
    if "readout" not in arms.columns:
        return arms
    readouts = list(dict.fromkeys(arms["readout"]))
    if readout is not None and readout not in readouts:
        raise RequestError(f"readout '{readout}' is not in the table; {nearest(readout, readouts)}")
    chosen = readout or ("default" if "default" in readouts else next(iter(readouts), None))
    return arms[arms["readout"] == chosen]


def _measured(arms: pd.DataFrame) -> list[str]:
    return [column for column in arms.columns if metric_of(column) and arms[column].notna().any()]


def _values_by_seed(table: pd.DataFrame, metric: str) -> pd.DataFrame:
    twice = table[table.duplicated(["arm", "seed"])]
    if len(twice):
        raise RequestError(f"arm '{twice.iloc[0]['arm']}' has seed {twice.iloc[0]['seed']} twice; give each seed once")
    values = table[metric].astype("float64")
    if "status" in table.columns:
        values = values.where(table["status"] == Status.FINISHED)
    return table.assign(value=values).pivot(index="seed", columns="arm", values="value")

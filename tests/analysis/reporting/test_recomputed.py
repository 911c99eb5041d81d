"""Every number of a report, computed again from the files of the trials by other means."""

import csv
import itertools
import json
import math
import statistics

import numpy as np
import pandas as pd
import pytest
from scipy import optimize, stats
from statsmodels.stats.multitest import multipletests

import analysis

PLACES = {"rtol": 1e-9, "atol": 1e-9}
CLAIM = {"better": {"x": "1"}, "than": {}, "metric": "mAP", "readout": "default", "smallest_effect": 0.01}
CENTRE, PARTS, FLIP = "baseline", "model.parts=[1]", "readouts.default.flip=false"
EFFECT, CONTROL = {CENTRE: 1.0, PARTS: -1.0}, {CENTRE: 1.0, FLIP: -1.0}


@pytest.fixture
def reported(study):
    """Return a study with claims, twelve seeds, per-query tables and its report."""
    study.run()
    for name, parts in (("parts", {"effect": EFFECT, "control": {}}), ("more", {"effect": EFFECT, "control": CONTROL})):
        study.log("claim", claim=name, content=CLAIM)
        study.log("contrast", claim=name, phase="ablate", missing=[], **parts)
    study.ablation(seeds=12)
    _write_queries(study)
    analysis.write_report(study.path)
    return study.path


def _write_queries(study):
    generator = np.random.default_rng(0)
    for folder in sorted(study.path.glob("trials/*-s*")):
        record = json.loads((folder / "record.json").read_text())
        for readout, result in record["readouts"].items():
            if "test/mAP" not in result["metrics"]:
                continue
            noise = 0.1 * generator.standard_normal(60)
            precision = result["metrics"]["test/mAP"] + noise - noise.mean()
            path = folder / "readouts" / readout
            path.mkdir(parents=True)
            pd.DataFrame({
                "split": "test", "image": [f"{query}.jpg" for query in range(60)], "identity": np.arange(60) // 2,
                "camera": 1, "average_precision": precision, "average_precision_trapezoidal": precision,
                "inverse_negative_penalty": precision, "first_match_rank": 1,
            }).to_parquet(path / "per_query.parquet")  # fmt: skip


def table(path, name):
    with (path / "report" / "tables" / f"{name}.csv").open() as file:
        return list(csv.DictReader(file))


def lines_of(path):
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def records(path):
    """Yield what the arms of the last run measured: arm, seed, status, metrics, the folder of the readout."""
    asks = lines_of(path / "asked.jsonl")
    runs = [place for place, event in enumerate(asks) if event["event"] == "run"]
    for ask in asks[runs[-1] :]:
        if ask["event"] == "ask" and ask["kind"] == "ablate":
            folder = path / "trials" / f"{ask['key']}-s{ask['seed']}"
            record = json.loads((folder / "record.json").read_text())
            stored = ask["readouts"]["default"]
            readout = record["readouts"].get(stored)
            yield ask["arm"], ask["seed"], record, readout["metrics"] if readout else None, folder / "readouts" / stored


def by_arm(path, metric="test/mAP"):
    found = {}
    for arm, seed, record, metrics, _ in records(path):
        if record["status"] == "finished":
            found.setdefault(arm, {})[seed] = metrics[metric]
    return found


def paired(first, second):
    seeds = sorted(set(first) & set(second))
    return np.array([first[seed] for seed in seeds]), np.array([second[seed] for seed in seeds])


def test_the_contrasts(reported):
    values, rank1 = by_arm(reported), by_arm(reported, "test/rank1")
    rows = {row["arm"]: row for row in table(reported, "contrasts-ablate")}
    assert set(rows) == set(values) - {CENTRE}
    p_values = []
    for arm, row in rows.items():
        own, base = paired(values[arm], values[CENTRE])
        result = stats.ttest_rel(own, base)
        interval = result.confidence_interval(0.95)
        p_values.append(result.pvalue)
        expected = {
            "n": len(own), "mean": statistics.fmean(own), "baseline_mean": statistics.fmean(base),
            "delta": statistics.fmean(own - base), "low": interval.low, "high": interval.high, "p": result.pvalue,
            "p_improve": np.mean((own > base) + 0.5 * (own == base)), "sd": statistics.stdev(own),
            "baseline_sd": statistics.stdev(base), "sd_delta": statistics.stdev(own - base), "missing": 12 - len(own),
            "rank1_delta": np.mean(np.subtract(*paired(rank1[arm], rank1[CENTRE]))),
        }  # fmt: skip
        np.testing.assert_allclose([float(row[name]) for name in expected], list(expected.values()), **PLACES)
    adjusted = multipletests(p_values, method="holm")[1]
    np.testing.assert_allclose([float(row["p_holm"]) for row in rows.values()], adjusted, **PLACES)


def test_the_claims(reported):
    values = by_arm(reported)
    rows = {row["claim"]: row for row in table(reported, "claims")}
    effect = np.subtract(*paired(values[CENTRE], values[PARTS]))
    control = np.subtract(*paired(values[CENTRE], values[FLIP]))
    found = {"": effect, "control_": control, "excess_": effect - control}
    # Two claims, and a look with 3 seeds that could decide nothing: .95 of .9 of .05 / 2 with 12 seeds.
    cut = max(k for k in range(40) if 2 * at_most(k - 1, 12) <= 0.95 * 0.9 * 0.05 / 2)
    pairs = {part: itertools.combinations_with_replacement(values, 2) for part, values in found.items()}
    means = {part: sorted(round((one + two) / 2, 12) for one, two in pair) for part, pair in pairs.items()}
    p_values = {
        part: min(1, 2 * at_most(78 - max(sum(mean > 0 for mean in own), sum(mean < 0 for mean in own)), 12))
        for part, own in means.items()
    }
    for part, differences in found.items():
        averages = means[part]
        middle = statistics.median(averages)
        expected = (middle, averages[cut - 1], averages[-cut], p_values[part], differences.std(ddof=1))
        numbers = [float(rows["more"][f"{part}{name}"]) for name in ("delta", "low", "high", "p", "sd")]
        np.testing.assert_allclose(numbers, expected, **PLACES)
    deciding = [p_values[""], max(p_values[""], p_values["excess_"])]
    np.testing.assert_allclose([float(row["deciding_p"]) for row in rows.values()], deciding, **PLACES)
    adjusted = [2 * p / 0.95 / 0.9 for p in deciding]
    np.testing.assert_allclose([float(row["p_adjusted"]) for row in rows.values()], adjusted, **PLACES)


def at_most(total, n):
    """Return the chance that the positive ranks of n values add up to at most `total`, by counting all signs."""
    ranks = range(1, n + 1)
    sums = [sum(itertools.compress(ranks, signs)) for signs in itertools.product((0, 1), repeat=n)]
    return sum(found <= total for found in sums) / len(sums)


def test_differences_over_seeds_and_people(reported):
    """The mean of the per-query tables is the mean of the records; the interval has the variances of both means."""
    queries = {}
    for arm, seed, record, _, folder in records(reported):
        if record["status"] == "finished":
            queries.setdefault(arm, {})[seed] = pd.read_parquet(folder / "per_query.parquet")
    for row in table(reported, "contrasts-ablate"):
        own, base = queries[row["arm"]], queries[CENTRE]
        seeds = sorted(set(own) & set(base))
        differences = [queries_of(own[seed]) - queries_of(base[seed]) for seed in seeds]
        by_identity = np.array(differences).reshape(len(seeds), 30, 2).mean(axis=2)
        np.testing.assert_allclose(by_identity.mean(), float(row["delta"]), **PLACES)
        of_seeds = by_identity.mean(axis=1).var(ddof=1) / len(seeds)
        of_people = by_identity.mean(axis=0).var(ddof=1) / 30
        freedom = (of_seeds + of_people) ** 2 / (of_seeds**2 / (len(seeds) - 1) + of_people**2 / 29)
        expected = stats.t.interval(0.95, freedom, by_identity.mean(), math.sqrt(of_seeds + of_people))
        np.testing.assert_allclose([float(row["people_low"]), float(row["people_high"])], expected, **PLACES)


def queries_of(table):
    return table["average_precision"].to_numpy()


def test_what_the_design_could_have_detected(reported):
    for row in table(reported, "contrasts-ablate"):
        n, sd = int(row["n"]), float(row["sd_delta"])
        critical = stats.t.ppf(0.975, n - 1)

        def missed(effect, n=n, critical=critical):
            return 0.8 - stats.nct.sf(critical, n - 1, effect * math.sqrt(n))

        expected = sd * optimize.brentq(missed, 1e-6, 50, xtol=1e-13)
        np.testing.assert_allclose(float(row["detectable"]), expected, rtol=1e-6)


def test_every_number_has_its_protocol(reported):
    measured = [row for row in table(reported, "arms") if row["status"] == "finished"]
    assert all(len(row["protocol"]) == 8 for row in measured)
    (protocol,) = {row["protocol"] for row in measured}
    assert {row["protocol"] for row in table(reported, "contrasts-ablate")} == {protocol}
    assert {row["protocols"] for row in table(reported, "claims")} == {protocol}
    assert f"Protocol <code>{protocol}</code>" in (reported / "report" / "index.html").read_text()


def test_each_arm_names_the_trials_that_it_comes_from(reported):
    page = (reported / "report" / "index.html").read_text()
    for arm, seed, *_ in records(reported):
        key = next(row["key"] for row in table(reported, "arms") if row["arm"] == arm)
        assert f"{key}-s1, s2, s3, s4, s5" in page
        config = f"{reported.parent.name}/{reported.name}/trials/{key}-s1/config.json"
        assert f"reid-search train {config}" in page
        assert (reported.parent.parent / config).exists()
        assert f"run in <code>{reported.parent.parent}</code>" in page
        assert (reported / "trials" / f"{key}-s{seed}" / "config.json").exists()


def test_arms_trials_and_proposals(reported):
    arms = {(row["arm"], int(row["seed"])): row for row in table(reported, "arms")}
    for arm, seed, record, metrics, _ in records(reported):
        row = arms[arm, seed]
        assert row["status"] == record["status"]
        for name, value in (metrics or {}).items():
            if name in row:
                np.testing.assert_allclose(float(row[name]), value, **PLACES)
        assert int(row["images_seen"]) == record["images_seen"]
    for row in table(reported, "search"):
        folder = reported / "trials" / f"{row['key']}-s10000"
        epochs, record = lines_of(folder / "epochs.jsonl"), json.loads((folder / "record.json").read_text())
        assert int(row["epochs"]) == len(epochs)
        if record["status"] == "finished":
            value = record["readouts"]["default"]["metrics"]["val/mAP"]
            np.testing.assert_allclose(float(row["value"]), value, **PLACES)
        elif epochs:
            np.testing.assert_allclose(float(row["last_value"]), epochs[-1]["val/mAP"], **PLACES)
    trials = table(reported, "trials")
    assert len(trials) == len(list((reported / "trials").iterdir()))
    for row in trials:
        spent = lines_of(reported / "trials" / f"{row['key']}-s{row['seed']}" / "times.jsonl")
        np.testing.assert_allclose(float(row["seconds"]), sum(line["seconds"] for line in spent), **PLACES)


def test_search_trials_are_no_replicates(reported):
    keys = {row["key"] for row in table(reported, "search")}
    assert keys
    assert not keys & {row["key"] for row in table(reported, "arms")}
    assert {int(row["seed"]) for row in table(reported, "arms")} == set(range(1, 13))

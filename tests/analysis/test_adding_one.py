"""A metric and a figure of somebody else's: an entry, a function, and everything else finds them."""

import math
import re

import numpy as np
import pandas as pd
import pytest

import analysis
from analysis.answers.claims import answer_claims
from analysis.answers.paired_contrasts import contrasts
from analysis.reading.arms import arms_table
from analysis.reading.queries import per_query
from analysis.reporting import draw
from analysis.reporting.draw.style import blank, finished, style
from reid_search.errors import RecordError, ReidSearchError, RequestError
from reid_search.evaluation import evaluate_distances
from reid_search.evaluation.metrics import PER_QUERY
from reid_search.evaluation.metrics import per_query as register
from reid_search.records import StudyStore, read_state
from reid_search.study.metrics import METRICS, Metric

ARMS = {"baseline": "a" * 16, "wide": "b" * 16}
WORST = {
    "baseline": (0.30, 0.32, 0.31, 0.33, 0.31, 0.32),
    "wide": (0.20, 0.23, 0.21, 0.22, 0.22, 0.21),
}
CLAIM = {"better": {"x": "1"}, "than": {}, "readout": "default", "smallest_effect": 0.01}


def write(study, result_of, extra):
    """Write two arms whose records hold further metrics, by seed."""
    study.begin()
    for arm, key in ARMS.items():
        seeds = min(map(len, by_arm_all(extra)), default=4)
        study.ask_arms([arm], seeds, key=key, readouts={"default": "default"})
        for seed in range(1, seeds + 1):
            result = result_of("test", 0.6, 0.8)
            metrics = result.metrics | {f"test/{name}": by_arm[arm][seed - 1] for name, by_arm in extra.items()}
            study.trial(key, seed, readouts={"default": result.model_copy(update={"metrics": metrics})})


def by_arm_all(extra):
    return [values for by_arm in extra.values() for values in by_arm.values()]


def claim(study, metric, better="wide", than="baseline"):
    content, effect = CLAIM | {"metric": metric}, {better: 1.0, than: -1.0}
    study.log("claim", claim=metric, content=content)
    study.log("contrast", claim=metric, phase="ablate", effect=effect, control={}, missing=[])


def answer(study):
    state = read_state(StudyStore.at(study.path))
    return answer_claims(state, arms_table(state))[0]


@pytest.fixture
def worst_rank(monkeypatch):
    """Add the mean rank of the last match, which is better where it is less and no share of anything."""

    def last_match_rank(ranks):
        return float(ranks[-1])

    monkeypatch.setitem(PER_QUERY, "last_match_rank", last_match_rank)
    added = Metric(
        name="last", title="Last match", column="last_match_rank", direction="minimise", range=(1.0, math.inf),
        unit="count", digits=2,
    )  # fmt: skip
    monkeypatch.setitem(METRICS, "last", added)
    return added


@pytest.fixture
def missed(monkeypatch):
    """Add a share that is better where it is less: of queries that find nothing, say."""
    added = Metric(name="missed", title="Missed", column="first_match_rank", direction="minimise", in_claims=True)
    monkeypatch.setitem(METRICS, "missed", added)
    return added


def test_a_ranking_has_it(worst_rank):
    labels = {"query_ids": [1], "query_cameras": [0], "gallery_ids": [1, 2, 1], "gallery_cameras": [1, 1, 1]}
    assert evaluate_distances([[0.1, 0.2, 0.3]], **labels).mean(worst_rank) == 3


def test_a_function_is_registered_under_its_name(monkeypatch):
    monkeypatch.setattr("reid_search.evaluation.metrics.PER_QUERY", found := {})

    @register
    def anything(ranks):
        return float(ranks[0])

    assert found == {"anything": anything}


def test_every_table_and_both_pages_show_it_in_its_unit(empty, result_of, worst_rank):
    write(empty, result_of, {"last": {"baseline": (3.0, 4.0, 5.0, 6.0), "wide": (2.0, 2.0, 2.0, 2.0)}})
    page = analysis.write_report(empty.path)
    text, markdown = page.read_text(), (page.parent / "report.md").read_text()
    assert '<th class="number">Last match</th>' in text
    assert '<td class="number">4.50<small> ± 1.29</small></td>' in text
    assert "| Last match |" in markdown
    assert "| 4.50 ± 1.29 |" in markdown
    for table, rows in (("arms", 8), ("trials", 8)):
        assert pd.read_csv(page.parent / f"tables/{table}.csv")["test/last"].count() == rows
    assert list(analysis.load_arms(empty.path)["test/last"]) == [3, 4, 5, 6, 2, 2, 2, 2]


def test_less_is_better_where_the_metric_says_so(empty, result_of, missed):
    write(empty, result_of, {"missed": WORST})
    row = contrasts(analysis.load_arms(empty.path), metric="test/missed").iloc[0]
    assert (row["verdict"], row["p_improve"]) == ("better", 1.0)
    assert row["delta"] == pytest.approx(np.mean(WORST["wide"]) - np.mean(WORST["baseline"]))
    claim(empty, "missed")
    assert answer(empty).effect.delta == pytest.approx(-row["delta"])
    assert answer(empty).verdict == "supported"


def test_a_claim_the_other_way_round_is_contradicted(empty, result_of, missed):
    write(empty, result_of, {"missed": WORST})
    claim(empty, "missed", better="baseline", than="wide")
    assert answer(empty).verdict == "contradicted"


def test_records_of_an_earlier_release_have_not_measured_it(empty, result_of, write_queries):
    write(empty, result_of, {})
    claim(empty, "mAP@R")
    found = answer(empty)
    assert (found.verdict, found.because) == (
        "not measured", "its trainings are of an earlier release, which did not measure test/mAP@R",
    )  # fmt: skip
    markdown = (analysis.write_report(empty.path).parent / "report.md").read_text()
    (head, _, first) = re.findall(r"^\|.*Features.*\n(?:\|.*\n)+", markdown, re.MULTILINE)[0].splitlines()[:3]
    assert first.split("|")[head.split("|").index(" mAP@R ")] == " – "
    write_queries(empty, ARMS["baseline"], 1, [0.5], [1])
    rows = analysis.load_arms(empty.path)
    with pytest.raises(RecordError, match="no column 'average_precision_at_r'; an earlier release did not"):
        per_query(read_state(empty.store), rows, "mAP@R")


def test_a_name_that_is_no_metric_is_told_the_nearest(empty, result_of):
    write(empty, result_of, {"mAP@R": WORST})
    with pytest.raises(RequestError, match=r"unknown metric 'mAP@r'; did you mean 'mAP@R'\?"):
        per_query(read_state(empty.store), analysis.load_arms(empty.path), "mAP@r")
    with pytest.raises(RequestError, match=r"metric 'test/queries_without_match' is not measured there.*test/mAP@R"):
        analysis.compare_studies([empty.path, empty.path], metric="test/queries_without_match")


def draw_nothing_much(ablation):
    """A figure of somebody else's."""
    with style():
        figure, axes = blank(2.0)
        axes.plot([0, 1], [0, len(ablation.arms)])
        return finished(figure, "mine-ablate", "Mine", "A line of mine.")


def test_a_figure_is_a_function_in_a_list(empty, result_of, monkeypatch):
    write(empty, result_of, {})
    monkeypatch.setattr(draw, "ABLATION", [draw_nothing_much])
    page = analysis.write_report(empty.path)
    assert 'aria-label="Mine"' in page.read_text()
    assert "A line of mine. <span" in page.read_text()
    assert "![Mine](figures/mine-ablate.svg)\n\nA line of mine." in (page.parent / "report.md").read_text()
    assert sorted(path.name for path in page.parent.glob("figures/*")) == ["mine-ablate.pdf", "mine-ablate.svg"]


@pytest.mark.parametrize(
    ("template", "line", "message"),
    [
        ("ablation.html.j2", "{{ figures(section.figures) }}", "appears 0 times in index.html"),
        ("ablation.md.j2", '{% include "figures.md.j2" %}', "appears 0 times in report.md"),
    ],
)
def test_a_template_that_forgets_figures_is_an_error(empty, result_of, monkeypatch, template, line, message):
    from analysis.reporting import render

    read = render._template

    def forgetful(name):
        text = read(name)
        assert name != template or line in text
        return text.replace(line, "") if name == template else text

    write(empty, result_of, {})
    monkeypatch.setattr(draw, "ABLATION", [draw.draw_forest, draw_nothing_much])  # the first stands at the top
    monkeypatch.setattr(render, "_template", forgetful)
    with pytest.raises(ReidSearchError, match=f"figure 'mine-ablate': {message}; expected once"):
        analysis.write_report(empty.path)


def test_two_figures_of_one_name_are_an_error(empty, result_of, monkeypatch):
    write(empty, result_of, {})
    monkeypatch.setattr(draw, "ABLATION", [draw_nothing_much, draw_nothing_much])
    with pytest.raises(ReidSearchError, match="appears 2 times"):
        analysis.write_report(empty.path)

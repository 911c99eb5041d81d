import math
import re
import xml.etree.ElementTree as ElementTree
from itertools import combinations, pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.collections import LineCollection
from matplotlib.text import Annotation

from analysis.answers.ablations import summarise_ablations
from analysis.reading.arms import arms_table
from analysis.reporting.draw import (
    draw_ablation_effects,
    draw_cmc,
    draw_cost,
    draw_design,
    draw_forest,
    draw_history,
    draw_isolation,
    draw_parallel,
    draw_spending,
)
from analysis.reporting.draw.cost import pareto_front
from analysis.reporting.draw.effects import half_interval, levels_of, offsets
from analysis.reporting.draw.levels import ordered, scale_of
from analysis.reporting.draw.thinning import thinned
from reid_search.records import read_state

NAN = math.nan
LONG = "training.augmentation.random_erasing_of_a_part.probability"


@pytest.fixture
def search(search_of):
    axes = {
        "model.architecture": ["mgn", "pcb", "mgn", "hpm"],
        "model.parts": ["[1, 2]", None, "[1]", "[1]"],
        "training.learning_rate": ["0.0001", "0.1", "0.001", "0.01"],
        LONG: ["0.1", "0.2", "0.9", "0.4"],
    }
    return search_of(axes, [0.3, 0.5, NAN, 0.4])


@pytest.fixture
def ablation(ablation_of):
    path, margin = "model.parts", "losses.triplet.margin"
    arms = [
        {"arm": "baseline", "mAP": 0.6, "macs": 2e9},
        {"arm": f"{path}=[1]", "axis": path, "level": "[1]", "mAP": 0.5, "delta": -0.1, "macs": 1e9, "n": 2},
        {"arm": f"{path}=[1, 2]", "axis": path, "level": "[1, 2]", "mAP": 0.55, "delta": -0.05, "macs": 3e9},
        {"arm": f"{margin}=0.3", "axis": margin, "level": "0.3", "mAP": NAN, "n": 0},
        {"arm": f"{margin}=soft", "axis": margin, "level": "soft", "mAP": 0.64, "delta": 0.04, "macs": 4e9},
        {"arm": f"{margin}=2", "axis": margin, "level": "2", "mAP": 0.7, "macs": 5e9, "transductive": True},
    ]
    curves = {"baseline": np.linspace(0.5, 0.9, 20)[None].repeat(2, axis=0)}
    return ablation_of(arms, {path: "[1, 2, 3]", margin: "1.2"}, curves=curves)


def lines(drawing):
    """Return where the lines of the unfinished, of the finished and of the best proposals pass, NaN in a gap."""
    collections = [item for item in drawing.figure.axes[0].collections if isinstance(item, LineCollection)]
    return [[path.vertices for path in item.get_paths()] for item in collections]


def points(axes, marker):
    """Return the places of all markers of a kind, `(n, 2)`."""
    found = [np.column_stack(line.get_data()) for line in axes.lines if line.get_marker() == marker]
    return np.concatenate([item.astype(float) for item in found]) if found else np.empty((0, 2))


def words(svg):
    return [text.text for text in ElementTree.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")]


def test_lines_of_proposals_pass_their_levels(search):
    grey, finished, best = lines(draw_parallel(search))
    assert len(grey) == len(best) == 1
    # Architectures at equal distances in the order in which they came, rates on a logarithmic scale, the last linear.
    assert finished[0] == pytest.approx(np.array([(0, 0.0), (1, 1.0), (2, 0.0), (3, 0.0)]))
    assert finished[1] == pytest.approx(np.array([(0, 1.0), (1, 0.0), (2, 2 / 3), (3, 0.3 / 0.8)]))
    assert finished[2] == pytest.approx(np.array([(0, 0.5), (1, NAN), (2, 1.0), (3, 0.1 / 0.8)]), nan_ok=True)
    assert grey[0] == pytest.approx(np.array([(0, 0.0), (1, 0.0), (2, 1 / 3), (3, 1.0)]))


def test_the_best_is_thick_and_the_unfinished_are_thin(search):
    drawing = draw_parallel(search)
    widths = [item.get_linewidth()[0] for item in drawing.figure.axes[0].collections]
    assert widths == sorted(widths)
    assert widths[-1] >= 3 * widths[-2]
    assert "A gap" in drawing.caption
    assert "Grey" in drawing.caption
    assert "Logarithmic: training.learning_rate." in drawing.caption


def test_a_point_between_two_gaps_is_a_dot(search_of):
    drawing = draw_parallel(search_of({"a": ["1", "2"], "b": [None, "x"], "c": ["3", "4"]}, [0.1, 0.2]))
    assert points(drawing.figure.axes[0], "o").tolist() == [[0.0, 0.0], [2.0, 0.0]]


@pytest.mark.parametrize(
    ("axes", "values"),
    [
        ({"a": ["1", "2"]}, [0.1, 0.2]),
        ({"a": ["1", "2"], "b": ["x", "y"]}, [0.1, NAN]),
        ({"a": ["1", "2"], "b": [None, None]}, [0.1, 0.2]),
        ({}, [0.1, 0.2]),
    ],
)
def test_no_parallel_coordinates_with_fewer_than_two_axes_or_finished_proposals(search_of, axes, values):
    assert draw_parallel(search_of(axes, values)) is None


def test_ties_and_a_single_level_can_be_drawn(search_of):
    search = search_of({"a": ["1", "1", "1"], "b": ["x", "x", "y"]}, [0.4, 0.4, 0.4])
    *_, best = lines(draw_parallel(search))
    assert [line.tolist() for line in best] == [[[0.0, 0.5], [1.0, 0.0]]], "the earliest of equals is the best"
    assert draw_isolation(search).pdf


@pytest.mark.parametrize(
    ("levels", "order", "places"),
    [
        (["10", "9", "1e1"], ["9", "10", "1e1"], [0, 0.5, 1]),  # equal numbers cannot stand to scale
        (["1", "3", "2.0"], ["1", "2.0", "3"], [0, 0.5, 1]),
        (["0.001", "1", "0.1"], ["0.001", "0.1", "1"], [0, 2 / 3, 1]),
        (["[1, 2, 3]", "[1]", "[1, 2]"], ["[1]", "[1, 2]", "[1, 2, 3]"], [0, 0.5, 1]),
        (["soft", "1.2", "0.3"], ["0.3", "1.2", "soft"], [0, 0.5, 1]),
        (["true", "false"], ["true", "false"], [0, 1]),
        (["NaN", "Infinity", "1"], ["1", "NaN", "Infinity"], [0, 0.5, 1]),
        (["-1", "0", "100"], ["-1", "0", "100"], [0, 1 / 101, 1]),
        (["only"], ["only"], [0.5]),
    ],
)
def test_scales(levels, order, places):
    scale = scale_of(levels)
    assert list(scale.levels) == ordered(levels) == order
    assert scale.place(order).tolist() == pytest.approx(places)
    assert np.isnan(scale.place([None, "unknown"])).all()


@given(st.lists(st.floats(1e-9, 1e9), min_size=1, max_size=40, unique=True), st.floats(0.01, 0.3))
def test_ticks_are_apart_and_on_the_axis(numbers, least):
    scale = scale_of(map(str, numbers))
    places = [place for place, _ in scale.ticks(least)]
    assert all(-1e-9 <= place <= 1 + 1e-9 for place in places)
    if len(numbers) <= 8:
        assert all(after - before >= least - 1e-9 for before, after in pairwise(places))
    else:
        assert len(places) <= 12


def bars(axes):
    """Return the lines without markers, as (left, right, height)."""
    found = [np.column_stack(line.get_data()) for line in axes.lines if line.get_marker() == "None"]
    return [(float(line[0, 0]), float(line[1, 0]), pytest.approx(float(line[0, 1]))) for line in found]


def test_every_trial_stands_at_its_level_with_the_best_of_the_level(search_of):
    axes = {"model.architecture": ["mgn", "pcb", "mgn", "hpm", "hpm"], "parts": ["1", None, "2", "1", "2"]}
    search = search_of(axes, [0.3, 0.5, 0.4, NAN, NAN], stopped={3: 0.2})
    drawing = draw_isolation(search)
    architectures, parts = drawing.figure.axes
    finished = points(architectures, "o")
    assert sorted(map(tuple, np.column_stack([finished[:, 0].round(), finished[:, 1]]))) == [
        (0, 30.0), (0, 40.0), (1, 50.0), (1, 50.0),
    ], "and the ring around the best"  # fmt: skip
    assert [(round(at), value) for at, value in points(architectures, "x")] == [(2, 20.0)]
    assert [height for *_, height in bars(architectures)] == [40.0, 50.0], "nothing of hpm finished"
    assert [label.get_text() for label in architectures.get_xticklabels()] == ["mgn", "pcb", "hpm"]
    assert [height for *_, height in bars(parts)] == [30.0, 40.0], "the best has no parts"
    assert "A cross is a trial that was stopped early" in drawing.caption
    assert "stopped" not in draw_isolation(search_of(axes, [0.3, 0.5, 0.4, 0.1, 0.2])).caption


def test_a_range_shows_the_best_of_each_sixth_over_all_that_was_searched(search_of):
    numbers, values = np.arange(1, 25), np.abs(np.arange(24) - 10) / 100
    search = search_of({"rate": [str(number) for number in numbers]}, values, described={"rate": {"uniform": [0, 50]}})
    [axes] = draw_isolation(search).figure.axes
    assert {tuple(point) for point in points(axes, "o")} == set(zip(numbers, 100 * values, strict=True))
    assert bars(axes) == [
        (low, low + 3, 100 * values[low - 1 : low + 3].max()) for low in range(1, 25, 4)
    ]  # fmt: skip
    low, high = axes.get_xlim()
    assert low < 0 < 50 < high


def test_a_logarithmic_range_is_drawn_on_its_own_scale(search_of):
    rates = np.geomspace(1e-4, 1e-2, 12)
    search = search_of({"lr": [f"{rate:.4g}" for rate in rates]}, np.arange(12) / 20,
                       described={"lr": {"log_uniform": [1e-4, 1e-2]}})  # fmt: skip
    assert draw_isolation(search).figure.axes[0].get_xscale() == "log"


@pytest.mark.parametrize(("axes", "values"), [({}, [0.1, 0.2]), ({"a": ["1"]}, [0.1]), ({"a": ["1", "2"]}, [NAN, NAN])])
def test_nothing_is_isolated_without_an_axis_or_trials(search_of, axes, values):
    assert draw_isolation(search_of(axes, values)) is None


def test_the_best_by_images_is_drawn_as_it_was_and_on_average(search_of):
    search = search_of({"a": ["1", "2", "3", "4"]}, [0.2, NAN, 0.1, 0.4], stopped={1: 0.1})
    drawing = draw_spending(search)
    [axes] = drawing.figure.axes
    mean, was = axes.lines
    assert mean.get_xdata() == pytest.approx([1625, 3250, 4875, 6500]), "2000 each, and 500 of the stopped one"
    assert mean.get_ydata()[[0, -1]] == pytest.approx([100 * (0.2 + 0.1 + 0.4) / 3, 40])
    assert was.get_xdata() == pytest.approx([2000, 2500, 4500, 6500])
    assert was.get_ydata() == pytest.approx([20, 20, 20, 40])
    assert "The best of 2 of the 4 trials is " in drawing.caption


def test_what_was_tuned_separately_has_a_line_each(search_of):
    arms = [f"arm {index % 10}" for index in range(40)]
    search = search_of({"a": [str(index) for index in range(40)]}, np.arange(40) / 50, tuned_by="arm")
    search.proposals["arm"] = arms
    drawing = draw_spending(search)
    [axes] = drawing.figure.axes
    assert len(axes.lines) == 10
    assert [text.get_text() for text in axes.texts] == [f"arm {index}" for index in range(9, 1, -1)]
    assert "Of 10, the best 8 are named." in drawing.caption
    assert draw_spending(search_of({"a": ["1", "2"]}, [0.1, NAN])) is None


@given(st.integers(1, 300))
def test_points_of_a_strip_stay_within_it_and_apart(count):
    found = offsets(count)
    assert np.abs(found).max() <= 0.3
    assert len(np.unique(found.round(9))) == count


def test_means_of_levels_with_their_intervals(ablation):
    assert [level for level, *_ in levels_of(ablation, "model.parts")] == ["[1]", "[1, 2]", "[1, 2, 3]"]
    assert [level for level, *_ in levels_of(ablation, "losses.triplet.margin")] == ["1.2", "2", "soft"]
    panels = draw_ablation_effects(ablation).figure.axes
    assert points(panels[0], "D").tolist() == [[2, 60.0]], "the centre"
    assert points(panels[0], "o") == pytest.approx(np.array([[0, 50.0], [1, 55.0]]))
    bars = [line.get_ydata() for line in panels[0].lines if line.get_marker() == "None" and line.get_linestyle() == "-"]
    # t(1) and t(2) at .975 from a table; the standard deviations are one point.
    halves = [12.7062 / math.sqrt(2), 4.30265 / math.sqrt(3), 4.30265 / math.sqrt(3)]
    assert [(high - low) / 2 for low, high in bars] == pytest.approx(halves, abs=1e-4)
    assert math.isnan(half_interval(NAN, 1))


def test_no_effects_of_arms_that_change_several_axes_or_are_not_compared(ablation_of):
    arms = [{"arm": "baseline", "mAP": 0.5}, {"arm": "a=1 × b=2", "axis": "a × b", "level": "1 × 2", "mAP": 0.6}]
    assert draw_ablation_effects(ablation_of(arms, {"a": "0", "b": "0"})) is None
    arms = [{"arm": "baseline", "mAP": 0.5}, {"arm": "a=1", "axis": "a", "level": "1", "mAP": 0.6, "macs": 1.0}]
    assert draw_ablation_effects(ablation_of(arms, {"a": "0"})) is not None
    refused = ablation_of(arms, {"a": "0"}, refusal="different data")
    assert draw_ablation_effects(refused) is None
    assert draw_cost(refused) is None


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=1, max_size=30))
def test_the_front_is_that_of_brute_force(pairs):
    costs, values = np.array(pairs, dtype=float).T
    expected = [
        not any(c <= cost and v >= value and (c < cost or v > value) for c, v in pairs) for cost, value in pairs
    ]
    assert pareto_front(costs, values).tolist() == expected


def test_the_front_of_arms_leaves_transductive_ones_out(ablation):
    drawing = draw_cost(ablation)
    axes = drawing.figure.axes[0]
    front = next(line for line in axes.lines if line.get_label() == "front")
    assert np.column_stack(front.get_data()).tolist() == [[1e9, 50.0], [2e9, 60.0], [4e9, 64.0]]
    assert points(axes, "^") == pytest.approx(np.array([[5e9, 70.0]]))
    assert points(axes, "D") == pytest.approx(np.array([[2e9, 60.0]]))
    assert axes.texts[0].get_text() == "1  model.parts=[1]\n2  losses.triplet.margin=soft"
    assert axes.get_xlabel() == "multiply-adds of one image"
    assert "Transductive arms are excluded" in drawing.caption


@pytest.mark.parametrize(
    ("cheap", "costly", "label", "scale"),
    [
        ({"macs": 1e9}, {"macs": 2e9}, "multiply-adds of one image", "linear"),
        ({"macs": 1e9}, {"macs": 1e10}, "multiply-adds of one image", "log"),
        ({"parameters": 1e7}, {"parameters": 2e7}, "parameters of the model", "linear"),
        ({"macs": NAN, "parameters": 1e7}, {"macs": 5e9, "parameters": 2e7}, "parameters of the model", "linear"),
    ],
)
def test_the_cost_that_differs_is_drawn(ablation_of, cheap, costly, label, scale):
    arms = [{"arm": "baseline", "mAP": 0.5} | cheap, {"arm": "a=1", "axis": "a", "level": "1", "mAP": 0.6} | costly]
    axes = draw_cost(ablation_of(arms, {"a": "0"})).figure.axes[0]
    assert (axes.get_xlabel(), axes.get_xscale()) == (label, scale)


def test_no_cost_figure_where_every_arm_uses_the_gallery(ablation_of):
    arms = [
        {"arm": "first", "mAP": 0.6, "macs": 1e9, "transductive": True},
        {"arm": "a=1", "axis": "a", "level": "1", "mAP": 0.7, "macs": 2e9, "transductive": True},
    ]
    assert draw_cost(ablation_of(arms, {"a": "0"})) is None
    arms[0]["transductive"] = False
    assert draw_cost(ablation_of(arms, {"a": "0"})) is not None


def test_figures_of_a_group_name_its_centre(ablation_of):
    arms = [
        {"arm": "first", "mAP": 0.6, "macs": 1e9},
        {"arm": "a=1", "axis": "a", "level": "1", "mAP": 0.7, "delta": 0.1, "macs": 2e9},
    ]
    curves = {"first": np.full((2, 20), 0.5), "a=1": np.full((2, 20), 0.6)}
    group = ablation_of(arms, {"a": "0"}, curves=curves)
    for draw in (draw_forest, draw_ablation_effects):
        assert "the centre" in draw(group).caption
        assert "baseline" not in draw(group).caption
    assert "centre" in draw_cost(group).figure.axes[0].get_legend_handles_labels()[1]
    assert [line.get_label() for line in draw_cmc(group).figure.axes[0].lines] == ["first", "a=1"]


def test_no_cost_figure_where_all_cost_the_same(ablation_of):
    arms = [{"arm": "baseline", "mAP": 0.5}, {"arm": "a=1", "mAP": 0.6}, {"arm": "a=2", "mAP": NAN, "macs": 5.0}]
    assert draw_cost(ablation_of(arms, {})) is None


def test_three_hundred_arms_name_few_and_no_number_covers_another(ablation_of):
    # All but one are crowded into a corner, each a little dearer and better than the one before.
    arms = [{"arm": "baseline", "mAP": 0.3, "macs": 9e9}] + [
        {"arm": f"{LONG}={number}", "axis": LONG, "level": str(number), "delta": 0.0, "mAP": 0.5 + number / 6000,
         "macs": 1e9 + 2e6 * number}
        for number in range(300)
    ]  # fmt: skip
    ablation = ablation_of(arms, {LONG: "none"})
    drawing = draw_cost(ablation)
    notes = [text for text in drawing.figure.axes[0].texts if isinstance(text, Annotation)]
    numbers = [note for note in notes if note.get_text().isdigit()]
    assert len(numbers) == 11
    assert re.search(r"Of \d{2,3} arms on the line, 11 are named\.", drawing.caption)
    boxes = [note.get_window_extent() for note in numbers]
    assert not any(one.overlaps(other) for one, other in combinations(boxes, 2))
    assert "Of 300 arms, the 60 furthest from the baseline." in draw_forest(ablation).caption
    [panel] = draw_ablation_effects(ablation).figure.axes
    assert len(panel.get_xticklabels()) <= 10


def test_five_hundred_proposals_are_thinned_and_the_page_says_so(search_of):
    random = np.random.default_rng(0)
    axes = {f"axis.{index}.{LONG}": random.choice(["a", "b", "c"], 500).tolist() for index in range(15)}
    values = random.random(500)
    search = search_of(axes, values)
    drawing = draw_parallel(search)
    unfinished, finished, best = lines(drawing)
    assert (len(unfinished), len(finished), len(best)) == (0, 200, 1)
    assert len(finished[0]) == 12
    assert "Of 15 axes, 12." in drawing.caption
    assert "Of 500 finished proposals, 200 are drawn" in drawing.caption
    assert "Of 500 finished proposals, 200 are drawn" in draw_isolation(search).caption
    kept = thinned(search.proposals)["value"]
    assert set(np.sort(values)[-100:]) <= set(kept)
    assert min(values) in set(kept)
    assert drawing.least_width > 500, "so that its text stays readable, it scrolls"


def test_names_of_axes_do_not_cover_each_other(search):
    drawing = draw_parallel(search)
    labels = drawing.figure.axes[0].get_xticklabels()
    starts = [label.get_window_extent().x0 for label in labels]
    assert len(labels) == 4
    assert min(np.diff(starts)) > 12, "aslant, each begins at its axis"


@pytest.mark.parametrize(
    ("draw", "of"),
    [
        (draw_history, "search"),
        (draw_parallel, "search"),
        (draw_isolation, "search"),
        (draw_spending, "search"),
        (draw_forest, "ablation"),
        (draw_ablation_effects, "ablation"),
        (draw_cmc, "ablation"),
        (draw_cost, "ablation"),
    ],
)
def test_files_are_the_same_bytes_whatever_is_written_first(request, draw, of):
    summary = request.getfixturevalue(of)
    first, second = draw(summary), draw(summary)
    pdf, svg = first.pdf, first.svg
    assert (second.svg, second.pdf) == (svg, pdf)
    assert not re.search(rb"/(CreationDate|Creator|Producer)\b", pdf)
    assert any("%" in (text or "") or "points" in (text or "") for text in words(svg)), "text is text, with units"
    prefix = re.sub(r"[^A-Za-z0-9]+", "-", first.name)
    assert all(name.startswith(prefix) for name in re.findall(r'\bid="([^"]+)"', svg))
    assert "mathdefault" not in svg


def test_a_factorial_has_a_figure_of_its_effects_and_another_design_has_none(factorial, ablation_of):
    results = read_state(factorial.store)
    [plain, strong] = summarise_ablations(results, arms_table(results), 0.01)
    drawing = draw_design(plain)
    table = plain.effects.table
    [axes] = drawing.figure.axes
    marks = [line.get_xdata()[0] for line in axes.lines if line.get_marker() == "o"]
    assert marks == pytest.approx(list(100 * table["delta"]))
    names = [label.get_text() for label in axes.get_yticklabels()]
    assert names[0] == f"{table['level'][0]} against {table['reference'][0]}"
    assert draw_design(strong) is None, "all effects stand beside the first group"
    assert draw_design(ablation_of([{"arm": "baseline", "mAP": 0.5}], {})) is None


def test_of_many_arms_of_claims_some_have_curves_and_the_caption_says_so(ablation_of):
    arms = [{"arm": f"a={number}", "mAP": 0.5} for number in range(7)]
    curves = {arm["arm"]: np.full((2, 20), 0.5) for arm in arms}
    drawing = draw_cmc(ablation_of(arms, {}, design="claims", curves=curves))
    assert [line.get_label() for line in drawing.figure.axes[0].lines] == [f"a={number}" for number in range(5)]
    assert drawing.caption.endswith("of 7 arms, 5.")

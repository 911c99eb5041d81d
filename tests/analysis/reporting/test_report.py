import itertools
import json
import re
import statistics
import xml.etree.ElementTree as ElementTree
from html.parser import HTMLParser

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import analysis
from analysis.answers.ablations import summarise_ablations
from analysis.answers.searches import summarise_searches
from analysis.reading.arms import arms_table
from analysis.reading.proposals import search_table
from analysis.reporting.draw import curves_shown
from analysis.reporting.markup import escape_markdown
from reid_search.errors import RequestError
from reid_search.records import ReadoutResult, read_state
from reid_search.study import EvaluationRule, SingleShot

VOID = {"meta", "wbr", "br", "link", "img"}


class Page(HTMLParser):
    """Checks that elements nest, and collects ids, text, and the cells of tables by heading."""

    def __init__(self, text):
        super().__init__()
        self.open, self.ids, self.words, self.tables = [], [], [], []
        self.feed(text)
        assert self.open == []
        self.text = " ".join(" ".join(self.words).split())

    def handle_starttag(self, tag, attributes):
        self.ids += [value for name, value in attributes if name == "id"]
        if tag == "table":
            self.tables.append([])
        if tag == "tr":
            self.tables[-1].append([])
        if tag in ("td", "th"):
            self.tables[-1][-1].append("")
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.ids += [value for name, value in attributes if name == "id"]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open[-1:] in (["style"], ["script"]):
            return
        self.words.append(data)
        if {"td", "th"} & set(self.open):
            self.tables[-1][-1][-1] += data

    def table(self, *headings):
        """Return the rows of the first table with these headings as dicts."""
        return self.every_table(*headings)[0]

    def every_table(self, *headings):
        """Return the rows of each table with these headings."""
        tables = [[[" ".join(cell.split()) for cell in row] for row in table] for table in self.tables]
        found = [table for table in tables if table and set(headings) <= set(table[0])]
        return [[dict(zip(table[0], row, strict=True)) for row in table[1:] if len(row) == len(table[0])]
                for table in found]  # fmt: skip


def report(study):
    return Page(analysis.write_report(study.path).read_text())


def files(study):
    folder = study.path / "report"
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_files_are_there(study):
    assert analysis.write_report(study.path) == study.path / "report" / "index.html"
    assert sorted(files(study)) == [
        *(
            f"figures/{name}.{suffix}"
            for name in (
                "cmc-ablate", "effects-ablate", "forest-ablate", "history-search", "isolation-search",
                "parallel-search", "spending-search",
            )
            for suffix in ("pdf", "svg")
        ),
        "index.html",
        "report.md",
        *(
            f"tables/{name}.{suffix}"
            for name in (
                "arms", "contrasts-ablate", "isolation-search", "rungs-search", "search", "spending-search", "trials",
            )
            for suffix in ("csv", "md", "tex")
        ),
    ]  # fmt: skip


@pytest.mark.slow  # two whole reports, each with six figures as SVG and as PDF
def test_the_same_records_give_the_same_bytes(study):
    analysis.write_report(study.path)
    first = files(study)
    analysis.write_report(study.path)
    assert files(study) == first


def test_the_page_is_well_formed_and_needs_no_network(study):
    text = analysis.write_report(study.path).read_text()
    page = Page(text)
    assert len(page.ids) == len(set(page.ids)) > 0
    addresses = set(re.findall(r"https?://[^\s\"'<>)]+", text))
    assert addresses == {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}
    assert not re.search(r"<(link|img|iframe)\b|<script [^>]*src|@import|url\((?!#)", text)
    references = set(re.findall(r'(?:href="|url\()#([^")]+)', text))
    assert references <= set(page.ids)


def test_every_file_is_offered_beside_what_it_holds(study):
    page = analysis.write_report(study.path).read_text()
    offered = set(re.findall(r'<a href="((?:tables|figures)/[^"]+)"', page))
    assert offered == {name for name in files(study) if name.startswith(("tables/", "figures/"))}
    markdown = (study.path / "report" / "report.md").read_text()
    shown = re.findall(r"\]\(((?:tables|figures)/[^)]+)\)", markdown)
    assert set(shown) == {name for name in offered if not name.endswith(".pdf")}


def test_figures_are_files_that_stand_alone(study):
    analysis.write_report(study.path)
    for name, content in files(study).items():
        if name.endswith(".svg"):
            root = ElementTree.fromstring(content)
            assert root.tag == "{http://www.w3.org/2000/svg}svg"
            assert root.get("aria-label")
            assert b"<image" not in content, "shapes, not pixels"
        if name.endswith(".pdf"):
            assert content.startswith(b"%PDF-")
            assert b"/CreationDate" not in content


def test_the_tables_hold_the_frames(study):
    analysis.write_report(study.path)
    tables = study.path / "report" / "tables"
    for name, frame in {
        "trials": analysis.load_trials(study.path),
        "arms": analysis.load_arms(study.path),
        "search": analysis.load_search(study.path),
        "contrasts-ablate": analysis.contrasts(analysis.load_arms(study.path)),
    }.items():
        read = pd.read_csv(tables / f"{name}.csv")
        assert list(read.columns)[: len(frame.columns)] == list(frame.columns)
        for column in frame.select_dtypes("float64"):
            assert read[column].tolist() == pytest.approx(frame[column].tolist(), rel=1e-12, nan_ok=True)


def test_the_page_shows_what_the_records_say(study):
    page = report(study)
    rows = {row["Arm"]: row for row in page.table("Arm", "Δ, points")}
    records = [json.loads(path.read_text()) for path in study.path.glob("trials/a*/record.json")]
    values = [100 * record["readouts"]["default"]["metrics"]["test/mAP"] for record in records]
    assert rows["baseline"]["mAP, %"] == f"{statistics.fmean(values):.2f} ± {statistics.stdev(values):.2f}"
    assert rows["0.3"]["Seeds"] == "2 of 3"
    assert (rows["[1]"]["Δ, points"], rows["[1]"]["Verdict"]) == ("−5.90", "worse")
    assert rows["[1]"]["95 % interval"] == "−6.33 to −5.47"
    assert rows["0.3"]["Δ, points"] == "+1.50 ⇅"
    further = {row["Arm"]: row for row in page.table("Arm", "Rank-1")}
    assert further["baseline"]["Rank-1"] == "80.2 ± 0.1"
    assert (further["[1]"]["Parameters"], further["[1]"]["Multiply-adds"]) == ("24.6 M", "1.21 G")
    assert further["[1]"]["Time a trial"] == "18 s"
    proposals = page.table("#", "Status")
    assert [row["val/mAP, %"] for row in proposals] == ["42.00", "47.00", "44.00", "53.00", "(15.00)", "–"]
    for sentence in (
        "tried 6 settings of model.parts and losses.triplet.margin (4 finished, 1 stopped early, 1 failed); the best, "
        "#3, reached 53.0 % val/mAP with model.parts = [1, 2, 3], losses.triplet.margin = 0.6.",
        "The baseline reaches 60.57 ± 0.71 % test/mAP (mean ± standard deviation, 3 seeds).",
        "Strongest gain: losses.triplet.margin = 0.3, +1.50 points, 95 % interval −3.58 to +6.58 (inconclusive).",
        "Strongest loss: model.parts = [1], −5.90 points",
        "With 3 seeds the smallest two-sided p that a sign-flip test can reach is .25.",
        "mAP and Rank-1 disagree in sign: losses.triplet.margin = 0.3 (+1.50 against −1.00)",
        "11 evaluations, counted from the records: 8 trials",
        "reid-search run mgn.yaml",
        "reid-search 0.1.0, torch 2.15.0",
    ):
        assert sentence in page.text


def test_what_did_not_finish_is_named_with_its_reason(study):
    page = report(study)
    rows = page.table("Trial", "Reason")
    assert [(row["Asked for by"], row["Status"]) for row in rows] == [
        ("search #5", "failed"), ("ablate: losses.triplet.margin=0.3", "failed"),
    ]  # fmt: skip
    assert rows[0]["Reason"] == "the loss is NaN at step 17 <script>alert(1)</script> | a | b"
    assert "1 trial stopped early, as the search's pruner is for: no failure" in page.text


def test_nothing_is_said_of_recipes_where_no_arm_has_one(study):
    assert "published system" not in report(study).text


def test_text_from_the_study_is_never_markup(study):
    text = analysis.write_report(study.path).read_text()
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    markdown = (study.path / "report" / "report.md").read_text()
    assert r"\<script\>alert(1)\</script\> \| a \| b" in markdown


def test_markdown_tables_have_as_many_cells_as_columns(study):
    analysis.write_report(study.path)
    blocks = re.findall(r"(?:^\|.*\|\n)+", (study.path / "report" / "report.md").read_text(), flags=re.MULTILINE)
    assert len(blocks) == 8
    for block in blocks:
        widths = {len(re.findall(r"(?<!\\)\|", line)) for line in block.splitlines()}
        assert len(widths) == 1, block


@given(st.text() | st.text(alphabet="a\\|<`*_\n"))
def test_escaped_markdown_is_one_line_in_which_every_sign_is_escaped(text):
    signs = re.escape(r"\`*_{}[]<>|#~")
    assert re.fullmatch(rf"(?:\\[{signs}]|[^\r\n{signs}])*", escape_markdown(text))


def test_a_study_with_nothing_asked(empty):
    empty.begin()
    page = report(empty)
    assert "The study has asked for nothing yet; 0 trials on disk." in page.text
    assert "There is no trial yet." in page.text
    assert len(page.tables) == 0


def test_a_study_with_nothing_finished(empty):
    empty.begin()
    empty.ask_proposal(0)
    empty.ask_arms(seeds=2)
    empty.arm_trial("baseline", 1, record=False)
    page = report(empty)
    assert "none is finished, so there is no best yet" in page.text
    assert "The baseline has no finished trial, so there is nothing to compare with yet." in page.text
    assert "6 trials more were asked for and have not started." in page.text
    assert [row["Status"] for row in page.table("Trial", "Reason")] == ["running or interrupted"]
    assert not any(name.startswith("figures/") for name in files(empty))


def test_only_a_search(empty):
    empty.begin()
    empty.search()
    page = report(empty)
    assert "No ablation has run yet, so nothing here says which setting matters." in page.text
    assert "Use of the test split never" in page.text
    assert "Ablation" not in page.text.split("How it was measured")[0].replace("An ablation", "")


def test_only_an_ablation(empty):
    empty.begin()
    empty.ablation(seeds=5)
    page = report(empty)
    assert "Search ‘" not in page.text
    assert "With 5 seeds the smallest two-sided p that a sign-flip test can reach is .0625." in page.text
    assert "so few seeds" not in page.text


def test_one_seed(empty):
    empty.begin()
    empty.ablation(seeds=1)
    page = report(empty)
    rows = page.table("Arm", "Δ, points")
    assert {row["Verdict"] for row in rows if row["Arm"] != "baseline"} == {"no verdict"}
    assert {row["95 % interval"] for row in rows if row["Arm"] != "baseline"} == {"–"}
    assert "With one seed there is an effect but no verdict" in page.text
    assert "The baseline reaches 61.20 % test/mAP (one seed)." in page.text


def test_a_baseline_that_never_finished(empty):
    empty.begin()
    empty.ask_arms(seeds=2)
    for seed in (1, 2):
        empty.trial("a" * 16, seed, status="failed", reason="no luck")
        empty.arm_trial("model.parts=[1]", seed)
    page = report(empty)
    assert "The baseline has no finished trial" in page.text
    row = next(row for row in page.table("Arm", "Δ, points") if row["Arm"] == "[1]")
    assert (row["mAP, %"], row["Δ, points"], row["Verdict"]) == ("54.55 ± 0.78", "–", "no verdict")


def test_arms_of_different_data_are_shown_and_not_compared(empty):
    empty.begin()
    empty.ask_arms(["baseline", "model.parts=[1]"], seeds=2)
    for seed in (1, 2):
        empty.arm_trial("baseline", seed)
        empty.arm_trial("model.parts=[1]", seed, fingerprint="ffff")
    page = report(empty)
    assert "Ablation ‘ablate’: model.parts = [1]" in page.text
    assert "measured under another protocol (data_fingerprint ffff instead of 00ff00ff00ff00ff)" in page.text
    [base], [apart] = page.every_table("Arm", "Δ, points")
    assert base["Arm"] == "baseline"
    assert (apart["Arm"], apart["mAP, %"], apart["Δ, points"]) == ("model.parts=[1]", "54.55 ± 0.78", "")
    assert "the arms are not compared" not in page.text.lower()


def test_a_factorial_over_data_is_a_section_a_data_set_and_one_table_of_effects(
    factorial, factorial_map, write_queries
):
    identities = [index // 2 for index in range(80)]
    for arm in range(3):
        for seed in (1, 2, 3, 4):
            precisions = [0.4 + arm / 100 + (index * (arm + 3)) % 17 / 100 for index in range(80)]
            write_queries(factorial, f"{arm:016x}", seed, precisions, identities)
    page = report(factorial)
    backgrounds = "data.nuisances.backgrounds"
    plain, strong = page.every_table("Arm", "Δ, points")
    assert [row["Arm"] for row in plain] == ["baseline", "max", "gem"]
    assert [row["Arm"] for row in strong] == [f"{backgrounds}=strong", "max", "gem"]
    for rows, centre, prefix in ((plain, "baseline", ""), (strong, f"{backgrounds}=strong", f"{backgrounds}=strong, ")):
        for row, arm in zip(rows[1:], ("max", "gem"), strict=True):
            ours, theirs = factorial_map[f"{prefix}model.pooling={arm}"], factorial_map[centre]
            difference = 100 * (statistics.fmean(ours) - statistics.fmean(theirs))
            assert row["Δ, points"].split()[0] == f"{difference:+.2f}".replace("-", "−")
    assert [row["Over seeds and people"] != "–" for row in plain[1:]] == [True, True]
    assert "Over seeds and people" not in strong[0], "no queries were written there"
    assert "two-way random effects" in page.text
    effects = page.table("Effect of", "Combinations")
    assert [row["Level"] for row in effects] == ["max", "gem", "strong × max", "strong × gem"]
    assert "different protocols: data.nuisances.backgrounds = strong." in page.text
    for sentence in (
        f"Ablation ‘ablate’: {backgrounds} = strong",
        "Under other protocols: 1 group of arms, each with its own section and centre.",
        f"With {backgrounds} = strong, ‘ablate’ has another protocol (data_fingerprint 1234123412341234 instead of "
        "00ff00ff00ff00ff) and compares 2 arms with their own centre. The centre reaches 39.98 ± 0.27 % test/mAP",
        "Differences from the centre with 95 % paired t intervals",
        "Differences from the baseline with 95 % paired t intervals",
    ):
        assert sentence in page.text
    check_files(factorial)
    names = {name for name in files(factorial) if name.startswith("tables/contrasts") and name.endswith(".csv")}
    assert len(names) == 2
    further = next(name for name in names if "--protocol-" in name)
    assert list(pd.read_csv(factorial.path / "report" / further)["arm"]) == [
        f"{backgrounds}=strong, model.pooling=max", f"{backgrounds}=strong, model.pooling=gem",
    ]  # fmt: skip
    table = pd.read_csv(factorial.path / "report" / "tables" / "effects-ablate.csv")
    assert table["effect"].tolist() == ["model.pooling"] * 2 + [f"{backgrounds} × model.pooling"] * 2
    contrasts = pd.read_csv(factorial.path / "report" / "tables" / "contrasts-ablate.csv")
    assert contrasts[["people_low", "people_high"]].notna().all(axis=None)


def check_files(study):
    """Check that ids are unique, files offered, and the rows of tables in Markdown as wide as their headings."""
    page = Page((study.path / "report" / "index.html").read_text())
    assert len(page.ids) == len(set(page.ids)) > 0
    offered = set(
        re.findall(r'<a href="((?:tables|figures)/[^"]+)"', (study.path / "report" / "index.html").read_text())
    )
    assert offered == {name for name in files(study) if name.startswith(("tables/", "figures/"))}
    for block in re.findall(r"(?:^\|.*\|\n)+", (study.path / "report" / "report.md").read_text(), flags=re.MULTILINE):
        assert len({len(re.findall(r"(?<!\\)\|", line)) for line in block.splitlines()}) == 1, block


def test_a_search_of_enough_trials_says_which_axes_mattered(empty, result_of):
    empty.begin()
    for number in range(12):
        key = empty.ask_proposal(number, margin=f"{0.2 + number / 10:.1f}")
        value = 0.4 + number / 100
        empty.trial(key, 10_000, holdout=0.2, readouts={"default": result_of("val", value, value)})
    page = report(empty)
    parts, margin = page.table("Axis", "fANOVA")
    assert (margin["Axis"], margin["fANOVA"], margin["Trials"]) == ("losses.triplet.margin", "1.00", "12")
    assert (parts["fANOVA"], parts["95 % interval"]) == ("0.00", "0.00 to 0.00")
    assert "From the ends of 12 trials, none of which was stopped early." in page.text
    assert "Caution: 12 trials are too few for 2 axes" in page.text
    assert "model.parts: one level: nothing to compare." in page.text
    check_files(empty)
    shares = pd.read_csv(empty.path / "report" / "tables" / "importances-search.csv").set_index("axis")
    assert shares["importance"].to_dict() == {"model.parts": 0.0, "losses.triplet.margin": pytest.approx(1.0)}
    assert shares["warnings"].str.contains("12 trials are too few for 2 axes").all()


@pytest.mark.parametrize(
    ("name", "damage", "words", "delta"),
    [
        (
            "trials/" + "a" * 16 + "-s1/record.json",
            lambda text: text[:99],
            "record.json: not readable as JSON",
            "−5.80",
        ),
        ("trials/" + "a" * 16 + "-s1/epochs.jsonl", lambda text: "{]\n", "epochs.jsonl, line 1: not readable", "−5.80"),
        ("study.yaml", lambda text: text + "\nname: again\n", "Not readable: ", "−5.90"),
        ("asked.jsonl", lambda text: text + "nonsense\n", "asked.jsonl, line 21: not readable as JSON", "−5.90"),
    ],
)
def test_a_file_that_cannot_be_read_is_named_and_the_rest_reported(study, name, damage, words, delta):
    path = study.path / name
    path.write_text(damage(path.read_text()))
    page = report(study)
    assert words in page.text
    row = next(row for row in page.table("Arm", "Δ, points") if row["Arm"] == "[1]")
    assert row["Δ, points"] == delta


def test_a_phase_that_the_study_no_longer_has_is_marked(study):
    path = study.path / "study.yaml"
    path.write_text(path.read_text().replace("name: ablate", "name: renamed"))
    assert (
        "study.yaml no longer has a phase ‘ablate’; it is shown as an earlier run asked for it." in report(study).text
    )


def test_every_readout_has_a_table(empty):
    empty.begin()
    both = {"default": "default", "flipless": "default-3fa9c1"}
    empty.ask_arms(["baseline"], seeds=3, readouts=both)
    empty.ask_arms(["model.parts=[1]"], seeds=3, readouts={"default": "default", "flipless": "default"})
    for seed in (1, 2, 3):
        empty.arm_trial("baseline", seed)
        empty.arm_trial("model.parts=[1]", seed)
    page = report(empty)
    assert "Ablation ‘ablate’, readout ‘flipless’" in page.text
    table = pd.read_csv(empty.path / "report" / "tables" / "contrasts-ablate--flipless.csv")
    expected = analysis.contrasts(analysis.load_arms(empty.path), readout="flipless")
    assert table["delta"].tolist() == pytest.approx(expected["delta"].tolist(), abs=1e-12)
    assert table["delta"][0] != analysis.contrasts(analysis.load_arms(empty.path))["delta"][0]


def test_transductive_arms_are_marked_and_said_to_be(empty, result_of):
    empty.begin()
    arms = ["baseline", "readouts.default.scorer=k-reciprocal"]
    empty.ask_arms(arms[:1], seeds=2)
    empty.ask_arms(arms[1:], seeds=2, key="a" * 16, readouts={"default": "default-3fa9c1"})
    for seed in (1, 2):
        plain = result_of("test", 0.6, 0.8)
        ranked = result_of("test", 0.7, 0.8).model_copy(update={"scorer": "k_reciprocal", "transductive": True})
        empty.trial("a" * 16, seed, readouts={"default": plain, "default-3fa9c1": ranked})
    arms = analysis.load_arms(empty.path).set_index("arm")
    assert arms["transductive"].groupby("arm").first().to_dict() == {
        "baseline": False,
        "readouts.default.scorer=k-reciprocal": True,
    }
    text = report(empty).text
    assert text.count("†") == 3, "in two tables and a note"
    assert "transductive: it uses other images of the gallery" in text
    assert "every distance compares two features" not in text


def test_a_search_of_each_shows_the_best_of_each(empty, study_text, result_of):
    empty.begin(study_text.replace("trials: 6,", "trials: 2, each: model.parts,"))
    levels = ["[1]", "[1, 2]"] * 2
    for number, (level, value) in enumerate(zip(levels, (0.2, 0.5, 0.4, 0.3), strict=True)):
        key = f"{number:016x}"
        settings = {"model.parts": level, "losses.triplet.margin": f"0.{number + 1}"}
        empty.log(
            "ask", phase="search", kind="search", number=number, key=key, seed=10_000, evaluate="val", by="tpe",
            settings=settings, space="5" * 16, params={},
        )  # fmt: skip
        empty.trial(key, 10_000, holdout=0.2, readouts={"default": result_of("val", value, value)})
    results = read_state(empty.store)
    [summary] = summarise_searches(results, search_table(results))
    found = {level: (row["value"], settings) for level, row, settings in summary.best_of_each}
    assert found == {
        "[1]": (0.4, {"losses.triplet.margin": "0.3"}),
        "[1, 2]": (0.5, {"losses.triplet.margin": "0.2"}),
    }
    text = report(empty).text
    assert "Best settings of each" in text
    assert "the same number for each model.parts" in text


def test_best_values_at_the_edge_of_what_was_tried_are_said(empty, study_text, result_of):
    """Of three rates, one level's best is the largest and the other's the middle one; the page says no more of it."""
    axis = "  training.optimizer.lr: {choice: [0.001, 0.002, 0.004]}\n"
    text = study_text.replace("axes:\n", "axes:\n" + axis)
    empty.begin(text.replace("trials: 6,", "trials: 3, each: model.parts,"))
    values = {"[1]": (0.2, 0.3, 0.4), "[1, 2]": (0.2, 0.5, 0.4)}
    for number, (place, level) in enumerate(itertools.product(range(3), values)):
        key, value = f"{number:016x}", values[level][place]
        settings = {"model.parts": level, "training.optimizer.lr": ("0.001", "0.002", "0.004")[place]}
        empty.log(
            "ask", phase="search", kind="search", number=number, key=key, seed=10_000, evaluate="val", by="grid",
            settings=settings, space="5" * 16, params={},
        )  # fmt: skip
        empty.trial(key, 10_000, holdout=0.2, readouts={"default": result_of("val", value, value)})
    page = report(empty).text
    markdown = (empty.path / "report" / "report.md").read_text()
    for text in (" ".join(page.split()), " ".join(markdown.replace("\\", "").split())):
        assert (
            "[1]: the best training.optimizer.lr, 0.004, is the largest of the 3 values tried; 3 trials cannot tell "
            "whether that is chance, 8 might."
        ) in text
        assert "The optimum of training.optimizer.lr may lie at the edge of what was searched for 1 of 2 levels" in text
        assert "[1, 2]: the best" not in text


def test_many_arms_show_the_curves_of_the_furthest(empty):
    empty.begin()
    arms = ["baseline", *(f"model.parts=[{number}]" for number in range(9))]
    for number, arm in enumerate(arms):
        empty.ask_arms([arm], seeds=2, key=f"{number:016x}", readouts=None)
        for seed in (1, 2):
            result = ReadoutResult(
                config={}, dim=8, metrics={"test/mAP": 0.4 + number / 100, "test/rank1": 0.5}, cmc={"test": [0.5, 0.6]}
            )
            empty.trial(f"{number:016x}", seed, readouts={"default": result})
    results = read_state(empty.store)
    [summary] = summarise_ablations(results, arms_table(results), 0.01)
    assert curves_shown(summary) == ["baseline", arms[9], arms[8], arms[2], arms[1]]
    assert "the baseline and the arms furthest from it" in report(empty).text


def test_a_folder_without_a_study_is_refused(tmp_path):
    with pytest.raises(RequestError, match="no study was run here"):
        analysis.write_report(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_files_of_an_earlier_report_go_and_others_stay(study):
    folder = analysis.write_report(study.path).parent
    before = files(study)
    (folder / "tables" / "contrasts-dropped.csv").write_text("arm\n")
    (folder / "figures" / "forest-dropped.pdf").write_bytes(b"%PDF")
    (folder / "notes.txt").write_text("mine")
    analysis.write_report(study.path)
    assert files(study) == before | {"notes.txt": b"mine"}


def test_a_search_s_best_is_said_to_be_measured_on_fresh_seeds(study, study_text):
    assert "trained again on seeds that the search did not use" in report(study).text
    study.begin(study_text.replace("around: best", "around: base"))
    study.ablation()
    assert "trained again on seeds that the search did not use" not in report(study).text


def test_redrawn_data_are_said_to_be(empty):
    empty.begin()
    empty.ask_arms(redrawn_from="1" * 16)
    for seed in (1, 2, 3):
        empty.arm_trial("baseline", seed, fingerprint=f"{seed:016x}")
    page = report(empty)
    assert "3 seeds each, every seed on its own data" in page.text


def _under(study, rule, metrics, arm=None):
    """Rewrite the trials of an arm, or of all, as if they had been ranked by a rule."""
    arms = analysis.load_arms(study.path)
    for key, seed in arms.loc[arms["arm"] == (arm or arms["arm"]), ["key", "seed"]].drop_duplicates().to_numpy():
        folder = study.store.trial(key, int(seed))
        record = folder.record()
        readouts = {
            name: item.model_copy(update={"rules": {"test": rule}, "metrics": {**item.metrics, **metrics}})
            for name, item in record.readouts.items()
        }
        folder.write_record(record.model_copy(update={"readouts": readouts}))


def test_arms_under_different_rules_are_shown_and_not_compared(study):
    _under(study, EvaluationRule(left_out=("same image",)), {}, arm="model.parts=[1]")
    arms = analysis.load_arms(study.path)
    assert set(arms.loc[arms["status"] == "finished", "rule"]) == {"same camera", "same image"}
    compared = arms[arms["arm"].isin(["baseline", "model.parts=[1]"])]
    with pytest.raises(RequestError, match=r"rule: arm '.*' has 'same image' and 'baseline' has 'same camera'"):
        analysis.contrasts(compared)
    page = report(study)
    assert "measured under another protocol (rule same image instead of same camera)" in page.text
    assert "no cameras: nothing but the query itself is removed" in page.text
    assert "Market-1501: for each query, gallery images of its identity from its own camera and junk" in page.text


def test_single_shot_numbers_are_shown_under_their_name(study):
    drawn = {f"test/single_shot_{name}": 0.25 for name in ("mAP", "rank1", "rank5", "rank10")}
    _under(study, EvaluationRule(single_shot=SingleShot(draws=20)), drawn)
    page = report(study)
    assert "means over 20 draws of a gallery with one random image for each identity (seed 0)" in page.text
    headings = {cell for table in page.tables for row in table[:1] for cell in row}
    assert {"mAP (single shot)", "Rank-1 (single shot)", "Rank-5 (single shot)"} < headings
    assert not {"Rank-1", "Rank-5"} & headings
    [row] = [row for row in page.table("Arm", "Rank-1 (single shot)") if row["Arm"] == "baseline"]
    assert row["Rank-1 (single shot)"].startswith("25.0")

"""Claims on the page: a sentence each, then what the verdict rests on."""

import re
from dataclasses import replace

import pytest

import analysis
from analysis.answers.claims import answer_claims
from analysis.reading.arms import arms_table
from analysis.reporting.claims import PLAIN, describe_claim, family_notes, view_of
from analysis.reporting.draw import draw_claims
from analysis.reporting.formats import points
from analysis.statistics import verdict
from reid_search.records import read_state

CENTRE, PARTS, MARGIN = "baseline", "model.parts=[1]", "losses.triplet.margin=0.3"
CONTENT = {"better": {"x": "1"}, "metric": "mAP", "readout": "default", "smallest_effect": 0.01}
HOSTILE = "<b>parts</b> | *help* & more"


def claim(study, name, effect, control=None, missing=(), **content):
    study.log("claim", claim=name, content={**CONTENT, **content})
    study.log("contrast", claim=name, phase="ablate", effect=effect, control=control or {}, missing=list(missing))


@pytest.fixture
def claimed(study):
    study.run()
    claim(study, HOSTILE, {CENTRE: 1.0, PARTS: -1.0}, says="Parts <i>help</i>.", source="Somebody & Co. 2018")
    claim(study, "margin", {MARGIN: 1.0, CENTRE: -1.0}, control={PARTS: 1.0, CENTRE: -1.0}, better={"x": "2"})
    claim(study, "untestable", {}, missing=["model.parts=[9]"], better={"x": "9"})
    study.ablation(seeds=12)
    return study


def answers_of(study):
    results = read_state(study.store)
    return answer_claims(results, arms_table(results))


def test_the_page_begins_with_an_answer_a_claim(claimed):
    page = analysis.write_report(claimed.path).read_text()
    items = re.findall(r"<li><span class=\"verdict [\w-]+\">([\w ]+)</span>", page)
    assert items == ["supported", "undecided", "not measured"]
    assert "<b>parts</b>" not in page
    assert "Parts &lt;i&gt;help&lt;/i&gt;." in page
    assert page.count("The verdicts on its claims are about other seeds and the people of the data.") == 1
    assert page.count("It is about") == 0
    assert page.index('class="answers"') < page.index('class="tiles"')


def test_markdown_and_tables_have_every_claim(claimed):
    folder = analysis.write_report(claimed.path).parent
    blocks = re.findall(r"(?:^\|.*\|\n)+", (folder / "report.md").read_text(), flags=re.MULTILINE)
    for block in blocks:
        assert len({len(re.findall(r"(?<!\\)\|", line)) for line in block.splitlines()}) == 1, block
    for suffix in ("csv", "md", "tex"):
        assert (folder / "tables" / f"claims.{suffix}").read_text().count("untestable") == 1
    assert {path.name for path in (folder / "figures").glob("claims.*")} == {"claims.svg", "claims.pdf"}


def test_a_sentence_says_what_the_verdict_rests_on(claimed):
    parts, margin, untestable = map(describe_claim, answers_of(claimed))
    assert re.fullmatch(
        r"The effect is there: \+5\.\d\d points of mAP \(\+\d\.\d\d to \+\d\.\d\d\), p \.002, 12 seeds\. It is .*",
        parts,
    )
    assert "under its control −5" in margin
    assert margin.startswith("These seeds cannot tell: ")
    assert "11 seeds" in margin
    assert untestable == "no phase has an arm with model.parts=[9]."


@pytest.mark.parametrize("found", verdict.CLAIM_VERDICTS)
def test_every_verdict_begins_with_what_it_means(claimed, found):
    said = describe_claim(replace(answers_of(claimed)[0], verdict=found))
    assert said.startswith(f"{PLAIN[found]}: +5")


def test_notes_name_looks_losses_late_claims_and_how_many_seeds_would_do(claimed):
    margin = view_of(answers_of(claimed)[1])
    notes = " ".join(margin.notes)
    assert "It could have been decided twice, with 3 and 12 seeds." in notes
    assert "losses.triplet.margin=0.3 (11 of 12)" in notes
    assert "after some of its trainings had ended" in notes
    assert re.search(r"would be found with probability \.8 by about [\d,]+ seeds", notes)
    assert "the error rate is shared by 3, including those" in " ".join(family_notes(answers_of(claimed)))
    alone = [replace(answers_of(claimed)[0], family=1)]
    assert family_notes(alone)[0].startswith("The claim was named in the study file. Every other")


def test_the_figure_has_a_mark_an_effect_and_a_control(claimed):
    drawing = draw_claims(answers_of(claimed))
    [axes] = drawing.figure.axes
    marks = [line for line in axes.lines if line.get_marker() in ("o", "s")]
    answers = [answer for answer in answers_of(claimed) if answer.effect.n]
    expected = [answer.effect.delta for answer in answers] + [a.control.delta for a in answers if a.control]
    assert sorted(line.get_xdata()[0] for line in marks) == pytest.approx(sorted(100 * delta for delta in expected))
    assert "Of 3 claims, 2 are drawn." in drawing.caption


def test_a_study_without_claims_has_no_section(study):
    folder = analysis.write_report(study.path).parent
    assert "Claims" not in (folder / "report.md").read_text()
    assert not (folder / "tables" / "claims.csv").exists()


def test_verdicts_are_those_of_the_page(claimed):
    page = analysis.write_report(claimed.path).read_text()
    found = analysis.verdicts(claimed.path)
    assert [verdict for _, verdict, _ in found] == ["supported", "undecided", "not measured"]
    assert found[1][0] == "margin"
    for _, _, said in found:
        sentence, _, past = said.replace("<", "&lt;").partition(" It could")
        assert sentence in page
        assert past in page


def test_the_end_of_a_run_counts_the_claims_and_says_each_verdict(claimed):
    analysis.write_report(claimed.path)
    lines = analysis.conclusion(claimed.path)
    whom = "other seeds and the people of the data"
    start = lines.index(f"Claims: 1 supported, 0 contradicted, 1 undecided, 1 not measured; all about {whom}")
    assert whom not in " ".join(lines[start + 1 :]), "it is said once"
    said = [line.partition(".")[0].strip() for line in lines[start + 1 :]]
    why = "seeds or arms were changed after results had come in, and no p pays for it"
    looked = f"ablate: It was looked at twice: {why}"
    assert said == [*(f"{name}: {verdict}" for name, verdict, _ in analysis.verdicts(claimed.path)), looked]


def test_rank1_that_moves_the_other_way_and_the_size_of_each_arm_are_shown(claimed):
    parts, margin, _ = answers_of(claimed)
    assert (parts.disagrees, margin.disagrees) == (False, True)
    assert margin.rank1_delta == pytest.approx(-0.01)
    assert any(note == "⇅ mAP and Rank-1 disagree in sign: Rank-1 −1.00 points." for note in view_of(margin).notes)
    page = analysis.write_report(claimed.path).read_text()
    section = page[page.index("<h2>Claims") :]
    assert 'data-label="Parameters">24.6 M</td>' in section


def test_pointing_at_an_effect_says_it_and_leads_to_its_claim(claimed):
    page = analysis.write_report(claimed.path).read_text()
    found = re.findall(
        r'<a href="#(claim-\d)" aria-label="([^"]+)"><g id="claims-claim-\d"><title>([^<]+)</title>', page
    )
    assert [target for target, _, _ in found] == ["claim-1", "claim-2"]
    assert found[0][1] == found[0][2]
    effect = points(answers_of(claimed)[0].effect.delta)
    assert found[0][2].startswith(f"&lt;b&gt;parts&lt;/b&gt; | *help* &amp; more: {effect} points (")
    assert {f'id="claim-{number}"' for number in (1, 2, 3)} <= set(re.findall(r'id="claim-\d"', page))

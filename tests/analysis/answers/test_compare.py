import numpy as np
import pytest
from scipy import stats

from analysis import compare_studies, comparison_sheet
from reid_search.errors import RequestError
from reid_search.records import StudyStore

A = {"baseline": (0.60, 0.62, 0.61), "wide": (0.65, 0.66, 0.64), "only in a": (0.5, 0.5, 0.5)}
B = {"baseline": (0.62, 0.635, 0.628), "wide": (0.65, 0.665, 0.639)}


@pytest.fixture
def studies(empty, result_of):
    def write(name, values, seeds=3, **trial):
        study = type(empty)(StudyStore(empty.store.storage, name))
        study.begin()
        for place, (arm, by_seed) in enumerate(values.items()):
            study.ask_arms([arm], seeds, key=f"{place:x}" * 16, readouts={"default": "default"})
            for seed, value in enumerate(by_seed[:seeds], start=1):
                study.trial(f"{place:x}" * 16, seed, readouts={"default": result_of("test", value, 0.8)}, **trial)
        return study.path

    return write


def test_arms_of_the_same_name_are_paired_over_seeds(studies):
    table = compare_studies([studies("a", A), studies("b", B)]).set_index(["arm", "study"])
    p_values = [stats.ttest_rel(B[arm], A[arm]).pvalue for arm in B]
    for arm in B:
        interval = stats.ttest_rel(B[arm], A[arm]).confidence_interval()
        row = table.loc[arm, "b"]
        expected = (np.mean(B[arm]), np.std(B[arm], ddof=1), np.mean(np.subtract(B[arm], A[arm])), *interval)
        np.testing.assert_allclose(row[["mean", "sd", "delta", "low", "high"]].astype(float), expected)
    found = [table.loc[arm, "b"]["p_holm"] for arm in B]
    assert found == pytest.approx([min(1, 2 * min(p_values)), max(max(p_values), 2 * min(p_values))])
    assert list(table.index) == [
        ("baseline", "a"), ("baseline", "b"), ("wide", "a"), ("wide", "b"), ("only in a", "a"),
    ]  # fmt: skip
    assert table.loc[("only in a", "a")].isna()[["delta", "p", "verdict"]].all()


def test_a_verdict_counts_every_row_of_the_table(studies):
    same, shifted = (0.6, 0.62, 0.61), (0.63, 0.65, 0.665)
    p = stats.ttest_rel(shifted, same).pvalue
    assert 0.025 < p < 0.05  # so that one test alone calls this better, and two tests do not
    table = compare_studies([studies("a", {"baseline": same}), studies("b", {"baseline": shifted})])
    assert list(table["verdict"].dropna()) == ["better"]
    both = [{"baseline": values, "wide": values} for values in (same, shifted)]
    table = compare_studies([studies("c", both[0]), studies("d", both[1])])
    assert list(table["verdict"].dropna()) == ["inconclusive"] * 2
    assert table["p_holm"].dropna().tolist() == pytest.approx([2 * p] * 2)


def test_a_verdict_counts_the_rows_of_every_study(studies):
    same, shifted = (0.6, 0.62, 0.61), (0.63, 0.65, 0.665)
    p = stats.ttest_rel(shifted, same).pvalue
    assert 0.025 < p < 0.05
    paths = [studies(name, {"baseline": values}) for name, values in (("a", same), ("b", shifted), ("c", shifted))]
    table = compare_studies(paths).set_index("study")
    assert table["p_holm"].dropna().to_dict() == pytest.approx({"b": 2 * p, "c": 2 * p})
    assert table["verdict"].dropna().to_dict() == {"b": "inconclusive", "c": "inconclusive"}


def test_missing_seeds_leave_their_pair_out(studies):
    table = compare_studies([studies("a", A), studies("b", B, seeds=2)]).set_index(["arm", "study"])
    expected = np.mean(np.subtract(B["wide"][:2], A["wide"][:2]))
    assert table.loc[("wide", "b"), "delta"] == pytest.approx(expected)
    assert list(table.loc["wide"]["n"]) == [3, 2]


def test_unlike_protocols_are_refused_by_name(studies):
    with pytest.raises(RequestError, match="data_fingerprint"):
        compare_studies([studies("a", A), studies("b", B, fingerprint="11" * 8)])


@pytest.mark.parametrize(
    ("options", "message"),
    [({"metric": "test/map"}, "did you mean 'test/mAP'"), ({"readout": "defualt"}, "did you mean 'default'")],
)
def test_what_is_not_there_is_named(studies, options, message):
    with pytest.raises(RequestError, match=message):
        compare_studies([studies("a", A), studies("b", B)], **options)


def test_one_study_is_no_comparison(studies):
    path = studies("a", A)
    with pytest.raises(RequestError, match="at least two"):
        compare_studies([path])
    with pytest.raises(RequestError, match="two studies are named 'a'"):
        compare_studies([path, path])


def test_the_sheet_has_a_row_an_arm_and_study(studies):
    sheet = comparison_sheet(compare_studies([studies("a", A), studies("b", B)]), "test/mAP")
    assert [cells[:3] for cells in sheet.cells][:2] == [("baseline", "a", "3"), ("baseline", "b", "3")]
    assert sheet.cells[0][4:] == ("–", "–", "–", "–")

import io
import re
import shutil
import subprocess

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import analysis
from analysis.answers.ablations import summarise_ablations
from analysis.reading.arms import arms_table
from analysis.reporting.export import Column, as_latex, as_markdown, table_for
from analysis.reporting.markup import escape_latex
from analysis.reporting.sheets import ROWS_FOR_PEOPLE, contrasts_sheet, effects_sheet, search_sheet
from reid_search.records import read_state

ENGINES = ("pdflatex", "xelatex", "lualatex", "tectonic")
SPECIALS = r"_ % & # { } ~ ^ \ $ [ ] < > | \" ' ` -- --- − ± † × α Δ ⇅ … ‘x’ é ü ç Å ł 中 ?` !`"
# What may follow a backslash: a letter command, or one sign that is escaped or an accent.
ESCAPES = re.compile(r"\\(?:[A-Za-z]+|[&%$#_{}\\,`'^~\"=.])")


def table_of(cells, titles=("name", "value"), left_out=0, numbers=(False, True)):
    columns = [
        Column(title, lambda row, at=at: row[str(at)], number)
        for at, (title, number) in enumerate(zip(titles, numbers, strict=True))
    ]
    rows = pd.DataFrame(cells)
    return table_for("some", rows, columns, rows, None if not left_out else len(cells) - left_out)


def check_tabular(text):
    """Check what an engine would refuse: braces, math, the number of cells, bare specials, signs that are not ASCII."""
    assert text.isascii()
    lines = text.splitlines()
    body = [line for line in lines if not line.startswith("%")]
    assert all("%" not in ESCAPES.sub("", line) for line in body)
    spec = re.fullmatch(r"\\begin\{tabular\}\{([lr]+)\}", body[0])
    assert spec
    assert body[-1] == r"\end{tabular}"
    assert [line for line in body if line.endswith("rule")] == [r"\toprule", r"\midrule", r"\bottomrule"]
    rows = [line for line in body[1:-1] if not line.endswith("rule")]
    for row in rows:
        assert row.endswith(r" \\")
        assert not re.match(r"[\[*]", row), "an argument of the row before it"
        check_row(row.removesuffix(r" \\"), len(spec[1]))
    return rows


def check_row(row, columns):
    bare = ESCAPES.sub("", row)
    assert len(bare.split("&")) == columns
    for cell in bare.split("&"):
        assert cell.count("$") % 2 == 0
        depth = 0
        for sign in cell:
            depth += (sign == "{") - (sign == "}")
            assert depth >= 0
        assert depth == 0
        outside_math = "".join(cell.split("$")[::2])
        assert not re.search(r"[_^#<>|\"\\]", outside_math)


@pytest.fixture
def written(study):
    """Return the folder of tables of a study whose names hold every special sign."""
    study.ask_arms([f"model.parts={SPECIALS}"], seeds=2, readouts=None)
    study.trial("f" * 16, 1, status="failed", reason="no luck")
    return analysis.write_report(study.path).parent / "tables"


def test_every_table_can_be_set_and_shown(written):
    names = sorted(path.name for path in written.glob("*.tex"))
    assert names == [
        "arms.tex", "contrasts-ablate.tex", "isolation-search.tex", "rungs-search.tex", "search.tex",
        "spending-search.tex", "trials.tex",
    ]  # fmt: skip
    for name in names:
        rows = check_tabular((written / name).read_text())
        assert len(rows) > 1
    for path in sorted(written.glob("*.md")):
        widths = {len(re.findall(r"(?<!\\)\|", line)) for line in path.read_text().splitlines()}
        assert len(widths) == 1, path


def test_every_table_compiles(request):
    engines = [name for name in ENGINES if shutil.which(name)]
    if not engines:
        pytest.skip(f"none of {', '.join(ENGINES)} is on the PATH")
    written = request.getfixturevalue("written")
    inputs = "\n\n".join(rf"\input{{{path.name}}}" for path in sorted(written.glob("*.tex")))
    preamble = "\\documentclass{article}\n\\usepackage[paperwidth=80cm]{geometry}\n\\usepackage{booktabs}\n"
    (written / "whole.tex").write_text(f"{preamble}\\begin{{document}}\n{inputs}\n\\end{{document}}\n")
    for engine in engines:
        quiet = [] if engine == "tectonic" else ["-interaction=nonstopmode", "-halt-on-error"]
        run = subprocess.run([engine, *quiet, "whole.tex"], cwd=written, capture_output=True, text=True, check=False)
        assert run.returncode == 0, f"{engine}: {run.stdout[-2000:]}{run.stderr[-2000:]}"
        assert (written / "whole.pdf").read_bytes().startswith(b"%PDF-")
        (written / "whole.pdf").unlink()


@given(st.text() | st.text(alphabet="a-_%&#{}~^\\$[]<>|\"'`−±α\n"))
def test_escaped_latex_is_ascii_in_which_every_special_is_escaped(text):
    escaped = escape_latex(text)
    assert escaped.isascii()
    assert "\n" not in escaped
    check_row(escaped, 1)


@pytest.mark.parametrize(
    ("text", "latex"),
    [
        ("a_b & 5 % #1", r"a\_b \& 5 \% \#1"),
        ("{x} ~ ^ \\ $", r"\{x\} \textasciitilde{} \textasciicircum{} \textbackslash{} \$"),
        ("−1 ± 2 × α λ Δ µ", r"$-$1 $\pm$ 2 $\times$ $\alpha$ $\lambda$ $\Delta$ $\mu$"),
        ("Müller, Jiří, Åse, ß", r"M\"{u}ller, Ji\v{r}\'{i}, \r{A}se, \ss{}"),
        ("a -- b – c --- d", r"a -{}- b -- c -{}-{}- d"),
        ("a\n b\t中\x00", r"a b U+4E2D "),
        ("†‘x’…", r"$\dagger$`{}x'{}\ldots{}"),
    ],
)
def test_signs_become_the_commands_that_print_them(text, latex):
    assert escape_latex(text) == latex


def test_numbers_stand_one_below_the_other():
    table = table_of([["a", "1.50 [−0.10 to +12.00]"], ["b", "−10.25 [−11.10 to 0.00]"], ["c", "–"], ["d", "24.6 M"]])
    assert as_latex(table).splitlines()[5:9] == [
        r"a & 1.50 [\phantom{0}$-$0.10 to +12.00] \\",
        r"b & $-$10.25 [$-$11.10 to \phantom{$-$0}0.00] \\",
        r"c & -- \\",
        r"d & 24.6\phantom{0} M \\",
    ]
    probabilities = as_latex(table_of([["a", "< .001"], ["b", ".012"], ["c", "1"]])).splitlines()[5:8]
    assert probabilities == [r"a & $<$ .001 \\", r"b & .012 \\", r"c & 1\phantom{.000} \\"]


def test_a_first_cell_is_never_an_argument_of_the_row_before():
    rows = check_tabular(as_latex(table_of([["[1, 2]", "1"], ["*", "2"]])))
    assert rows[1:] == [r"{}[1, 2] & 1 \\", r"{}* & 2 \\"]


def test_people_get_the_first_rows_and_are_told_so():
    cells = [[f"arm {number}", str(number)] for number in range(5)]
    table = table_of(cells, left_out=2)
    assert len(table.cells) == 3
    assert "% 2 more rows are in some.csv." in as_latex(table)
    assert as_markdown(table).endswith("\n2 more rows are in some.csv.\n")
    assert len(pd.read_csv(io.StringIO(table.files["csv"]))) == 5


def test_a_table_without_rows_is_a_heading():
    table = table_for("none", pd.DataFrame(), [Column("n", str)], pd.DataFrame({"n": []}))
    assert as_markdown(table) == "| n |\n| --: |\n"
    assert check_tabular(as_latex(table)) == [r"n \\"]


def test_contrasts_say_what_a_paper_needs(ablation_of):
    arms = [
        {"arm": "baseline", "mAP": 0.6},
        {"arm": "a=1", "axis": "a", "level": "1", "mAP": 0.65, "delta": 0.05, "low": 0.03, "high": 0.07,
         "p_holm": 0.0123, "verdict": "better", "n": 2, "transductive": True, "lost": "1 of 3 (1 to 91 %)"},
    ]  # fmt: skip
    lines = as_markdown(contrasts_sheet(ablation_of(arms, {"a": "0"}))).splitlines()
    assert lines[0] == (
        r"| arm | n | test/mAP, % | collapsed or failed | Δ \[95 % interval\], points | p (Holm) | verdict "
        "| parameters | multiply-adds |"
    )
    assert lines[3] == (
        r"| a = 1 † | 2 of 3 | 65.00 ± 1.00 | 1 of 3 (1 to 91 %) | +5.00 \[+3.00 to +7.00\] | .012 | better "
        "| 20.0 M | 1.00 G |"
    )


def test_effects_say_what_a_paper_needs(factorial):
    results = read_state(factorial.store)
    first, second = summarise_ablations(results, arms_table(results), 0.01)
    table = effects_sheet(first)
    assert table.name == "effects-ablate"
    assert effects_sheet(second) is None
    check_tabular(as_latex(table))
    lines = as_markdown(table).splitlines()
    found = first.effects.table.iloc[0]
    delta, low, high = (f"{100 * found[name]:+.2f}".replace("-", "−") for name in ("delta", "low", "high"))
    assert lines[2].startswith(rf"| model.pooling | max | avg | 4 | {delta} \[{low} to {high}\] |")
    assert lines[2].endswith("| 2 | – |")


def test_many_proposals_become_a_table_of_two_hundred():
    same = {"phase": "search", "status": "finished", "objective": "val/mAP", "epochs": 4, "seconds": 1.0, "by": "tpe"}
    rows = [same | {"number": number, "value": number / 1000, "a": str(number % 3), "b": "x"} for number in range(500)]
    table = search_sheet(pd.DataFrame(rows, columns=[*sorted({*same, "number", "value"} - {"by"}), "by", "a", "b"]))
    assert (len(table.cells), table.left_out) == (ROWS_FOR_PEOPLE, 300) == (200, 300)
    titles = [column.title for column in table.columns]
    assert titles == ["#", "status", "objective, %", "epochs", "time", "a"], "only what differs"
    assert table.cells[123] == ("123", "finished", "12.30", "4", "1.0 s", "0")

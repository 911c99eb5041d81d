"""The benchmarks of answers run: their figures come from the code as it is, on few studies here."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


def run(*arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, capture_output=True, text=True, check=False, timeout=200
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow  # goes through every path of the answers, in a process of its own
def test_every_path_of_the_answers_has_its_rate() -> None:
    rows = [line for line in run("benchmarks/answers.py", "4").splitlines() if "±" in line]
    assert len(rows) == 34
    assert all(line.count(" | ") == 4 for line in rows)


@pytest.mark.slow  # every kind of simulated search once, in a process of its own
def test_what_a_report_says_of_searches_has_its_rates() -> None:
    lines = run("benchmarks/searches.py", "1").splitlines()
    assert sum(" ± " in line for line in lines) == 37
    shares = [line.split(" | ") for line in lines if line.startswith("| ") and "±" not in line and "trials" in line]
    assert len(shares) == 5
    assert all(float(row[1]) > 0.7 for row in shares), "the axis worth 25 points"


@pytest.mark.slow  # simulates every kind of study, in a process of its own
def test_both_intervals_are_measured_where_people_are_shared_and_where_they_are_redrawn() -> None:
    lines = [line for line in run("benchmarks/other_people.py", "4").splitlines() if line.startswith("| ")]
    assert sum("±" in line for line in lines) == 11
    assert lines[-1].startswith("| 8 |")


@pytest.mark.slow  # writes a study and its report, in processes of their own
def test_the_report_of_a_made_up_study_is_timed() -> None:
    assert run("benchmarks/report.py", "120").startswith("120 trials × 50 epochs: report ")

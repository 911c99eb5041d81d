"""What the documents point at is there, and what they show can be run."""

import re
from pathlib import Path

import pytest

from reid_search.study import load_study

ROOT = Path(__file__).resolve().parents[1]
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md"]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_local_links_lead_somewhere(document: Path) -> None:
    targets = [target for target in re.findall(r"\]\(([^)#]+)\)", document.read_text()) if "://" not in target]
    assert [target for target in targets if not (document.parent / target).exists()] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_files_that_are_named_exist(document: Path) -> None:
    named = re.findall(r"`((?:tests|search_spaces|benchmarks|analysis|docs)/[\w./]+\.\w+)`", document.read_text())
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_the_study_that_the_readme_shows_is_valid(tmp_path: Path) -> None:
    blocks = re.findall(r"```yaml\n(.*?)```", (ROOT / "README.md").read_text(), flags=re.DOTALL)
    assert blocks
    for block in blocks:
        (tmp_path / "study.yaml").write_text(block)
        assert load_study(tmp_path / "study.yaml").plan().images > 0


def test_ci_runs_the_readme_s_test_command_and_the_readme_has_both_commands() -> None:
    readme = (ROOT / "README.md").read_text().splitlines()
    assert "pip install uv && uv run pytest" in readme
    assert "pip install uv && uv run reid-search run search_spaces/mgn.yaml" in readme


def test_the_readme_s_study_is_fixed_before_it_runs() -> None:
    study = load_study(ROOT / "search_spaces/mgn.yaml")
    _, ablation = study.plan().phases
    assert "training.optimizer.lr" in (study.config.phases[0].axes or ())
    assert not ablation.provisional
    trained = {trial.key for trial in ablation.trials}
    assert len(trained) <= 7
    assert ablation.count == 9 * len(trained)


def test_on_market1501_the_same_is_asked_as_of_the_readme_s_people() -> None:
    small, full = (
        load_study(ROOT / "search_spaces" / name).config.claims for name in ("mgn.yaml", "market1501/mgn.yaml")
    )
    own_size = {"64 dimensions over 16": "256 dimensions over 64"}  # of 16, 64 and 128; of 64, 256 and 2048
    assert [own_size.get(name, name) for name in small] == list(full)


def test_the_choice_of_the_no_op_is_a_name_and_nothing_else() -> None:
    study = load_study(ROOT / "search_spaces/no_op.yaml")
    (phase,) = study.config.phases
    arms = [arm.config.model_dump() for arm in study.arms(phase)]  # type: ignore[arg-type]
    own = [(arm["losses"].keys() - {"identity", "triplet"}).pop() for arm in arms]
    assert len(set(own)) == len(arms) == 5
    assert len({str({**arm, "losses": [*map(arm["losses"].get, ("identity", "triplet", name))]})
                for arm, name in zip(arms, own, strict=True)}) == 1  # fmt: skip
    assert all(arm["losses"]["identity"]["on"] == () for arm in arms)


def test_the_readme_shows_a_verdict_for_each_claim_of_its_study() -> None:
    row = r"^\| ([^|]+) \| (?:supported|contradicted|negligible|undecided) \|"
    shown = re.findall(row, (ROOT / "README.md").read_text(), flags=re.MULTILINE)
    assert shown == list(load_study(ROOT / "search_spaces/mgn.yaml").config.claims)

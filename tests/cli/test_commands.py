"""Commands that read and plan, and every mistake: one message with its place, exit code 2, nothing written."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from reid_search import __version__

Command = Callable[..., Any]
_THIN = {"architecture": "baseline", "backbone": "resnet10_thin"}
ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("arguments", [["--help"], ["run", "--help"], ["plan", str(ROOT / "search_spaces/mgn.yaml")]])
def test_help_and_plan_import_nothing_heavy(arguments: list[str]) -> None:
    script = (
        "import sys\nfrom reid_search.cli import main\ntry:\n    main()\nexcept SystemExit as left:\n"
        "    assert not left.code, left.code\n"
        "heavy = {'torch', 'torchvision', 'ray', 'mlflow', 'optuna', 'pandas', 'scipy', 'matplotlib'}\n"
        "heavy &= set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    subprocess.run([sys.executable, "-c", script, *arguments], check=True, stdout=subprocess.DEVNULL)


SPACES = sorted(path for folder in ("", "market1501") for path in (ROOT / "search_spaces" / folder).glob("*.yaml"))


@pytest.mark.parametrize("path", SPACES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_every_study_that_ships_can_be_planned(command: Command, path: Path) -> None:
    answer = command("plan", path, "--json")
    assert answer.code == 0, answer.err
    planned = json.loads(answer.out)
    assert planned["images"] == sum(phase["images"] for phase in planned["phases"])
    assert any(len(phase["arms"]) > 4 for phase in planned["phases"])


def test_a_plan_without_the_data_says_what_is_missing(command: Command) -> None:
    answer = command("plan", ROOT / "search_spaces/market1501/mgn.yaml")
    assert answer.code == 0
    assert "--data DIR" in answer.err


def test_a_storage_that_cannot_hold_a_study_is_one_message(
    command: Command, study_file: Callable[..., Path], tmp_path: Path
) -> None:
    study = study_file()
    (tmp_path / "file").write_text("mine")
    for name in ("run", "plan"):
        answer = command(name, study, "--storage", tmp_path / "file")
        assert (answer.code, "is a file" in answer.err) == (2, True)
    under = command("run", study, "--storage", tmp_path / "file" / "deeper", "--address", "none")
    assert under.code == 2
    assert "cannot be made (Not a directory)" in under.err


def test_a_plan_names_what_it_cannot_read_and_refuses_what_is_newer(command: Command, before: Path) -> None:
    study, log = Path(__file__).parents[1] / "stores" / "before.yaml", before / "asked.jsonl"
    record, whole = next(before.glob("trials/*/record.json")), log.read_text()
    log.write_text(whole + "rubbish\n")
    record.write_text(record.read_text()[:100])
    enough = ("--set", "phases.decide.seeds=7")  # the claims of that time asked for fewer than could decide them
    answer = command("plan", study, "--storage", before.parent, *enough)
    assert answer.code == 0
    for place in (f"note: {log}, line {whole.count(chr(10)) + 1}: ", f"note: {record}: "):
        assert place in answer.err
    log.write_text(whole + '{"event": "done", "version": 3, "id": "w-0"}\n')
    answer = command("plan", study, "--storage", before.parent, *enough)
    assert (answer.code, answer.out) == (1, "")
    assert "version 3; this release reads 1 to 2; to go on, upgrade reid-search" in answer.err


def test_plan_lists_arms_trials_and_images(command: Command, study_file: Callable[..., Path]) -> None:
    answer = command("plan", study_file())
    assert answer.code == 0
    assert "losses.triplet.margin=1.2" in answer.out
    assert "│ all    │" in answer.out
    assert "336" in answer.out


def test_plan_shows_what_an_arm_has_beside_its_name(command: Command, study_file: Callable[..., Path]) -> None:
    scorer = {"choice": {"none": None, "ranked": {"kind": "k_reciprocal", "k1": 5}}}
    study = study_file(axes={"readouts.default.scorer": scorer})
    entries = ["readouts.default.scorer.k2=6", "readouts.default.scorer.lambda_value=0.3"]
    shown = command("plan", study).out
    assert all(entry in shown for entry in entries)
    planned = json.loads(command("plan", study, "--json").out)
    [beside] = [phase["beside"] for phase in planned["phases"] if phase["arms"]]
    assert beside == {"readouts.default.scorer=ranked": entries}


@pytest.mark.parametrize(
    ("over", "message"),
    [
        ({"base": {"modle": {}}}, "base.modle: unknown key; did you mean 'model'?"),
        (
            {"phases": [{"kind": "ablate", "seeds": "three"}]},
            "phases.0 (ablate).seeds: 'three' should be a whole",
        ),
        ({"axes": {"model.partz": {"choice": [[1], [1, 2]]}}}, "did you mean 'model.parts'?"),
        ({"axes": {"model.parts": {"choice": [[1], [99]]}}}, "99 stripes do not fit a map of"),
        ({"resources": {"cpu": -1}}, "resources.cpu: -1 should be greater than 0"),
    ],
)
def test_a_wrong_study_is_one_message_with_its_place(
    command: Command, study_file: Callable[..., Path], tmp_path: Path, over: dict[str, Any], message: str
) -> None:
    path = study_file(**over)
    for verb in ("plan", "run"):
        answer = command(verb, path)
        assert answer.code == 2
        assert message in answer.err
        assert f"reid-search: {path}:" in answer.err
        assert "Traceback" not in answer.err
        assert not (tmp_path / "runs").exists()


def test_a_duplicate_key_is_refused(command: Command, tmp_path: Path) -> None:
    (tmp_path / "twice.yaml").write_text("name: a\nname: b\n")
    answer = command("plan", "twice.yaml")
    assert answer.code == 2
    assert answer.err.startswith("reid-search: twice.yaml:2: duplicate key")


def _broken(root: Path, breakage: str) -> None:
    folder = root / "bounding_box_test"
    if breakage == "missing":
        shutil.rmtree(root)
    elif breakage == "empty":
        shutil.rmtree(root)
        root.mkdir()
    elif breakage == "layout":
        folder.rename(root / "gallery")
    else:
        victim = sorted(folder.iterdir())[0]
        victim.write_bytes(victim.read_bytes()[:300])


@pytest.mark.parametrize(
    ("breakage", "message"),
    [
        ("missing", "no such folder"),
        ("empty", "is empty; expected bounding_box_train"),
        ("layout", "bounding_box_test missing; found"),
        ("truncated", "not a readable image"),
    ],
)
def test_broken_data_is_refused_before_anything_starts(
    command: Command, study_file: Callable[..., Path], tmp_path: Path, breakage: str, message: str
) -> None:
    assert command("data", "make", "market", "--preset", "tiny").code == 0
    _broken(tmp_path / "market", breakage)
    study = study_file(base={"data": {"name": "market1501", "image_size": [32, 16]}, "model": _THIN})
    for asked in ("plan", "run", "train"):
        answer = command(asked, study, "--data", "market")
        assert answer.code == 2
        assert message in answer.err
        assert "market" in answer.err
        assert "Traceback" not in answer.err
    assert not (tmp_path / "runs").exists()


def test_made_data_is_checked_and_trained_on(command: Command, study_file: Callable[..., Path], tmp_path: Path) -> None:
    assert command("data", "make", "market", "--preset", "tiny").out.strip() == "market"
    described = json.loads(command("data", "check", "market", "--json").out)
    assert (described["train"]["images"], described["train"]["identities"]) == (168, 24)
    assert (described["gallery"]["distractors"], described["gallery"]["junk"]) == (16, 8)
    assert described["unreadable"] == []
    assert command("data", "make", "market").code == 2
    _broken(tmp_path / "market", "truncated")
    answer = command("data", "check", "market")
    assert answer.code == 2
    assert "unreadable images: 1" in answer.err


def test_a_trial_is_trained_evaluated_and_exported(
    command: Command, study_file: Callable[..., Path], tmp_path: Path
) -> None:
    trained = command("train", study_file(), "--seed", "0", "--device", "cpu", "--json")
    assert trained.code == 0, trained.err
    record = json.loads(trained.out)
    folder = f"runs/single/trials/{record['key']}-s0"
    again = json.loads(command("evaluate", folder, "--device", "cpu", "--json").out)
    assert again["default"]["metrics"]["test/mAP"] == record["readouts"]["default"]["metrics"]["test/mAP"]
    assert command("data", "make", "other", "--preset", "tiny", "--seed", "5").code == 0
    other = json.loads(command("evaluate", folder, "--data", "other", "--device", "cpu", "--json").out)
    assert other["default"]["metrics"]["test/mAP"] != record["readouts"]["default"]["metrics"]["test/mAP"]
    assert command("export", folder, "model.safetensors").code == 0
    assert (tmp_path / "model.json").exists()
    repeated = json.loads(command("train", f"{folder}/config.json", "--storage", "again", "--json").out)
    assert (repeated["key"], repeated["seed"]) == (record["key"], 0)
    assert repeated["readouts"] == record["readouts"], "to the last digit"
    assert command("status", "single", "--storage", "runs").code == 2


@pytest.mark.parametrize(
    "component",
    [
        *(None, "mgn", "triplet", "synthetic", "tpe", "hyperband", "resnet50", "loss/graph", "scorer/graph"),
        *("sampler/tpe", "backbone/resnet10_thin", "data-set/market1501", "architecture/attributes"),
    ],
)
def test_schemas_are_json(command: Command, component: str | None) -> None:
    answer = command("schema", *([component] if component else []))
    assert json.loads(answer.out)["properties"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["schema", "mgm"], "did you mean 'mgn'?"),
        (["schema", "triplt"], "graph, grid, "),
        (["schema", "loss"], "'loss' is a family of components; allowed: loss/"),
        (["schema", "graph"], "component 'graph': loss/graph or scorer/graph?"),
        (["status"], "no study was run there yet"),
        (["report", "nothing"], "no study 'nothing' was run there"),
        (["evaluate", "nowhere"], "not a trial's folder"),
        (["run", "nowhere.yaml"], "no such file"),
        (["run", str(ROOT / "search_spaces/mgn.yaml"), "--address", "lcoal"], "--address lcoal: did you mean 'local'?"),
        (["run", "--set"], "requires an argument"),
    ],
)
def test_requests_that_cannot_be_met(command: Command, arguments: list[str], message: str) -> None:
    answer = command(*arguments)
    assert answer.code == 2
    assert message in answer.err


def test_doctor_says_what_the_machine_offers(command: Command) -> None:
    answer = command("doctor")
    assert answer.code == 0
    for name in ("torch", "CPU cores", "GPUs", "storage", "cache"):
        assert name in answer.out


@pytest.mark.parametrize("storage", [["--storage=~/runs"], ["--storage", "~/runs"]])
def test_a_home_folder_that_a_shell_left_is_found(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, storage: list[str]
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert f"{tmp_path}/home/runs (" in command("doctor", *storage).out


def test_the_release_is_told(command: Command) -> None:
    assert command("--version") == (0, f"reid-search {__version__}\n", "")


def test_a_shell_completes_the_names_of_studies(before: Path) -> None:
    words = {"_REID_SEARCH_COMPLETE": "complete_bash", "COMP_WORDS": "reid-search status be", "COMP_CWORD": "2"}
    (before.parent / "runs").mkdir()
    before.rename(before.parent / "runs" / "before")
    program = Path(sys.executable).with_name("reid-search")
    done = subprocess.run(
        [program], env=os.environ | words, cwd=before.parent, capture_output=True, text=True, check=False
    )
    assert done.stdout.split() == ["before"]

"""Arms that are told the truth in testing are marked in a plan, and refused beside others if that is not the question.

What an arm is told is known by hand here: `given` reads true maps, `parser` learns its own, `none` has none.
"""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from reid_search.cli.inspect import plan as show
from reid_search.data.synthetic.config import SyntheticConfig
from reid_search.data.synthetic.write import write_dataset
from reid_search.errors import StudyError
from reid_search.study import Study

Load = Callable[..., Study]

HEAD = """\
name: told
base:
  data: {name: synthetic, preset: tiny}
  model: {architecture: baseline, backbone: resnet10_thin}
axes:
  maps:
    variants:
      none: {}
      parser: {model: {architecture: spreid, maps: learnt}}
      given: {model: {architecture: spreid}}
  noise:
    variants:
      exact: {}
      noisy: {data: {nuisances: {mask_noise: 0.5}}}
  training.images: {choice: [320, 640]}
"""
ABLATION = HEAD + "phases:\n  - {kind: ablate, axes: [maps], seeds: 7}\n"
CLAIMS = HEAD + "phases:\n  - {kind: ablate, design: claims, seeds: 7}\nclaims:\n  "
SEARCH = HEAD + "phases:\n  - {kind: search, axes: [maps, training.images], sampler: random, trials: 6"
FACTORIAL = HEAD + "phases:\n  - {kind: ablate, design: factorial, seeds: 7}\n"
EACH = SEARCH + ", each: maps}\n"
TRUE = "maps: truth"
READS = f"'maps=given' reads {TRUE}, "


def _compared(text: str) -> str:
    return text + "privileged: compared\n"


@pytest.mark.parametrize(
    ("text", "place", "groups"),
    [
        (ABLATION, ":17: phases.0 (ablate)", "'baseline' and 'maps=parser' read nothing beside the image"),
        (
            CLAIMS + "true maps help: {better: {maps: given}}\n",
            ":19: claims.true maps help",
            "'baseline' reads nothing",
        ),
        (
            CLAIMS + "true beat learnt: {better: {maps: given}, than: {maps: parser}}\n",
            ":19: claims.true beat learnt",
            "'maps=parser' reads nothing beside the image",
        ),
        (
            CLAIMS + "noise hurts: {better: {noise: exact}, than: {noise: noisy}, where: {maps: given}}\n",
            ":19: claims.noise hurts",
            "'maps=given, noise=noisy' reads maps: truth with noise 0.5",
        ),
        (SEARCH + "}\n", ":17: phases.0 (search)", "'maps=none' and 'maps=parser' read nothing"),
        (FACTORIAL, ":17: phases.0 (ablate)", "and 6 more read nothing"),
        (
            EACH + "  - {kind: ablate, around: best, axes: [maps], seeds: 7}\n",
            ":18: phases.1 (ablate)",
            "'baseline' and 'maps=parser' read nothing",
        ),
    ],
)
def test_comparing_the_truth_with_anything_else_is_refused_by_name(
    text: str, place: str, groups: str, load: Load
) -> None:
    study = load(text)
    with pytest.raises(StudyError) as error:
        study.plan()
    message = str(error.value)
    assert (
        f"{place}: compares arms that are told the truth in testing with arms that are not told the same: " in message
    )
    assert re.search(rf"'maps=given.*' reads? {TRUE}, .*{groups}", message)
    assert "write `privileged: compared` if that is the question" in message
    load(_compared(text)).plan()


@pytest.mark.parametrize(
    "text",
    [
        CLAIMS
        + "longer is better: {better: {training.images: 640}, than: {training.images: 320}, where: {maps: given}}\n",
        CLAIMS + "learnt maps help: {better: {maps: parser}, than: {maps: none}}\n",
        CLAIMS + "time pays more with maps: {better: {training.images: 640}, grows: {maps: [none, given]}}\n",
        ABLATION.replace("none: {}", "none: {model: {architecture: spreid, combine: mean}}").replace(
            "maps: learnt", "combine: concat"
        ),
        ABLATION.replace("      given: {model: {architecture: spreid}}\n", ""),
        EACH,
    ],
)
def test_comparing_what_is_told_alike_is_fine(text: str, load: Load) -> None:
    load(text).plan()


def test_the_truth_is_read_from_a_folder_too(load: Load, tmp_path: Path) -> None:
    write_dataset(SyntheticConfig(name="synthetic", preset="unit"), tmp_path / "unit")
    here = ABLATION.replace("{name: synthetic, preset: tiny}", f"{{name: market1501, root: {tmp_path / 'unit'}}}")
    with pytest.raises(StudyError, match=f"{READS}'baseline' and 'maps=parser' read nothing"):
        load(here).plan()
    (tmp_path / "unit/manifest.json").unlink()
    load(here).plan()


def test_a_plan_marks_who_is_told_the_truth(load: Load, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = load(_compared(ABLATION)).plan()
    assert dict(told.phases[0].told) == {"maps=given": TRUE}
    assert [note for note in told.warnings if "told the truth" in note] == [
        "ablate: 'maps=given' is told the truth in testing (maps: truth), and the others are not; marked ‡"
    ]
    study = tmp_path / "told.yaml"
    study.write_text(_compared(ABLATION))
    show(study, storage=tmp_path)
    out = capsys.readouterr().out
    assert "maps=given ‡ " in out
    assert "maps=parser ‡" not in out
    assert "‡ told the truth in testing (maps: truth): maps=given" in out
    show(study, storage=tmp_path, as_json=True)
    assert json.loads(capsys.readouterr().out)["phases"][0]["told_the_truth"] == {"maps=given": TRUE}

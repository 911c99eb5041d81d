"""What makes two contrasts one: what they compare, not how it is written."""

import pytest

from reid_search.study import load_study
from reid_search.study.question.contrast_identity import normalised

STUDY = """\
name: s
base:
  data: {name: synthetic, preset: unit, holdout: 0.5}
  model: {architecture: baseline, backbone: resnet10_thin, embedding_dim: 64}
  training: {batch: {ids: 4, per_id: 2}}
  readouts: {default: {flip: false}, flipped: {flip: true}}
axes:
  model.embedding_dim: {choice: {small: 32, large: 128}}
  training.batch.ids: {choice: [2, 4]}
  data.seed: {choice: [5, 6]}
phases:
  - {kind: ablate, design: claims, seeds: 7}
claims:
  it: {better: {model.embedding_dim: large}, than: {model.embedding_dim: small}}
"""
CLAIM = "{better: {model.embedding_dim: large}, than: {model.embedding_dim: small}}"


@pytest.fixture
def contrast(tmp_path):
    """Return the contrast of the study's claim; each change replaces a part of its text."""

    def of(*changes, best=None):
        text = STUDY
        for before, after in changes:
            assert before in text
            text = text.replace(before, after)
        path = tmp_path / "s.yaml"
        path.write_text(text)
        study = load_study(path)
        phase = study.config.phases[-1]
        settings = {path: study.level(path, value) for path, value in best.items()} if best else None
        [name] = study.config.claims
        return study.contrast(name, phase, study.arms(phase, settings), settings)

    return of


@pytest.mark.parametrize(
    "change",
    [
        ("  it:", "  another name:"),
        ("design: claims, seeds: 7", "design: factorial, seeds: 9, name: again, axes: [model.embedding_dim]"),
        ("small", "narrow"),
        ("synthetic, preset: unit", "synthetic, preset: unit, seed: 7"),
        ("holdout: 0.5", "holdout: 0.25, split_seed: 3"),
        (CLAIM, CLAIM.replace("}}", "}, smallest_effect: 0.2}")),
        ("{default: {flip: false}", "{default: {flip: false, control: true}"),
        (CLAIM, CLAIM.replace("}}", "}, vanishes: {training.batch.ids: 2}}")),
        ("model: {", "model: {last_stride: 1, "),
    ],
)
def test_what_changes_nothing_that_is_compared_leaves_a_contrast_the_same(contrast, change):
    before, after = contrast(), contrast(change)
    assert (after.contrast, after.direction) == (before.contrast, before.direction)


@pytest.mark.parametrize(
    "change",
    [
        ("holdout: 0.5", "image_size: [96, 48]"),
        ("preset: unit", "preset: tiny"),
        ("backbone: resnet10_thin", "backbone: resnet18"),
        ("large: 128", "large: 256"),
        (CLAIM, CLAIM.replace("}}", "}, metric: rank1}")),
        (CLAIM, CLAIM.replace("}}", "}, readout: flipped}")),
        (CLAIM, CLAIM.replace("}}", "}, where: {training.batch.ids: 2}}")),
        (CLAIM, CLAIM.replace("}}", "}, grows: {training.batch.ids: [2, 4]}}")),
    ],
)
def test_what_changes_an_arm_or_its_test_makes_another_contrast(contrast, change):
    assert contrast(change).contrast != contrast().contrast


def test_the_opposite_claim_is_the_same_contrast_in_the_other_direction(contrast):
    grows = [CLAIM.replace("}}", f"}}, grows: {{training.batch.ids: {ids}}}}}") for ids in ([2, 4], [4, 2])]
    claims = ["{better: {model.embedding_dim: small}, than: {model.embedding_dim: large}}", *grows]
    plain, opposite, rising, falling = contrast(), *(contrast((CLAIM, claim)) for claim in claims)
    assert (plain.contrast, plain.direction) == (opposite.contrast, -opposite.direction)
    assert (rising.contrast, rising.direction) == (falling.contrast, -falling.direction)


def test_arms_that_differ_in_nothing_but_their_people_are_a_contrast_too(contrast):
    people = contrast((CLAIM, "{better: {data.seed: 6}, than: {data.seed: 5}}"))
    others = contrast((CLAIM, "{better: {data.seed: 6}}"))
    assert len({people.contrast, others.contrast, contrast().contrast}) == 3


def test_around_another_best_of_a_search_it_is_another_contrast(contrast):
    around = ("- {kind: ablate", "- {kind: search, trials: 2}\n  - {around: best, kind: ablate")
    found = [contrast(around, best={"training.batch.ids": ids, "data.seed": 5}) for ids in (2, 4, 4)]
    assert found[0].contrast != found[1].contrast
    assert found[1].contrast == found[2].contrast


def test_seeds_of_data_are_told_by_their_paths(contrast):
    assert contrast().data_seeds == {"data.seed": 0}
    on_validation = ("design: claims", "design: claims, evaluate: val")
    assert contrast(on_validation, ("holdout: 0.5", "holdout: 0.5, split_seed: 3")).data_seeds == {
        "data.seed": 0, "data.split_seed": 3,
    }  # fmt: skip


def test_weights_are_compared_up_to_a_factor():
    one, sign = normalised([("b", 2.0), ("a", -2.0), ("c", 0.0)])
    assert (one, sign) == ([("a", 1.0), ("b", -1.0)], -1)
    assert normalised([("a", 0.5), ("b", -0.1), ("b", -0.4)]) == (one, 1)
    assert normalised([("a", 1.0), ("a", -1.0)]) == ([], 1)

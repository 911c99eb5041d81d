import pytest

from reid_search.errors import StudyError
from reid_search.study import load_study

STUDY = """\
name: s
base:
  data: {name: synthetic, preset: unit}
  model: {architecture: baseline, backbone: resnet10_thin, embedding_dim: 64}
axes:
  model.embedding_dim: {choice: {small: 32, medium: 64, large: 128}}
  training.batch.ids: {choice: [4, 8, 12]}
  losses.triplet.margin: {uniform: [0.1, 1.0], levels: [0.3, 0.5], when: {training.batch.ids: [8, 12]}}
arms:
  wide: {model.embedding_dim: large}
phases:
  - PHASE
claims:
  it: CLAIM
"""
FACTORIAL, CLAIMS = "{kind: ablate, design: factorial}", "{kind: ablate, design: claims}"


@pytest.fixture
def study_of(tmp_path):
    def load(claim, phase=CLAIMS):
        path = tmp_path / "s.yaml"
        path.write_text(STUDY.replace("PHASE", phase).replace("CLAIM", claim))
        study = load_study(path)
        [ablation] = study.config.phases
        return study, ablation, study.arms(ablation)

    return load


def contrast_by_settings(study, phase, arms):
    """Return effect and control as weights of what an arm trains with."""
    contrast = study.contrast("it", phase, arms)
    assert contrast.missing == ()
    trained = {arm.name: (arm.config.model.embedding_dim, arm.config.training.batch.ids) for arm in arms}
    return tuple(
        {trained[name]: weight for name, weight in part.items()} for part in (contrast.effect, contrast.control)
    )


@pytest.mark.parametrize("phase", [FACTORIAL, CLAIMS])
@pytest.mark.parametrize(
    ("claim", "effect", "control"),
    [
        ("{better: {model.embedding_dim: large}}", {(128, 8): 1, (64, 8): -1}, {}),
        ("{better: {model.embedding_dim: 128}, than: {model.embedding_dim: 32}}", {(128, 8): 1, (32, 8): -1}, {}),
        (
            "{better: {model.embedding_dim: large}, where: {training.batch.ids: 4}, "
            "vanishes: {training.batch.ids: 12}}",
            {(128, 4): 1, (64, 4): -1},
            {(128, 12): 1, (64, 12): -1},
        ),
        (
            "{better: {model.embedding_dim: large}, grows: {training.batch.ids: [4, 12]}}",
            {(128, 12): 1, (64, 12): -1, (128, 4): -1, (64, 4): 1},
            {},
        ),
        (
            "{better: {model.embedding_dim: large}, shrinks: {training.batch.ids: [4, 8, 12]}}",
            {(128, 12): -1, (64, 12): 1, (128, 8): 0, (64, 8): 0, (128, 4): 1, (64, 4): -1},
            {},
        ),
    ],
)
def test_a_claim_is_a_weighted_sum_of_arms(study_of, claim, phase, effect, control):
    assert contrast_by_settings(*study_of(claim, phase)) == (effect, control)


def test_a_linear_change_has_the_trend_of_its_ends(study_of):
    study, phase, arms = study_of("{better: {model.embedding_dim: large}, grows: {training.batch.ids: [4, 8, 12]}}")
    ids_of = {arm.name: arm.config.training.batch.ids for arm in arms}
    large = {arm.name for arm in arms if arm.config.model.embedding_dim == 128}
    value = {name: 0.02 * ids * (name in large) + 0.1 * ids for name, ids in ids_of.items()}
    effect = study.contrast("it", phase, arms).effect
    assert sum(weight * value[name] for name, weight in effect.items()) == pytest.approx(0.02 * (12 - 4))


def test_the_design_of_claims_has_what_they_need_and_no_more(study_of):
    _, _, arms = study_of("{better: {model.embedding_dim: large}, where: {training.batch.ids: 12}}")
    assert {(arm.config.model.embedding_dim, arm.config.training.batch.ids) for arm in arms} == {(128, 12), (64, 12)}
    assert "baseline" not in [arm.name for arm in arms]


def test_an_arm_that_exists_under_a_condition_only_is_found(study_of):
    claim = "{better: {training.batch.ids: 8}, than: {training.batch.ids: 4}}"
    assert contrast_by_settings(*study_of(claim)) == ({(64, 8): 1, (64, 4): -1}, {})


def test_a_claim_stands_around_the_centre_of_its_phase(study_of):
    claim = "{better: {training.batch.ids: 12}}"
    phase = "{kind: ablate, design: one_factor, around: wide}"
    assert contrast_by_settings(*study_of(claim, phase)) == ({(128, 12): 1, (128, 8): -1}, {})


@pytest.mark.parametrize(
    ("claim", "phase", "message"),
    [
        ("{better: {model.embeding_dim: large}}", CLAIMS, "did you mean 'model.embedding_dim'"),
        ("{better: {model.embedding_dim: larg}}", CLAIMS, "did you mean 'large'"),
        ("{better: {losses.triplet.margin: 3.0}}", CLAIMS, "3.0 is not a level of this axis"),
        ("{better: {}}", CLAIMS, "claims.it.better"),
        (
            "{better: {model.embedding_dim: large}, than: {model.embedding_dim: large}}",
            CLAIMS,
            "the settings of `better`",
        ),
        ("{better: {model.embedding_dim: large}, grows: {training.batch.ids: [4]}}", CLAIMS, "at least two levels"),
        (
            "{better: {model.embedding_dim: large}, grows: {training.batch.ids: [4, 8]}, "
            "shrinks: {training.batch.ids: [4, 8]}}",
            CLAIMS,
            "either grows or shrinks",
        ),
        (
            "{better: {model.embedding_dim: large}, where: {training.batch.ids: 12}, "
            "vanishes: {training.batch.ids: 12}}",
            CLAIMS,
            "claims.it.vanishes: under these settings the effect is the claimed one itself",
        ),
        (
            "{better: {model.embedding_dim: large}, vanishes: {training.batch.ids: 8}}",
            CLAIMS,
            "claims.it.vanishes: under these settings the effect is the claimed one itself",
        ),
        ("{better: {model.embedding_dim: large}, phase: ablat}", CLAIMS, "did you mean 'ablate'"),
        ("{better: {model.embedding_dim: large}, readout: defualt}", CLAIMS, "did you mean 'default'"),
        ("{better: {model.embedding_dim: large}, smallest_effect: 0}", CLAIMS, "smallest_effect"),
        (
            "{better: {model.embedding_dim: large}, where: {training.batch.ids: 12}}",
            "{kind: ablate, design: one_factor}",
            "needs the arm model.embedding_dim=large, training.batch.ids=12",
        ),
    ],
)
def test_a_claim_that_cannot_be_decided_is_one_clear_error(study_of, claim, phase, message):
    with pytest.raises(StudyError, match=r"s\.yaml:1[34]") as error:
        study_of(claim, phase)
    assert message in str(error.value)


def test_a_design_of_claims_needs_one(tmp_path):
    path = tmp_path / "s.yaml"
    path.write_text(STUDY.partition("claims:\n")[0].replace("PHASE", CLAIMS))
    with pytest.raises(StudyError, match="the study makes no claim"):
        load_study(path)

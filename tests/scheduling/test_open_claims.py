"""From claims in a study file to answers in its report, over a run whose trials have values from a table."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from analysis.answers.claims import answer_claims
from analysis.reading.arms import arms_table
from reid_search.records import StudyStore, read_state
from reid_search.study import TrialConfig

MakeDriver = Callable[..., Any]

AXES = {"model.embedding_dim": {"choice": [16, 32]}, "losses.triplet.margin": {"choice": [0.3, 0.5]}}
CLAIMS = {
    "wider is better": {
        "better": {"model.embedding_dim": 32},
        "than": {"model.embedding_dim": 16},
        "where": {"losses.triplet.margin": 0.3},
        "vanishes": {"losses.triplet.margin": 0.5},
    },
    "a margin helps": {
        "better": {"losses.triplet.margin": 0.5},
        "than": {"losses.triplet.margin": 0.3},
        "where": {"model.embedding_dim": 32},
    },
}


def value(config: TrialConfig) -> float:
    wide, margin = config.model.embedding_dim == 32, getattr(config.losses["triplet"], "margin", None)
    return 0.3 + (0.05 * wide if margin == 0.3 else 0.0)


@pytest.mark.parametrize("design", ["claims", "factorial"])
def test_claims_are_written_down_before_anything_runs_and_answered_after(
    table_driver: MakeDriver, tmp_path: Path, design: str
) -> None:
    phases = [{"kind": "ablate", "design": design, "seeds": 7}]
    driver = table_driver(value, axes=AXES, phases=phases, claims=CLAIMS)
    driver.run()
    state = read_state(StudyStore(tmp_path / "runs", "small"))
    answers = {answer.claim.name: answer for answer in answer_claims(state, arms_table(state))}
    wider, margin = answers["wider is better"], answers["a margin helps"]
    assert wider.effect.delta == pytest.approx(0.05)
    assert wider.control is not None
    assert wider.control.delta == pytest.approx(0.0)
    assert wider.verdict == "supported"
    assert margin.effect.delta == pytest.approx(-0.05)
    assert margin.verdict == "contradicted"
    kinds = [item.named for item in StudyStore(tmp_path / "runs", "small").log.read()]
    assert kinds[:3] == ["run", "claim", "claim"]
    assert kinds.index("contrast") > kinds.index("ask")
    assert len({job.trial for job in driver.started}) >= 4 * 7


def test_a_claim_whose_arms_come_with_a_later_phase_is_decided_there(table_driver: MakeDriver, tmp_path: Path) -> None:
    phases = [
        {"kind": "ablate", "name": "first", "axes": ["model.embedding_dim"], "seeds": 7},
        {"kind": "ablate", "name": "second", "design": "factorial", "seeds": 7},
    ]
    table_driver(value, axes=AXES, phases=phases, claims=CLAIMS).run()
    claims = read_state(StudyStore(tmp_path / "runs", "small")).claims
    assert [(claim.name, claim.phase, claim.missing) for claim in claims] == [
        ("wider is better", "second", ()), ("a margin helps", "second", ()),
    ]  # fmt: skip

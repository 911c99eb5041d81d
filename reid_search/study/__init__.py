"""Study files: YAML to a validated study, to arms and trials; and the registry of components. No torch, no ray."""

from reid_search.study.component import (
    ARCHITECTURES,
    BACKBONES,
    DATASETS,
    LOSSES,
    PRUNERS,
    SAMPLERS,
    SCORERS,
    ComponentFamily,
    Config,
    EntryError,
)
from reid_search.study.loading import TrialFile, load_study, load_trial_file
from reid_search.study.question.axes import Axis, Level
from reid_search.study.question.designs.arms import BASELINE, Arm
from reid_search.study.question.phases import AblatePhase, Resources, SearchPhase
from reid_search.study.question.plan import Fingerprints, PhasePlan, Plan, PlannedTrial, planned_trials
from reid_search.study.question.searching import PrunerConfig, SamplerConfig
from reid_search.study.question.space import Settings, Space, Tuned
from reid_search.study.question.study import Study
from reid_search.study.question.study_config import StudyConfig
from reid_search.study.rules import MARKET_RULE, EvaluationRule, SingleShot
from reid_search.study.trial.config import DataConfig, LossConfig, ModelConfig, ReadoutConfig, ScorerConfig
from reid_search.study.trial.key import SCHEMA_VERSION, schema_of, trial_key
from reid_search.study.trial.side_cars import SideCar
from reid_search.study.trial.taps import Scope, Stage, TapSpec, select_taps
from reid_search.study.trial.training import StageConfig, TrainingConfig
from reid_search.study.trial.trial import EntryName, TrialConfig

__all__ = [
    "ARCHITECTURES", "BACKBONES", "BASELINE", "DATASETS", "LOSSES", "MARKET_RULE", "PRUNERS", "SAMPLERS",
    "SCHEMA_VERSION", "SCORERS", "AblatePhase", "Arm", "Axis", "ComponentFamily", "Config", "DataConfig",
    "EntryError", "EntryName", "EvaluationRule", "Fingerprints", "Level", "LossConfig", "ModelConfig", "PhasePlan",
    "Plan", "PlannedTrial", "PrunerConfig", "ReadoutConfig", "Resources", "SamplerConfig", "Scope", "ScorerConfig",
    "SearchPhase", "Settings", "SideCar", "SingleShot", "Space", "Stage", "StageConfig", "Study", "StudyConfig",
    "TapSpec", "TrainingConfig", "TrialConfig", "TrialFile", "Tuned", "load_study", "load_trial_file",
    "planned_trials", "schema_of", "select_taps", "trial_key",
]  # fmt: skip

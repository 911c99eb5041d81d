"""The ledger: what a study and its trials leave on disk, and what that means.

<storage>/<study>/study.yaml, asked.jsonl         the study as resolved; the log of its events
<storage>/<study>/trials/<key>-s<seed>/
    config.json      the trial's config, defaults filled in, with its seed, data fingerprint and code
    epochs.jsonl     a line per epoch: `epoch`, `images_seen`, `loss`, `val/mAP`, ...
    record.json      written last, atomically; without it, the trial is running or was interrupted
    readouts/<name>/per_query.parquet
    checkpoint/

`read_state` turns all of it into the state of a study; everything that shows a number reads that state.
"""

from reid_search.records.best import best_of, candidates, fresh_values, unlike_finalists
from reid_search.records.claims import Claim
from reid_search.records.code import CodeVersion, code_of
from reid_search.records.collapse import Collapse, SeedCounts, collapse_of, knows_untrained
from reid_search.records.contrasts import (
    Attempt,
    ClaimedContrast,
    Ended,
    Sample,
    View,
    asked_the_same,
    attempts_of,
    contrasts_of,
    looks_of,
    views_of,
)
from reid_search.records.events import (
    ArmAsked,
    Ask,
    CandidateAsked,
    ClaimMade,
    ContrastDrawn,
    Event,
    FinalistAsked,
    PlannedPhase,
    Proposal,
    RunDone,
    RunStarted,
    StepChosen,
    TrialLost,
    TrialStopped,
)
from reid_search.records.folder import TrialFolder
from reid_search.records.identity import Status, TrialId
from reid_search.records.like_code import of_both
from reid_search.records.log import LogWriter, StudyLog
from reid_search.records.other_code import OtherCode, other_code
from reid_search.records.record import DataUse, ReadoutResult, Record, RunContext
from reid_search.records.remeasured import Progress, progress_of
from reid_search.records.replay import History
from reid_search.records.state import StudyReader, StudyState, read_state
from reid_search.records.store import Storage, StudyStore
from reid_search.records.trial import (
    Trial,
    asked_readouts,
    epoch_column,
    own_readout,
    read_trial,
    standing_readout,
    status_of,
    value_of,
    whose_column,
)
from reid_search.records.weights import LoadedWeights, ResizedTable

__all__ = [
    "ArmAsked",
    "Ask",
    "Attempt",
    "CandidateAsked",
    "Claim",
    "ClaimMade",
    "ClaimedContrast",
    "CodeVersion",
    "Collapse",
    "ContrastDrawn",
    "DataUse",
    "Ended",
    "Event",
    "FinalistAsked",
    "History",
    "LoadedWeights",
    "LogWriter",
    "OtherCode",
    "PlannedPhase",
    "Progress",
    "Proposal",
    "ReadoutResult",
    "Record",
    "ResizedTable",
    "RunContext",
    "RunDone",
    "RunStarted",
    "Sample",
    "SeedCounts",
    "Status",
    "StepChosen",
    "Storage",
    "StudyLog",
    "StudyReader",
    "StudyState",
    "StudyStore",
    "Trial",
    "TrialFolder",
    "TrialId",
    "TrialLost",
    "TrialStopped",
    "View",
    "asked_readouts",
    "asked_the_same",
    "attempts_of",
    "best_of",
    "candidates",
    "code_of",
    "collapse_of",
    "contrasts_of",
    "epoch_column",
    "fresh_values",
    "knows_untrained",
    "looks_of",
    "of_both",
    "other_code",
    "own_readout",
    "progress_of",
    "read_state",
    "read_trial",
    "standing_readout",
    "status_of",
    "unlike_finalists",
    "value_of",
    "views_of",
    "whose_column",
]

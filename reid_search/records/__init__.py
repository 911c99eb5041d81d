"""What a trial leaves on disk: the one contract between running and analysing.

<store>/<study>/trials/<key>-s<seed>/
    config.json      the trial's config, defaults filled in, with its seed and data fingerprint
    epochs.jsonl     a line per epoch: `epoch`, `images_seen`, `loss`, `val/mAP`, ...
    record.json      written last, atomically; its absence means running or interrupted
    readouts/<name>/per_query.parquet
    checkpoint/
"""

from reid_search.records.asked import AskedLog
from reid_search.records.folder import TrialFolder, trial_folder_name
from reid_search.records.record import ReadoutResult, Record, RunContext
from reid_search.records.store import StudyStore

__all__ = [
    "AskedLog",
    "ReadoutResult",
    "Record",
    "RunContext",
    "StudyStore",
    "TrialFolder",
    "trial_folder_name",
]

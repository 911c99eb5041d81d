"""Which number is whose."""

from reid_search.records import StudyStore, epoch_column, read_trial


def test_the_first_readout_s_metrics_are_plain_in_an_epoch_s_row() -> None:
    readouts = ["first", "default"]
    assert epoch_column(readouts, None, "val/mAP") == epoch_column(readouts, "first", "val/mAP") == "val/mAP"
    assert epoch_column(readouts, "default", "val/mAP") == "default/val/mAP"


def test_a_curve_is_one_readouts_metric_where_it_was_measured(tmp_path):
    store = StudyStore(tmp_path, "study")
    folder = store.trial("a" * 16, 7)
    config = {"readouts": {"first": {}, "default": {}}}
    folder.write_config({"key": "a" * 16, "seed": 7, "data_fingerprint": "0" * 16, "config": config})
    folder.append_epoch({"epoch": 1, "images_seen": 50, "loss": 2.0, "val/mAP": 0.1, "default/val/mAP": 0.2})
    folder.append_epoch({"epoch": 2, "images_seen": 100, "loss": 1.0})
    folder.append_epoch({"epoch": 3, "images_seen": 150, "loss": 0.5, "val/mAP": 0.3, "default/val/mAP": 0.4})
    trial = read_trial(folder)
    assert trial.curve("first", "val/mAP") == trial.curve(None, "val/mAP") == {1: 0.1, 3: 0.3}
    assert trial.curve("default", "val/mAP") == {1: 0.2, 3: 0.4}
    assert trial.curve("default", "val/rank1") == {}
    assert set(trial.columns) == {"epoch", "val/mAP", "default/val/mAP"}

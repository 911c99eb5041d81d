"""Which number is whose."""

from reid_search.records import epoch_column


def test_the_first_readout_s_metrics_are_plain_in_an_epoch_s_row() -> None:
    readouts = ["first", "default"]
    assert epoch_column(readouts, None, "val/mAP") == epoch_column(readouts, "first", "val/mAP") == "val/mAP"
    assert epoch_column(readouts, "default", "val/mAP") == "default/val/mAP"

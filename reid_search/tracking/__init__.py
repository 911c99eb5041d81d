"""MLflow as a projection of a study's store: it can be deleted at any time and made again from the records.

A study has one experiment and one parent run; a trial has a child run. Each run is looked up by a tag before it is
created, and holds what the store holds, however often it is updated. MLflow is imported only at the first write.
"""

from typing import TYPE_CHECKING

from reid_search.lazy import lazy_names

if TYPE_CHECKING:
    from reid_search.tracking.background import BackgroundSink
    from reid_search.tracking.place import tracking_uri
    from reid_search.tracking.projection import Projection
    from reid_search.tracking.syncing import SyncResult, sync_study
    from reid_search.tracking.ui import page_addresses, serve_ui, ui_command

__all__ = [
    "BackgroundSink",
    "Projection",
    "SyncResult",
    "page_addresses",
    "serve_ui",
    "sync_study",
    "tracking_uri",
    "ui_command",
]

__getattr__ = lazy_names(
    __name__,
    {
        "BackgroundSink": "background",
        "Projection": "projection",
        "SyncResult": "syncing",
        "page_addresses": "ui",
        "serve_ui": "ui",
        "sync_study": "syncing",
        "tracking_uri": "place",
        "ui_command": "ui",
    },
)

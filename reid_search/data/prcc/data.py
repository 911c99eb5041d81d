"""Loading PRCC."""

from reid_search.data.dataset import load_folder as load

__all__ = ["load"]

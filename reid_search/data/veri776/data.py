"""Loading VeRi-776."""

from reid_search.data.dataset import load_folder as load

__all__ = ["load"]

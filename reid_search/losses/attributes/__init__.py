"""Attributes: the 27 of Market-1501, each a classification (Lin et al. 2019)."""

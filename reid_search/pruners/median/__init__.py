"""The median rule (Golovin et al. 2017)."""

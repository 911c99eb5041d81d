"""Centre loss (Wen et al. 2016)."""

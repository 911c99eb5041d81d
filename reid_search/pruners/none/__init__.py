"""No pruner: every trial runs to its end."""

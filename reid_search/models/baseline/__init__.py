"""The baseline: one global branch."""

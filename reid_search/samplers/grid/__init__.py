"""Every combination of levels."""

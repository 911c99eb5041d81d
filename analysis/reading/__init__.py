"""Tables of what trials left on disk: one row per trial, arm or proposal."""

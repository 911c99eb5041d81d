"""Identities in the gallery that are no person."""

JUNK = -1
"""An image that no ranking counts."""
DISTRACTOR = 0
"""An image of nobody who is searched for; it is never a match."""

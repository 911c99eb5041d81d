"""Identities in the gallery that stand for no person."""

JUNK = -1
"""An image that every ranking ignores."""
DISTRACTOR = 0
"""An image of someone who is never a query, so that it never matches."""

"""From tables to what a reader wants to know: how a search went, what each arm is worth."""

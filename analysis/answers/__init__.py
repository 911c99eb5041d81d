"""What a reader wants to know: how a search went, what each arm is worth, which claims hold."""

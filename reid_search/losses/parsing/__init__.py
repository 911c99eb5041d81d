"""Parsing: the body part at each place of a map."""

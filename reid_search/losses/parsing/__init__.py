"""Parsing: which part of the body each place of a map shows."""

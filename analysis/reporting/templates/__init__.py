"""The templates of the report, as package data."""

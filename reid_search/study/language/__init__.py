"""The language of study files: YAML with places, how layers become one, what may stand where, and how mistakes read."""

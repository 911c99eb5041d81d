"""The language of study files: YAML with the place of each entry, merging of layers, components, error messages."""

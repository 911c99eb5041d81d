"""The control of part branches: as many heads as a branch with stripes has, none of which sees a stripe."""

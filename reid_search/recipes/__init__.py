"""Published systems as fragments of a trial, one file each, every entry with its source.

`recipe: pcb` in a study's base, in a named arm or in a variant of an axis takes one; what the study writes beside it is
laid over it.
Sources are marked [r] where they were read in the paper or the authors' code, and [i] where they are inferred.
"""

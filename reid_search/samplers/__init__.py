"""Who proposes the settings of a search. A sampler has a config without Optuna, and a module that builds it.

It is made anew for each proposal, with a seed of that proposal's own, and may use nothing but this seed and the trials
of the Optuna study: their parameters, values and states.
"""

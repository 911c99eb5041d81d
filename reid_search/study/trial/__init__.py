"""One trial: the bases of its components' configs, taps, training, and the key under which it is measured once."""

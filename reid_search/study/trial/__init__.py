"""One trial: base classes of its components' configs, taps, training, and the key under which it is stored."""

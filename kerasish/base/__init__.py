"""Floor 0: what everything else may rely on. Standard library and NumPy only."""

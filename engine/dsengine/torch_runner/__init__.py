"""Models of transformers, run by torch on cuda, mps or the CPU."""

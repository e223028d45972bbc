"""Models as MLX runs them, on the GPU of a Mac."""

"""GGUF files, run by llama.cpp in this process: on the CPU, Metal or CUDA, as it was built."""

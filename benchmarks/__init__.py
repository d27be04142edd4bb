"""One script per table: each runs its peers interleaved, several times, and writes ratios to `results/`."""

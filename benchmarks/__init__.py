"""How fast siaghsync is beside the bare wire, how much memory it takes, and how many requests: `python -m benchmarks`."""

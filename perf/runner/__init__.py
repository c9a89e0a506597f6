"""What perf/bench.py is made of."""

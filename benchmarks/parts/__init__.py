"""The parts of the benchmark, each a function that yields its cases."""

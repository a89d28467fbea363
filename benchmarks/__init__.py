"""What is measured. `python -m benchmarks` runs the modules here that have a `run()` and writes `RESULTS.md`."""

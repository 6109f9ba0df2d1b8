"""Benchmarks: mailproxy beside a direct connection and beside other recorders, in one run, on loopback.

`python -m tests.bench` prints a Markdown table; `--help` tells the rest. pytest collects nothing here.
"""

"""What a page may weigh and how fast a control must answer; measured by benchmarks/page, gated in the tests."""
MOST_BEFORE = 900_000  # bytes on a first visit, compressed, before any click
MOST_AFTER = 8_000_000  # bytes that one start transfers, compressed
ANSWER_MS = {200: 250, 1000: 500}  # from a control move to the new picture, by number of jobs, on two idle cores
SLURM_MS = 300  # the same for a figure of 300 jobs under the simulated Slurm
CALCULATOR_MS = 100  # the same for the calculator
ALLOWANCE = 3  # the tests share their machine: they allow this many times the wanted time

"""``python -m benchmarks``: every benchmark in turn; the exit code is 1 if one of them misses what is wanted."""
from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
YARDSTICK = {"heap_reference.py", "gen_workload.py"}  # the fixed reference is run by the others, not by itself


def main() -> int:
    scripts = [p for p in sorted(HERE.glob("*.py")) if p.name not in YARDSTICK and not p.name.startswith("_")]
    scripts += sorted(HERE.glob("*/measure.py"))
    worst = 0
    for script in scripts:
        print(f"== {script.relative_to(HERE.parent)}", flush=True)
        worst = max(worst, subprocess.run([sys.executable, str(script)], check=False).returncode)
    return worst


if __name__ == "__main__":
    sys.exit(main())

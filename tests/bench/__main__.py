"""``make bench``: every ``bench_*.py`` beside this file, one after another."""

import importlib
from pathlib import Path

for path in sorted(Path(__file__).parent.glob("bench_*.py")):
    print(f"== {path.stem}", flush=True)
    importlib.import_module(f"tests.bench.{path.stem}").main()

"""Run the benchmarks (or those named) on PostgreSQL, in a database of their own; 1 where one is too slow."""

import os
import sys
import tempfile
from importlib import import_module

import django


def main() -> int:
    """Write one line for each figure."""
    with tempfile.TemporaryDirectory(prefix="ocadmin-bench-") as folder:
        os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
        os.environ["OCADMIN_DATA_DIR"] = folder
        django.setup()
        return int(import_module("tests.bench.run").main(sys.argv[1:]))


if __name__ == "__main__":
    sys.exit(main())

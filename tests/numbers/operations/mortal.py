"""`python -m tests.numbers.operations.mortal KIND [EVERY]`: mortal_loop.py in a database and a folder of its own."""

import os
import sys
import tempfile
from importlib import import_module
from pathlib import Path

import django


def main() -> None:
    """Set the scene before anything of Django is imported."""
    with tempfile.TemporaryDirectory(prefix="ocadmin-mortal-") as folder:
        os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
        os.environ["OCADMIN_DATA_DIR"] = folder
        os.environ["DATABASE_URL"] = f"sqlite:///{folder}/console.sqlite3"
        django.setup()
        import_module("tests.numbers.operations.mortal_loop").main(
            sys.argv[1], Path(folder), int(sys.argv[2]) if len(sys.argv) > 2 else 1
        )


if __name__ == "__main__":
    main()

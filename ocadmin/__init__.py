"""The project: its wiring, and the rooms that every screen shares.

The app in the top-level folder `numbers` is imported as `ocadmin.numbers`. A regular package called `numbers`
on the path would shadow the standard library's module of that name (decimal, fractions and Celery import it), so
that folder has no `__init__.py` and is reached through this package's search path instead.
"""

from pathlib import Path

__path__.append(str(Path(__file__).resolve().parent.parent))

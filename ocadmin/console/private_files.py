"""Files that people bring or fetch: kept in the data directory, readable by this process only, for a set time.

They are never served as static files. Where web and workers run on several machines, the data directory's `private`
has to be one that all of them see.
"""

import time
from pathlib import Path

from django.conf import settings


def folder(name: str) -> Path:
    """The folder of one kind of file, made on first use."""
    path = settings.ENV.data_dir / "private" / name
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


def forget(name: str, hours: float) -> int:
    """Delete the files of a kind that are older than this. Returns how many there were."""
    limit = time.time() - hours * 3600
    old = [path for path in folder(name).iterdir() if _older(path, limit)]
    for path in old:
        path.unlink(missing_ok=True)
    return len(old)


def _older(path: Path, limit: float) -> bool:
    """Whether it is a file from before this moment. Another process may have deleted it since it was listed."""
    try:
        return path.is_file() and path.stat().st_mtime < limit
    except FileNotFoundError:
        return False

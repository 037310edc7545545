"""How many queries a screen may cost: query_budgets.json. A higher budget is a visible change of that file."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.db import connection
from django.test.utils import CaptureQueriesContext

BUDGETS: dict[str, int] = json.loads(Path(__file__).with_name("query_budgets.json").read_text())


@contextmanager
def budget(screen: str) -> Iterator[None]:
    """Fails when the block needs more queries than the screen may cost; session, person and memberships included.

    Transaction commands are not counted: they come from the test's own transaction.
    """
    allowed = BUDGETS[screen]
    with CaptureQueriesContext(connection) as captured:
        yield
    queries = [query["sql"] for query in captured if not query["sql"].startswith(("SAVEPOINT", "RELEASE", "BEGIN"))]
    listed = "\n".join(f"{place:3} {sql[:300]}" for place, sql in enumerate(queries, 1))
    assert len(queries) <= allowed, f"{screen} needs {len(queries)} queries, its budget is {allowed}:\n{listed}"

"""The SIP connections of a number, as the list shows them: by its customer and calling profile.

A subquery for every row costs more than all the rest. There are few pairs: their texts travel with the query.
"""

import json
from uuid import UUID

from django.db import connection
from django.db.models import TextField, Value

from ocadmin.console.spreadsheet import harmless

from ..models import SipConnection
from .sql import Sql, define

FUNCTION = "export_sip"  # on SQLite only


def connections(guarded: bool) -> Sql:
    """The text for a row of numbers, as it is now. Good for one query on this thread's connection."""
    texts = {pair: harmless(text) if guarded else text for pair, text in names().items()}
    held = ""
    if connection.vendor == "postgresql":
        held = json.dumps({f"{customer}/{profile}": text for (customer, profile), text in texts.items()})
    else:
        by_digits = {(customer, profile.hex): text for (customer, profile), text in texts.items()}
        define(FUNCTION, 2, lambda customer, profile: by_digits.get((customer, profile)))
    return Sql(
        "{0}::jsonb ->> ({1} || '/' || {2}::text)",
        Value(held, output_field=TextField()),
        "customer_id",
        "calling_profile_id",
        sqlite=f"{FUNCTION}({{1}}, {{2}})",
    )


def names() -> dict[tuple[int, UUID], str]:
    """(customer, profile) to the names of the connections, in order."""
    found: dict[tuple[int, UUID], list[str]] = {}
    rows = SipConnection.objects.order_by().values_list("customer_id", "calling_profile_id", "name", "sbc__name")
    for customer, profile, name, sbc in rows:
        found.setdefault((customer, profile), []).append(name or sbc)
    return {pair: ", ".join(sorted(texts)) for pair, texts in found.items()}

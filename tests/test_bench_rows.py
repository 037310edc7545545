"""The rows of the benchmarks are made by SQL: they have to keep step with the models."""

import pytest
from django.db.models import AutoField, Model

from ocadmin.numbers.models import CallingProfile, CivicAddress, Customer, Location, PhoneNumber, SipConnection

from .bench import exporting_rows

ROWS: list[tuple[type[Model], dict[str, str]]] = [
    (Customer, exporting_rows._CUSTOMER),
    (CallingProfile, exporting_rows._PROFILE),
    (CivicAddress, exporting_rows._ADDRESS),
    (Location, exporting_rows._LOCATION),
    (SipConnection, exporting_rows._SIP),
    (PhoneNumber, exporting_rows._NUMBER),
]


@pytest.mark.parametrize(("model", "columns"), ROWS)
def test_every_column_that_has_to_be_there_is(model: type[Model], columns: dict[str, str]) -> None:
    fields = model._meta.concrete_fields
    assert columns.keys() <= {field.column for field in fields}
    needed = {
        field.column
        for field in fields
        if not (field.null or field.has_db_default() or isinstance(field, AutoField) or field.generated)
    }
    assert needed <= columns.keys()

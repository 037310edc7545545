"""The benchmarks' own rows: they are written in SQL, which does not learn of a new column by itself."""

import pytest

from ocadmin.numbers.models import PhoneNumber
from tests.bench import exporting_rows


@pytest.mark.django_db(transaction=True)
def test_the_rows_can_be_made() -> None:
    exporting_rows.fill(10)
    assert PhoneNumber.objects.count() == 10

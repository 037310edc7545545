"""Rules that hold whatever code writes: the constraints of the data model, on both databases."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, models, transaction
from django.utils import timezone

from ocadmin.numbers.models import PhoneNumber
from sbc.models import DialPlanRule
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("factory", "values"),
    [
        (factories.PhoneNumberFactory, {"status": 9}),
        (factories.PhoneNumberFactory, {"source": "fax"}),
        (factories.PhoneNumberFactory, {"e164": "442079460000"}),
        (factories.PhoneNumberFactory, {"aslv_code": 201}),
        (factories.ReleasedNumberFactory, {"quarantine_until": timezone.now() - timedelta(days=1)}),
        (factories.TaskFactory, {"state": "lost"}),
        (factories.TaskFactory, {"state": "succeeded"}),
        (factories.TaskItemFactory, {"state": "lost"}),
    ],
)
def test_the_database_refuses(factory: Any, values: dict[str, Any]) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        factory(**values)


@pytest.mark.parametrize(
    ("factory", "same"),
    [
        (factories.PhoneNumberFactory, {"e164": "+442079460999"}),
        (factories.CustomerFactory, {"tenant_id": "11111111-1111-1111-1111-111111111111"}),
        (factories.SBCFactory, {"name": "one"}),
        (factories.SBCFactory, {"fqdn": "one.example.net"}),
    ],
)
def test_what_there_is_only_one_of(factory: Any, same: dict[str, Any]) -> None:
    factory(**same)
    with pytest.raises(IntegrityError), transaction.atomic():
        factory(**same)


def test_a_location_never_stands_without_its_address() -> None:
    location = factories.LocationFactory()
    factories.PhoneNumberFactory(location=location, civic_address=location.civic_address)
    with pytest.raises(IntegrityError), transaction.atomic():
        factories.PhoneNumberFactory(location=location, civic_address=None)


def test_a_prefix_is_kept_without_its_end_mark() -> None:
    sbc = factories.SBCFactory()
    with pytest.raises(IntegrityError), transaction.atomic():
        DialPlanRule.objects.create(sbc=sbc, prefix="+442079460000#")


@pytest.mark.parametrize("of", ["customer", "calling_profile", "civic_address"])
def test_what_a_number_points_at_cannot_be_deleted(of: str) -> None:
    number = factories.PhoneNumberFactory(civic_address=factories.CivicAddressFactory())
    with pytest.raises(models.ProtectedError):
        getattr(number, of).delete()
    assert PhoneNumber.objects.filter(pk=number.pk).exists()

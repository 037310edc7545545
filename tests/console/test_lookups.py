"""`__among` finds what `__in` finds."""

import pytest

from ocadmin.numbers.models import PhoneNumber
from tests.factories import PhoneNumberFactory

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("count", [0, 1, 1500])
def test_it_finds_what_in_finds(count: int) -> None:
    numbers = PhoneNumberFactory.create_batch(3)
    pks = [number.pk for number in numbers[:2]] + list(range(10**6, 10**6 + count))
    texts = [number.e164 for number in numbers[:2]] + [f"+{n}" for n in range(count)]
    two = {number.pk for number in numbers[:2]}
    assert set(PhoneNumber.objects.filter(pk__among=pks).values_list("pk", flat=True)) == two
    assert set(PhoneNumber.objects.filter(e164__among=texts).values_list("pk", flat=True)) == two
    assert PhoneNumber.objects.exclude(e164__among=texts).count() == 1
    assert not PhoneNumber.objects.filter(e164__among=[]).exists()


@pytest.mark.parametrize("text", ["", "NULL", '"', "\\", '\\"', "{a,b}", "a,b", "%s", "ü"])
def test_any_text_stands_for_itself(text: str) -> None:
    PhoneNumberFactory(note=text)
    PhoneNumberFactory(note="other")
    assert PhoneNumber.objects.get(note__among=[text]).note == text

"""The same file by django-import-export as it comes: a ModelResource, with foreign keys looked up by what it names."""

from pathlib import Path

from django.db import connection
from import_export import fields, resources, widgets
from tablib import Dataset

from ocadmin.numbers.models import CallingProfile, CivicAddress, Customer, Location, PhoneNumber

from .measure import seconds


class Defaults(resources.ModelResource):
    """Nothing but the columns and the fields that they go to."""

    telephoneNumber = fields.Field("e164", "telephoneNumber")
    msTenantId = fields.Field("customer", "msTenantId", widgets.ForeignKeyWidget(Customer, "tenant_id"))
    callingProfileId = fields.Field("calling_profile", "callingProfileId", widgets.ForeignKeyWidget(CallingProfile))
    usage = fields.Field("usage", "usage")
    civicAddressId = fields.Field("civic_address", "civicAddressId", widgets.ForeignKeyWidget(CivicAddress))
    locationId = fields.Field("location", "locationId", widgets.ForeignKeyWidget(Location))
    country = fields.Field("iso_country_code", "country")
    note = fields.Field("note", "note")

    class Meta:
        model = PhoneNumber
        fields = (
            "telephoneNumber",
            "msTenantId",
            "callingProfileId",
            "usage",
            "civicAddressId",
            "locationId",
            "country",
            "note",
        )
        import_id_fields = ("telephoneNumber",)

    def before_save_instance(self, instance: PhoneNumber, row: object, **kwargs: object) -> None:
        """The model cannot be saved without a status."""
        instance.status = 4


def seconds_of(path: Path) -> float:
    """How long its import takes, once: it is slow."""
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE numbers_phonenumber CASCADE")
    data = Dataset().load(path.read_text(), format="csv")

    def work() -> None:
        result = Defaults().import_data(data, dry_run=False, raise_errors=True)
        assert result.totals["new"] == len(data), result.totals

    return seconds(work)

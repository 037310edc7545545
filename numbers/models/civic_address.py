"""Emergency addresses: a civic address of a customer and the locations (places) inside it. Microsoft's data."""

from django.db import models
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from ocadmin.access.permissions import Permission
from ocadmin.access.principal import Principal

from .customer import Customer, reached_by


class CivicAddressQuerySet(models.QuerySet["CivicAddress"]):
    """Reads of civic addresses."""

    def visible_to(self, principal: Principal, permission: Permission = Permission.VIEW) -> "CivicAddressQuerySet":
        """Addresses of the principal's customers."""
        return self.filter(reached_by(principal.scope(permission)))


class CivicAddress(models.Model):
    """A street address. The id is Microsoft's. `validation_status` keeps Microsoft's word."""

    id = models.UUIDField(_("civic address ID"), primary_key=True)
    customer = models.ForeignKey(Customer, models.CASCADE, related_name="civic_addresses", verbose_name=_("customer"))
    country = models.CharField(_("country"), max_length=2)
    house_number = models.CharField(_("house number"), max_length=20, blank=True)
    house_number_suffix = models.CharField(_("house number suffix"), max_length=20, blank=True)
    pre_directional = models.CharField(_("pre-directional"), max_length=20, blank=True)
    street_name = models.CharField(_("street"), max_length=150, blank=True)
    street_suffix = models.CharField(_("street suffix"), max_length=50, blank=True)
    post_directional = models.CharField(_("post-directional"), max_length=20, blank=True)
    city = models.CharField(_("city"), max_length=100, blank=True)
    city_alias = models.CharField(_("city alias"), max_length=100, blank=True)
    county = models.CharField(_("county or district"), max_length=100, blank=True)
    state = models.CharField(_("state or province"), max_length=100, blank=True)
    postal_code = models.CharField(_("postal code"), max_length=20, blank=True)
    description = models.CharField(_("description"), max_length=200, blank=True)
    company_name = models.CharField(_("company"), max_length=200, blank=True)
    company_id = models.CharField(_("company ID"), max_length=64, blank=True)
    latitude = models.CharField(_("latitude"), max_length=32, blank=True)
    longitude = models.CharField(_("longitude"), max_length=32, blank=True)
    default_location_id = models.UUIDField(_("default location ID"), null=True, blank=True)
    validation_status = models.CharField(_("validation"), max_length=32, blank=True)
    removed_at = models.DateTimeField(_("gone at Microsoft since"), null=True, blank=True)

    objects = CivicAddressQuerySet.as_manager()

    class Meta:
        verbose_name = _("emergency address")
        verbose_name_plural = _("emergency addresses")
        ordering = ("country", "city", "street_name", "pk")

    def __str__(self) -> str:
        return self.one_line

    def get_absolute_url(self) -> str:
        """The address's page."""
        return reverse("numbers:emergency-address", args=[self.pk])

    @property
    def one_line(self) -> str:
        """The address on one line: street and number, city, postal code, country."""
        house = f"{self.house_number}{self.house_number_suffix}"
        street = (self.pre_directional, house, self.street_name, self.street_suffix, self.post_directional)
        parts = (" ".join(filter(None, street)), self.city, f"{self.state} {self.postal_code}".strip(), self.country)
        return ", ".join(filter(None, parts))


class Location(models.Model):
    """A place inside a civic address (floor, room). The id is Microsoft's; a number points at a location."""

    id = models.UUIDField(_("location ID"), primary_key=True)
    civic_address = models.ForeignKey(
        CivicAddress, models.CASCADE, related_name="locations", verbose_name=_("emergency address")
    )
    description = models.CharField(_("description"), max_length=200, blank=True)
    additional_info = models.CharField(_("additional information"), max_length=200, blank=True)
    is_default = models.BooleanField(_("default"), default=False)
    elin = models.CharField(_("ELIN"), max_length=32, blank=True)
    removed_at = models.DateTimeField(_("gone at Microsoft since"), null=True, blank=True)

    class Meta:
        verbose_name = _("location")
        verbose_name_plural = _("locations")
        ordering = ("-is_default", "description", "pk")

    def __str__(self) -> str:
        return self.description or self.additional_info or str(self.pk)

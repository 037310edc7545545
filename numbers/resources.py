"""The columns of an import: what each is called, what it means, how a cell of it is read.

The names are those of the reference's V3 interface where it has them, and those of our own export, so that an exported
file imports as it is. How rows are judged and applied is in operations/imports: set-based, not row by row.
"""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from import_export import resources
from import_export.fields import Field
from import_export.widgets import Widget

from .capabilities import BROUGHT, LABELS
from .widgets import (
    ChoiceWidget,
    CountryWidget,
    GuidWidget,
    NumberWidget,
    TextWidget,
    TruthWidget,
    WordsWidget,
)

MOST_TAGS, LONGEST_TAG, LONGEST_NOTE, LONGEST_TICKET = 50, 60, 10_000, 64


class Column(Field):
    """A column that is imported. `aliases` are other headers under which it is known."""

    def __init__(
        self, name: str, attribute: str, widget: Widget, help_text: str | Promise, example: str = "", *aliases: str
    ) -> None:
        super().__init__(column_name=name, attribute=attribute, widget=widget)
        self.help_text = help_text
        self.example = example
        self.aliases = aliases


class NumberResource(resources.Resource):
    """What a file may say about a number."""

    telephoneNumber = Column(
        "telephoneNumber",
        "e164",
        NumberWidget(),
        _("The number with + and country code, or the first one of a range. Always needed."),
        "+442079460100",
        "number",
        "phoneNumber",
        "numbers",
        "e164",
        "telephone",
    )
    rangeEnd = Column(
        "rangeEnd",
        "e164",
        NumberWidget(),
        _("The last number of a range of at most 10,000; empty for a single number."),
        "+442079460109",
        "lastNumber",
        "end",
    )
    msTenantId = Column(
        "msTenantId",
        "customer__tenant_id",
        GuidWidget(),
        _("Whose number it is: the customer's Microsoft tenant. New numbers need this or the customer's name."),
        "",
        "tenantId",
        "tenant",
    )
    customer = Column(
        "customer",
        "customer__full_name",
        TextWidget(200),
        _("The customer by name, where no tenant is named; written as on the Customers page."),
        "",
        "customerName",
        "serviceFullName",
        "accountName",
        "umpCustomerFullName",
    )
    callingProfileId = Column(
        "callingProfileId",
        "calling_profile_id",
        GuidWidget(),
        _("The calling profile of a new number. May be left out where the customer has just one."),
    )
    callingProfile = Column(
        "callingProfile", "calling_profile__name", TextWidget(200), _("The calling profile by name instead.")
    )
    usage = Column(
        "usage",
        "usage",
        ChoiceWidget(tuple(BROUGHT)),
        _("What a new number is used for: %s.") % ", ".join(BROUGHT),
        "CallingUserAssignment",
    )
    additionalUsage = Column(
        "additionalUsage",
        "additional_usages",
        WordsWidget(BROUGHT),
        _("Further usages, with ; between them."),
        "",
        "additionalUsages",
    )
    capabilities = Column(
        "capabilities",
        "acquired_capabilities",
        WordsWidget((*LABELS, *BROUGHT.values())),
        _(
            "What can be chosen: InboundCalling, OutboundCalling, Mobile, OCMobile, with ; between them. A number that "
            "is here gets just these: what the list does not say is taken away."
        ),
        "InboundCalling;OutboundCalling",
        "acquiredCapabilities",
    )
    civicAddressId = Column(
        "civicAddressId",
        "civic_address_id",
        GuidWidget(),
        _("The emergency address; its default location is meant where no location is named."),
    )
    locationId = Column(
        "locationId",
        "location_id",
        GuidWidget(),
        _("The emergency location, which has its address with it. “-” takes a number's location away."),
    )
    allowTenantAddressUpdate = Column(
        "allowTenantAddressUpdate",
        "allow_tenant_address_update",
        TruthWidget(),
        _("true where the customer may choose and change the emergency address, false where not."),
        "false",
    )
    country = Column(
        "country",
        "iso_country_code",
        CountryWidget(),
        _("Two letters. Needed for toll-free numbers that do not tell their country; else it must fit the number."),
        "GB",
        "isoCountryCode",
    )
    displayedCountry = Column(
        "displayedCountry",
        "displayed_country_code",
        CountryWidget(),
        _("The country that a toll-free number is shown with, where it is not the one of the column country."),
        "",
        "displayedCountryCode",
    )
    ticketId = Column("ticketId", "ticket", TextWidget(LONGEST_TICKET), _("The ticket of the request."), "", "ticket")
    note = Column("note", "note", TextWidget(LONGEST_NOTE), _("A note of ours. “-” empties it."))
    tags = Column("tags", "tags", WordsWidget(), _("Tags of ours, with ; between them. “-” takes all away."), "", "tag")

    class Meta:
        import_id_fields = ("telephoneNumber",)

    @classmethod
    def get_display_name(cls) -> str:
        """What the library's forms call it."""
        return str(_("Numbers"))


COLUMNS: dict[str, Column] = dict(NumberResource.fields)

# Columns of our export that a file cannot change: Microsoft, or the work of this console, decides about them.
TOLD = (
    "emergencyAddress",
    "sipConnection",
    "source",
    "msJobId",
    "assignment",
    "status",
    "acquiredOn",
    "availableCapabilities",
    "location",
    "elin",
    "validation",
    "assignedTo",
    "activationState",
    "statusSince",
    "statusReason",
    "created",
    "lastCheck",
    "lastCheckCode",
    "releasedOn",
    "releasedBy",
    "quarantineUntil",
)

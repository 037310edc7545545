"""An SBC of the operator."""

import ssl

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from ocadmin.access.permissions import Permission
from ocadmin.access.principal import Principal
from sbc.secrets import seal


def validate_certificates(text: str) -> None:
    """PEM certificates, one or more. Raises ValidationError."""
    try:
        text.encode("ascii")  # as cadata anything else is a TypeError
        ssl.create_default_context(cadata=text)
    except (ssl.SSLError, ValueError):
        raise ValidationError(
            _("This is not a certificate: paste PEM text that starts with -----BEGIN CERTIFICATE-----.")
        ) from None


def validate_one_certificate(text: str) -> None:
    """One PEM certificate. Raises ValidationError."""
    validate_certificates(text)
    if text.count("-----BEGIN CERTIFICATE-----") != 1:
        raise ValidationError(_("Paste one certificate only: that of the device itself."))


class SBCQuerySet(models.QuerySet["SBC"]):
    """Reads of SBCs."""

    def visible_to(self, principal: Principal, permission: Permission = Permission.VIEW) -> "SBCQuerySet":
        """SBCs are shared by customers: only people of the whole system see them (live-platform.md §7.3)."""
        return self if principal.can_everywhere(permission) else self.none()

    def search(self, words: str) -> "SBCQuerySet":
        """Those with a fragment of name, FQDN or address; all for no words."""
        words = words.strip()
        return (
            self.filter(Q(name__icontains=words) | Q(fqdn__icontains=words) | Q(ip_address__icontains=words))
            if words
            else self
        )

    def reachable(self) -> "SBCQuerySet":
        """Those that a schedule may ask or write to: not offline, and not such as refused our login (F20, F23)."""
        return self.with_login().exclude(state__in=(State.OFFLINE, State.BAD_LOGIN))

    def with_login(self) -> "SBCQuerySet":
        """Those of which address, user name and password are entered."""
        return self.exclude(rest_url="").exclude(username="").exclude(sealed_password="")


class WriteStrategy(models.TextChoices):
    """How rules get into a device. Which of them a real one takes was never tried (upstreams.md §4, unverified)."""

    CLI_INCREMENTAL = "cli_incremental", _("CLI script with the rules that change")
    CSV_FILE = "csv_file", _("CSV file with the whole dial plan")
    MANUAL = "manual", _("file that a person loads by hand")


class State(models.TextChoices):
    """How a device is, as far as we know. health.py decides, and says why."""

    UNKNOWN = "unknown", _("Never asked")
    ONLINE = "online", _("Online")
    SAVE_NEEDED = "save_needed", _("Save needed")
    HA_SYNC = "ha_sync", _("HA syncing")
    DEGRADED = "degraded", _("Degraded")
    OFFLINE = "offline", _("Offline")
    BAD_LOGIN = "bad_login", _("Bad login")


class SBC(models.Model):
    """A session border controller of the operator.

    `sealed_password` is what `secrets.seal` gives; `writer` names who writes its dial plan at the moment and
    `writer_until` when that ends by itself (writer.py). From `state` on everything is what exchanges with the device
    showed, written by health.py alone: `problem` (with its code) is the last thing that went wrong, `told` are facts of
    its last status, `save_needed` whether it says that its flash is behind, `asking_until` holds off a second question.
    `save_pending` is ours: we have written rules that we have not seen saved.
    """

    name = models.CharField(_("name"), max_length=100, unique=True)
    fqdn = models.CharField(_("FQDN"), max_length=253, blank=True)
    ip_address = models.GenericIPAddressField(_("IP address"), null=True, blank=True)
    rest_url = models.URLField(_("REST address"), blank=True, help_text=_("Base address of its REST interface."))
    dial_plan = models.CharField(_("dial plan"), max_length=64, default="OCDialPlan")
    prefix_hash = models.BooleanField(
        _("write # after prefixes"), default=True, help_text=_("A prefix without # also matches longer numbers.")
    )
    max_rules = models.PositiveIntegerField(_("capacity in rules"), null=True, blank=True)
    note = models.TextField(_("note"), blank=True)

    username = models.CharField(_("user name"), max_length=100, blank=True)
    sealed_password = models.TextField(_("password"), blank=True, editable=False)
    ca_bundle = models.TextField(
        _("CA bundle"),
        blank=True,
        validators=[validate_certificates],
        help_text=_("PEM certificates that its own must lead to. Empty: those that the system trusts."),
    )
    pinned_certificate = models.TextField(
        _("pinned certificate"),
        blank=True,
        validators=[validate_one_certificate],
        help_text=_(
            "PEM certificate of the device itself: only that one is accepted then, whatever its name and issuer."
        ),
    )
    write_strategy = models.CharField(
        _("rules are written by"),
        max_length=20,
        choices=WriteStrategy.choices,
        default=WriteStrategy.CLI_INCREMENTAL,
    )

    state = models.CharField(_("state"), max_length=12, choices=State.choices, default=State.UNKNOWN, editable=False)
    state_since = models.DateTimeField(_("in this state since"), null=True, editable=False)
    reasons = models.JSONField(_("reasons"), default=list, editable=False)
    alarms = models.JSONField(_("active alarms"), default=list, editable=False)
    told = models.JSONField(_("told by the device"), default=dict, editable=False)
    online_checked_at = models.DateTimeField(_("last asked"), null=True, editable=False)
    asking_until = models.DateTimeField(_("being asked until"), null=True, editable=False)
    problem = models.TextField(_("problem"), blank=True, editable=False)
    problem_code = models.CharField(_("code of the problem"), max_length=64, blank=True, editable=False)
    save_needed = models.BooleanField(_("save needed"), null=True, editable=False)
    save_needed_since = models.DateTimeField(_("save needed since"), null=True, editable=False)
    save_pending = models.BooleanField(
        _("save pending"), default=False, editable=False, help_text=_("Rules were written that are not yet in flash.")
    )
    writer = models.CharField(_("being written by"), max_length=200, blank=True, editable=False)
    writer_until = models.DateTimeField(_("being written until"), null=True, editable=False)

    objects = SBCQuerySet.as_manager()

    class Meta:
        verbose_name = _("SBC")
        verbose_name_plural = _("SBCs")
        ordering = ("name",)
        constraints = [
            models.UniqueConstraint(fields=["fqdn"], condition=~Q(fqdn=""), name="sbc_fqdn_once"),
            models.CheckConstraint(condition=Q(state__in=State.values), name="sbc_known_state"),
            models.CheckConstraint(condition=Q(ca_bundle="") | Q(pinned_certificate=""), name="sbc_bundle_or_pin"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def online(self) -> bool | None:
        """Whether it answered when it was last asked; None: never asked."""
        return None if self.state == State.UNKNOWN else self.state != State.OFFLINE

    @property
    def by_hand(self) -> bool:
        """Whether people load its rules (by_hand.py)."""
        return self.write_strategy == WriteStrategy.MANUAL

    @property
    def has_credentials(self) -> bool:
        """Whether user name and password are set; whether they are right only the device knows."""
        return bool(self.username and self.sealed_password)

    @property
    def login(self) -> tuple[str, ...]:
        """Whatever decides where and how we log in. What the device said to another login says nothing about it."""
        return self.rest_url, self.username, self.sealed_password, self.ca_bundle, self.pinned_certificate

    def set_password(self, password: str) -> None:
        """Seal the password into this row, unsaved. An empty one clears it."""
        self.sealed_password = seal(password) if password else ""

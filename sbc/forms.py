"""What people say about an SBC: one form for the console's screens and Django's admin, so that rules stand once."""

import re
from typing import Any

import httpx2
from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from .models import SBC

HIGHEST_PORT = 65_535
_NOT_IN_A_NAME = re.compile(r'[/"\\\x00-\x1f\x7f-\x9f]')


class SBCForm(forms.ModelForm):
    """The password can be written, never read."""

    password = forms.CharField(
        label=gettext_lazy("Password"),
        required=False,
        strip=False,
        max_length=200,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=gettext_lazy("Kept sealed and never shown. Leave it empty to keep the one that is set."),
    )
    clear_password = forms.BooleanField(label=gettext_lazy("Remove the password that is set"), required=False)

    class Meta:
        model = SBC
        fields = (
            "name",
            "fqdn",
            "ip_address",
            "note",
            "rest_url",
            "username",
            "password",
            "clear_password",
            "ca_bundle",
            "pinned_certificate",
            "dial_plan",
            "prefix_hash",
            "max_rules",
            "write_strategy",
        )
        widgets = {
            "username": forms.TextInput(attrs={"autocomplete": "off"}),
            "note": forms.Textarea(attrs={"rows": 2}),
            "ca_bundle": forms.Textarea(attrs={"rows": 4, "spellcheck": "false"}),
            "pinned_certificate": forms.Textarea(attrs={"rows": 4, "spellcheck": "false"}),
        }
        help_texts = {
            "rest_url": gettext_lazy("Base address of its REST interface, such as https://sbc1.example.net."),
            "dial_plan": gettext_lazy(
                "It has to be there already: the console makes none. With another name our rules are wanted in that"
                " plan and written there; what stands in the plan of the old name stays there, for you to remove."
            ),
            "prefix_hash": gettext_lazy(
                "With #, a rule matches the whole number only; without, longer numbers too. Rules that are there keep"
                " their form; only new ones are written in this one."
            ),
            "max_rules": gettext_lazy(
                "Of all dial plans of the device together. Nothing is written that would not fit. Empty: not known."
            ),
            "write_strategy": gettext_lazy(
                "None of these ways was ever tried on a real device. Another way applies from the next write on; rules"
                " that are there stay. A CSV file overwrites what somebody changes by hand at the moment of its upload."
            ),
        }

    def clean_rest_url(self) -> str:
        """A login in the address would be shown with it."""
        address: str = self.cleaned_data["rest_url"]
        if address and httpx2.URL(address).userinfo:
            raise ValidationError(_("Enter user name and password in their own fields, not in the address."))
        if address and (httpx2.URL(address).port or 0) > HIGHEST_PORT:
            raise ValidationError(_("There is no such port: the highest is %d.") % HIGHEST_PORT)
        return address

    def clean_dial_plan(self) -> str:
        """It stands in a line of CLI and in a cell of CSV; devices allow no slash in it (upstreams.md §4)."""
        name: str = self.cleaned_data["dial_plan"]
        if _NOT_IN_A_NAME.search(name):
            raise ValidationError(_("No SBC has a dial plan of this name: leave out slashes and quotation marks."))
        return name

    def clean(self) -> dict[str, Any] | None:
        """Either a new password or none; either authorities or one certificate."""
        if self.cleaned_data.get("password") and self.cleaned_data.get("clear_password"):
            self.add_error("clear_password", _("Enter a new password or remove the old one, not both."))
        if self.cleaned_data.get("ca_bundle") and self.cleaned_data.get("pinned_certificate"):
            words = _("Enter a CA bundle or a pinned certificate, not both: with a pin no authority counts.")
            self.add_error("pinned_certificate", words)
        return super().clean()

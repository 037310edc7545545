"""What is entered about a webhook."""

import re
import uuid
from collections.abc import Mapping
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from . import addresses
from .models import Webhook
from .source import source

MOST_CUSTOMERS = 1_000
# The rooms above are named by text in the model, and asked through it.
_CHANNELS: Any = Webhook._meta.get_field("channels").related_model
_CUSTOMERS: Any = Webhook._meta.get_field("customers").related_model


class WebhookForm(forms.ModelForm):
    """Name, address, which changes, whose."""

    events = forms.MultipleChoiceField(
        label=gettext_lazy("Which changes"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("None ticked: all of them, those of later versions too."),
    )
    everything = forms.BooleanField(label=gettext_lazy("Numbers of the whole system"), required=False)
    channels = forms.ModelMultipleChoiceField(
        label=gettext_lazy("Or of these channels"),
        queryset=_CHANNELS._default_manager.none(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    customers = forms.CharField(
        label=gettext_lazy("Or of these customers"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 4}),
        max_length=40 * MOST_CUSTOMERS,
        help_text=gettext_lazy("Tenant IDs, one a line."),
    )

    class Meta:
        model = Webhook
        fields = ("name", "url", "events", "everything")
        help_texts = {
            "url": gettext_lazy("Changes are sent there by POST. Only https; http for addresses of this machine alone.")
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["events"].choices = list(source().families.items())  # type: ignore[attr-defined]
        self.fields["channels"].queryset = _CHANNELS._default_manager.all()  # type: ignore[attr-defined]
        if not _CHANNELS._default_manager.exists():
            self.fields["channels"].widget = forms.MultipleHiddenInput()
        if self.instance.pk:
            self.initial["channels"] = self.instance.channels.all()
            tenants = self.instance.customers.order_by("tenant_id").values_list("tenant_id", flat=True)
            self.initial["customers"] = "\n".join(str(tenant) for tenant in tenants)

    def clean_url(self) -> str:
        """Where webhooks may go (addresses.py); where the host really is, is looked up when something is sent."""
        url: str = self.cleaned_data["url"]
        problem = addresses.problem_of(url)
        if problem:
            raise ValidationError(problem)
        return url

    def clean_customers(self) -> list[Any]:
        """Customers by their tenant IDs."""
        words = re.split(r"[\s,;]+", self.cleaned_data["customers"].strip())
        wanted = {}
        for word in filter(None, words):
            try:
                wanted[uuid.UUID(word)] = word
            except ValueError:
                raise ValidationError(_("“%(word)s” is not a tenant ID.") % {"word": word[:60]}) from None
        found = {row.tenant_id: row for row in _CUSTOMERS._default_manager.filter(tenant_id__in=wanted)}
        for tenant, word in wanted.items():
            if tenant not in found:
                raise ValidationError(_("There is no customer with the tenant ID %(word)s.") % {"word": word[:60]})
        return list(found.values())

    def clean(self) -> dict[str, Any] | None:
        """Either the whole system or some places."""
        given: Mapping[str, Any] = super().clean() or self.cleaned_data
        places = bool(given.get("channels") or given.get("customers"))
        if given.get("everything") and places:
            self.add_error("everything", _("Choose the whole system, or channels and customers, not both."))
        if not given.get("everything") and not places and not self.errors.keys() & {"customers", "channels"}:
            self.add_error("everything", _("Choose the whole system, or at least one channel or customer."))
        return dict(given)

    @property
    def values(self) -> dict[str, Any]:
        """The columns, once the form is valid."""
        return {name: self.cleaned_data[name] for name in self.Meta.fields}

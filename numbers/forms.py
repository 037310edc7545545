"""Forms of the number screens."""

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from . import pasting


class DecisionForm(forms.Form):
    """What every action asks for: why, and under which ticket."""

    comment = forms.CharField(
        label=gettext_lazy("Comment"), required=False, max_length=500, widget=forms.Textarea(attrs={"rows": 2})
    )
    ticket = forms.CharField(label=gettext_lazy("Ticket"), required=False, max_length=64)


class PasteForm(forms.Form):
    """A pasted list of numbers."""

    numbers = forms.CharField(
        label=gettext_lazy("Numbers"),
        strip=True,
        widget=forms.Textarea(attrs={"rows": 6, "autocomplete": "off", "spellcheck": "false"}),
        help_text=gettext_lazy("Up to 10,000, one on a line or separated by commas, semicolons or tabs."),
        error_messages={"required": gettext_lazy("Paste at least one number.")},
    )

    def clean_numbers(self) -> pasting.Reading:
        """The text read as numbers."""
        try:
            return pasting.read(self.cleaned_data["numbers"])
        except pasting.TooMany:
            raise forms.ValidationError(
                _("The list has more than 10,000 numbers. Paste it in parts of 10,000 at most.")
            ) from None

"""Forms of the number screens."""

from django import forms
from django.utils.translation import gettext_lazy

from . import pasting


class DecisionForm(forms.Form):
    """What every action asks for: why, and under which ticket."""

    comment = forms.CharField(
        label=gettext_lazy("Comment"), required=False, max_length=500, widget=forms.Textarea(attrs={"rows": 2})
    )
    ticket = forms.CharField(label=gettext_lazy("Ticket"), required=False, max_length=64)


class ReasonForm(DecisionForm):
    """The same where a reason has to be given."""

    comment = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 2}),
        error_messages={"required": gettext_lazy("Say why; it is kept in the history of each number.")},
    )


class HoldForm(forms.Form):
    """Why a customer's synchronisation is put on hold."""

    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=gettext_lazy(
            "Until somebody resumes, no synchronisation stamps, changes or marks this customer's numbers, or adds one."
        ),
        error_messages={
            "required": gettext_lazy("Say why the synchronisation is put on hold."),
            "max_length": gettext_lazy("The reason may have at most %(limit_value)d characters."),
        },
    )


class PasteForm(forms.Form):
    """A pasted list of numbers."""

    numbers = forms.CharField(
        label=gettext_lazy("Numbers"),
        strip=True,
        widget=forms.Textarea(attrs={"rows": 6, "autocomplete": "off", "spellcheck": "false"}),
        help_text=gettext_lazy(
            "Up to 10,000, one on a line or separated by commas, semicolons or tabs. A range: "
            "+442079460000 - +442079460099, or with the last digits only, +442079460000-0099."
        ),
        error_messages={"required": gettext_lazy("Paste at least one number.")},
    )

    def clean_numbers(self) -> pasting.Reading:
        """The text read as numbers and ranges."""
        try:
            return pasting.read(self.cleaned_data["numbers"])
        except pasting.TooMany as error:
            raise forms.ValidationError(str(error), code="too_many") from error

"""What to say for "Update capabilities": what to add, what to remove."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from .action_forms_base import ActionForm
from .capabilities import LABELS, USAGES, usages_of


def _choices() -> list[tuple[str, str]]:
    """The capabilities that may be chosen, with the usages they go with (live-platform.md §5.2)."""
    words = _("%(capability)s, for %(usages)s")
    return [(word, words % {"capability": LABELS[word], "usages": usages_of(word)}) for word in USAGES]


class _Words(forms.MultipleChoiceField):
    """Some of the four, in the order of the matrix."""

    widget = forms.CheckboxSelectMultiple

    def __init__(self, label: Any) -> None:
        wrong = gettext_lazy("“%(value)s” is not a capability that can be chosen.")
        super().__init__(label=label, required=False, choices=_choices, error_messages={"invalid_choice": wrong})

    def clean(self, value: Any) -> list[str]:
        """Each word once."""
        given = super().clean(value)
        return [word for word in USAGES if word in given]


class CapabilitiesForm(ActionForm):
    """?add=Mobile&remove=InboundCalling&remove=OutboundCalling."""

    add = _Words(gettext_lazy("Add"))
    remove = _Words(gettext_lazy("Remove"))

    def clean(self) -> None:
        """Something has to be chosen, and not the same twice."""
        super().clean()
        add, remove = self.cleaned_data.get("add"), self.cleaned_data.get("remove")
        if add is None or remove is None:
            return
        both = [str(LABELS[word]) for word in add if word in remove]
        if both:
            words = _("This cannot be added and removed at once: %(words)s.") % {"words": ", ".join(both)}
            self.add_error("remove", words)
        elif not (add or remove):
            raise forms.ValidationError(_("Nothing is chosen. Tick at least one capability to add or to remove."))

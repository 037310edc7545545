"""What the forms of all actions have in common."""

from typing import Any

from django import forms
from django.db.models import QuerySet

from ocadmin.access.principal import Principal

from .models import PhoneNumber


class ActionForm(forms.Form):
    """`numbers` are the selected ones and `by` who asks: what may be chosen depends on them."""

    def __init__(self, data: Any = None, *, numbers: QuerySet[PhoneNumber], by: Principal) -> None:
        super().__init__(data)
        self.numbers = numbers
        self.by = by

    def params(self) -> dict[str, Any]:
        """The parameters of the operation, as JSON; called when the form is valid."""
        return dict(self.cleaned_data)

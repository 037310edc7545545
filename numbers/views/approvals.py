"""The approvals inbox: numbers that customers have deleted and that wait for a decision."""

from typing import Any, ClassVar

from django.utils.translation import gettext_lazy

from ocadmin.console.filters import ListFilterSet
from ocadmin.console.lists import ListView
from ocadmin.console.paging import Page

from ..filters import ApprovalFilter
from ..lifecycle import Status
from ..models import PhoneNumber
from ..selecting import offer
from ..tables import ApprovalTable


class ApprovalListView(ListView):
    """Numbers marked for removal, the longest waiting first."""

    screen = "numbers:approvals"
    title = gettext_lazy("Approvals")
    subtitle = gettext_lazy("Numbers that customers have deleted, or asked to remove. Approve it, or clear the mark.")
    empty_text = gettext_lazy("Nothing waits for a decision.")
    queryset = PhoneNumber.objects.filter(status=Status.MARKED_FOR_REMOVAL)
    table_class = ApprovalTable
    filterset_class = ApprovalFilter
    joins: ClassVar = {"customer": ("customer",)}
    tie_breaker = "e164"

    def extra_context(self, page: Page, filterset: ListFilterSet | None) -> dict[str, Any]:
        """What may be done with the rows."""
        return {"actions": offer(self.request, status=str(Status.MARKED_FOR_REMOVAL.value))}


approval_list = ApprovalListView.as_view()

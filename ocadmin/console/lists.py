"""One view for every list: permission, rows in scope, filter, columns, order, page, answer.

A subclass sets a few attributes; list.html draws it. The address is the whole state of the list; what a person prefers
(columns, page size) only fills in what the address leaves open.
"""

from typing import Any, ClassVar, Protocol

import django_tables2 as tables
from django.contrib.auth.mixins import LoginRequiredMixin
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import HttpResponse, QueryDict
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.views import View
from django_tables2.rows import BoundRow

from ocadmin.access.permissions import Permission
from ocadmin.access.principal import Principal
from ocadmin.access.request import SignedInRequest

from .cells import column_class
from .filters import Chosen, ListFilterSet
from .paging import PAGE_SIZES, Page, paginate, read_number


class ScopedRows(Protocol):
    """A queryset that knows which of its rows a principal may see."""

    @property
    def model(self) -> type[Model]:
        """What its rows are."""

    def all(self) -> "ScopedRows":
        """The same rows, to be read anew."""

    def visible_to(self, principal: Principal, /) -> QuerySet[Any]:
        """Those in the scope of the principal."""


class ListView(LoginRequiredMixin, View):
    """A list with filter, sort, columns and pages.

    Set `screen` (its URL name, also the key of preferences and query budgets), `title`, `queryset`, `table_class`;
    and where needed `filterset_class`, `joins`, `optional`, `template_name`, `permission`, `empty_text`. Override
    `get_queryset` for another scope than `visible_to`, `prepare` to look something up for the rows of the page,
    `extra_context` for more template context.
    """

    http_method_names = ["get", "head", "options"]
    request: SignedInRequest
    screen: str
    title: str | Promise
    subtitle: str | Promise = ""
    empty_text: str | Promise = ""
    queryset: ScopedRows
    table_class: type[tables.Table]
    filterset_class: type[ListFilterSet] | None = None
    joins: ClassVar[dict[str, tuple[str, ...]]] = {}  # column: what select_related needs when it is shown
    optional: ClassVar[tuple[str, ...]] = ()  # columns that are not shown until somebody chooses them
    tie_breaker = "pk"  # the unique column that makes the order of equal rows certain
    permission: Permission = Permission.VIEW
    template_name = "console/list.html"
    tabs_template = ""  # drawn at the top of the region #list
    toolbar_template = ""  # drawn beside the choice of columns
    above_table_template = ""  # drawn between filter and table

    def get(self, request: SignedInRequest, **kwargs: Any) -> HttpResponse:
        """The page, or for htmx only its region #list."""
        if not request.principal.can(self.permission):
            raise PermissionDenied
        filtered = self.read(request)
        filterset = self.filterset
        page = self.page(filtered)
        context = {
            "view": self,
            "table": self.table,
            "page": page,
            "filterset": filterset,
            "chosen": self.chosen(filterset),
            "column_choices": self.column_choices(),
            "page_sizes": PAGE_SIZES,
        }
        context |= self.extra_context(page, filterset)
        return self.answer(request, context)

    def read(self, request: SignedInRequest) -> QuerySet[Any]:
        """What the address says, into `filterset`, `columns`, `table` and `notes`. Returns the filtered rows."""
        request.GET = QueryDict(without_empty(request.GET).urlencode())
        self.notes: list[str] = []
        self.swapping = (
            bool(request.htmx and request.htmx.target == "list") and not request.htmx.history_restore_request
        )
        rows = self.get_queryset()
        self.filterset = self._filterset(rows)
        filtered = self.filterset.qs if self.filterset else rows
        self.columns = self.visible_columns()
        self.table = self.table_class(
            self._joined(filtered) if self.joins else filtered,
            order_by=self.order(),
            exclude=[name for name in self.table_class.base_columns if name not in self.columns],
        )
        return filtered

    def ordered(self) -> QuerySet[Any]:
        """All rows of the list in its order, once it was read. The tie breaker makes the order a certain one."""
        return with_tie_breaker(self.table.data.data, self.tie_breaker)

    def get_queryset(self) -> QuerySet[Any]:
        """The rows that this person may see."""
        return self.queryset.all().visible_to(self.request.principal)

    def prepare(self, rows: list[Any]) -> None:
        """Look up what the page's rows need beyond their own columns. Nothing unless overridden."""

    def chosen(self, filterset: ListFilterSet | None) -> list[Chosen]:
        """The active filters in words, each with the parameters that switch it off."""
        return filterset.chosen() if filterset else []

    def extra_context(self, page: Page, filterset: ListFilterSet | None) -> dict[str, Any]:
        """More template context."""
        return {}

    def page(self, countable: QuerySet[Any]) -> Page:
        """The asked page; its rows become the table's."""
        number = read_number(self.request.GET.get("page"))
        if number is None:
            self.notes.append(_("There is no page “%s”: this is the first page.") % self.request.GET["page"][:20])
            number = 1
        page = paginate(self.ordered(), countable, number, self.page_size(), self.tie_breaker)
        self.prepare(page.rows)
        self.table.page_rows = [BoundRow(row, table=self.table) for row in page.rows]
        for column in self.table.columns:
            column.css = column_class(column)
        return page

    def order(self) -> str | None:
        """The sort key of the address where the table has it; None means the table's own order."""
        key = self.request.GET.get("sort")
        if not key:
            return None
        column = self.table_class.base_columns.get(key.removeprefix("-"))
        if column is not None and column.orderable is not False:
            return key
        self.notes.append(_("This list cannot be sorted by “%s”.") % key[:40])
        return None

    def page_size(self) -> int:
        """Rows per page: the address, else what the person prefers, else 50."""
        asked = self.request.GET.get("per_page", "")
        if asked in map(str, PAGE_SIZES):
            return int(asked)
        if asked:
            self.notes.append(_("A page has 25, 50, 100 or 250 rows, not “%s”.") % asked[:20])
        preferred = self.request.user.preferences.get("per_page")
        return preferred if preferred in PAGE_SIZES else 50

    def visible_columns(self) -> list[str]:
        """Names of the columns to show: the address, else what the person prefers, else all that are not optional."""
        known = list(self.table_class.base_columns)
        asked = self.request.GET.get("columns", "").split(",")
        unknown = [name for name in asked if name and name not in known]
        if unknown:
            self.notes.append(_("There is no column “%s”.") % unknown[0][:40])
        for wish in (asked, self.request.user.preferences.get("columns", {}).get(self.screen, [])):
            chosen = [name for name in known if name in wish]
            if chosen:
                return [name for name in known if name in chosen or name == known[0]]
        return [name for name in known if name not in self.optional]

    def column_choices(self) -> list[dict[str, Any]]:
        """What the column chooser offers: every column but the first, which names the row."""
        columns = list(self.table_class.base_columns.items())[1:]
        return [
            {"name": name, "label": column.verbose_name or name, "shown": name in self.columns}
            for name, column in columns
        ]

    def clearing(self) -> list[str]:
        """The parameters that "Clear all" takes out."""
        active = {name for filter_ in self.chosen(self.filterset) for name in filter_.parameters}
        return sorted(active)

    def kept_parameters(self) -> list[tuple[str, str]]:
        """What the filter form carries along unseen: everything of the address that is not a filter, but the page."""
        own = {"page", *(self.filterset.all_parameters() if self.filterset else ())}
        return [(name, value) for name, values in self.request.GET.lists() if name not in own for value in values]

    def answer(self, request: SignedInRequest, context: dict[str, Any]) -> HttpResponse:
        """The whole page; only the region #list for a swap by htmx, which is told the tidy address."""
        template = "console/list_region.html" if self.swapping else self.template_name
        response = render(request, template, context)
        if self.swapping:
            query = request.GET.urlencode(safe=",")
            response["HX-Push-Url"] = f"{request.path}?{query}" if query else request.path
        patch_vary_headers(response, ("HX-Request", "HX-Target"))
        return response

    def _filterset(self, rows: QuerySet[Any]) -> ListFilterSet | None:
        return self.filterset_class(self.request.GET, rows, request=self.request) if self.filterset_class else None

    def _joined(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        paths = [path for name in self.columns for path in self.joins.get(name, ())]
        return rows.select_related(*paths) if paths else rows.select_related(None)


def without_empty(parameters: QueryDict) -> QueryDict:
    """The parameters of an address without the empty ones; repeated `columns` (the chooser's) become one."""
    tidy = QueryDict(mutable=True)
    for name, values in parameters.lists():
        kept = [value for value in values if value.strip()]
        if kept:
            tidy.setlist(name, [",".join(kept)] if name == "columns" else kept)
    return tidy


def with_tie_breaker(rows: QuerySet[Any], unique: str) -> QuerySet[Any]:
    """The rows in a certain order: their own, then by a unique column in the direction of the first key.

    The same direction lets the database walk an index on (key, unique) either way.
    """
    keys = [str(key) for key in rows.query.order_by or rows.model._meta.ordering]
    if any(key.removeprefix("-") in (unique, "pk", "id") for key in keys):
        return rows.order_by(*keys)
    return rows.order_by(*keys, f"-{unique}" if keys and keys[0].startswith("-") else unique)

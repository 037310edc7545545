"""What the operator API and Graph have in common: a token on every request, one renewal, pages."""

import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from . import entra, http
from .errors import Asked, BadAnswer


@dataclass(frozen=True)
class Page:
    """One page of a list: raw records, the address of the next page (None on the last), the total where it is told."""

    records: list[dict[str, Any]]
    next_link: str | None
    total: int | None


class Api:
    """Requests to one interface with the tokens of one directory.

    Cheap to make: connections and tokens are the process's. `correlation_id` goes with every request of this object
    (a task gives its own); None gives each request a new one.
    """

    next_key, total_key = "nextLink", "totalCount"

    def __init__(
        self, who: str, base: str, *, tenant: str, scope: str, correlation_id: str | uuid.UUID | None = None
    ) -> None:
        self.who = who
        self.base = base
        self.tenant = tenant
        self.scope = scope
        self.correlation_id = correlation_id

    def request(
        self,
        method: str,
        link: str,
        what: str,
        *,
        params: Mapping[str, str] | None = None,
        json: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> http.Answer:
        """The successful answer to one request; a 401 is tried once more with a fresh token.

        `link` begins with a slash (below the base address) or is an address that Microsoft gave us. `what` says in the
        error what was asked for. Raises the errors of errors.py.
        """
        asked = Asked(self.who, what)
        url = self.base + link if link.startswith("/") else http.resolve(self.base, link, asked)
        answer = None
        for _attempt in range(2):
            token = entra.get_token(self.tenant, self.scope, correlation_id=self.correlation_id)
            answer = http.send(
                method,
                url,
                asked=asked,
                token=token,
                params=params,
                json=json,
                headers=headers,
                correlation_id=self.correlation_id,
            )
            if answer.status != 401:
                break
            entra.drop(self.tenant, self.scope, token)
        assert answer is not None  # noqa: S101 - the loop runs
        return http.check(answer, asked)

    def page(self, link: str, what: str, params: Mapping[str, str] | None = None) -> Page:
        """One page. Raises BadAnswer when it is not a list of objects or names itself as the next one."""
        asked = Asked(self.who, what)
        answer = self.request("GET", link, what, params=params)
        body = answer.json(asked)
        records = body.get("value")
        if not isinstance(records, list) or not all(isinstance(record, dict) for record in records):
            raise BadAnswer(asked, _("a list of objects called “value” was expected"), **answer.ids)
        following, total = body.get(self.next_key), body.get(self.total_key)
        if following is not None and not isinstance(following, str):
            raise BadAnswer(asked, _("its link to the next page is not a text"), **answer.ids)
        if following:
            following = http.resolve(self.base, following, asked)
            if following == link:
                raise BadAnswer(asked, _("its link to the next page leads to the same page"), **answer.ids)
        known = isinstance(total, int) and not isinstance(total, bool) and total >= 0
        return Page(records, following or None, total if known else None)

    def walk(self, path: str, what: str, params: Mapping[str, str] | None = None) -> Iterator[dict[str, Any]]:
        """The records of all pages, for short lists. Raises BadAnswer when the pages go round in a circle."""
        page = self.page(path, what, params)
        seen: set[str] = set()
        yield from page.records
        while page.next_link:
            if page.next_link in seen:
                raise BadAnswer(Asked(self.who, what), _("its pages go round in a circle"))
            seen.add(page.next_link)
            page = self.page(page.next_link, what)
            yield from page.records

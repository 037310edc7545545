"""A routing table per mount: which handler answers which method and path."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .exchange import Refusal, Request, Response, render_error

if TYPE_CHECKING:
    from .world import World

Handler = Callable[["World", Request], Response]
Guard = Callable[["World", Request], Response | None]
Renderer = Callable[[Request, Refusal], Response]


@dataclass(frozen=True, slots=True)
class Route:
    """``path`` is relative to the server; braces take any one decoded path segment.

    Fixed text may stand around the braces, as in ``{jobId}:retry``.
    """

    method: str
    path: str
    handler: Handler
    role: str | None = None

    def match(self, segments: tuple[str, ...]) -> dict[str, str] | None:
        """The values of the braces, None when the path is another one."""
        pattern = self.path.split("/")[1:]
        if len(pattern) != len(segments):
            return None
        values: dict[str, str] = {}
        for part, segment in zip(pattern, segments, strict=True):
            before, brace, rest = part.partition("{")
            name, _, after = rest.partition("}")
            around = len(before) + len(after)
            if not brace:
                if part != segment:
                    return None
            elif segment.startswith(before) and segment.endswith(after) and len(segment) > around:
                values[name] = segment[len(before) : len(segment) - len(after)]
            else:
                return None
        return values


@dataclass(frozen=True, slots=True)
class Mount:
    """One imitated system.

    ``guard`` runs before the path is looked at (tokens, passwords) and may answer itself;
    ``render`` turns a refusal into the shape that system documents.
    """

    name: str
    routes: tuple[Route, ...]
    guard: Guard | None = None
    render: Renderer = render_error

    def find(self, request: Request) -> Route:
        """The route of a request; 404 for an unknown path, 405 with ``Allow`` for a wrong verb."""
        allowed = []
        for route in self.routes:
            values = route.match(request.segments)
            if values is None:
                continue
            if route.method == request.method:
                request.parameters = values
                return route
            allowed.append(route.method)
        if not allowed:
            raise Refusal(404, "NotFound", "There is no such resource.")
        message = f"The method {request.method} is not allowed here."
        raise Refusal(405, None, message, headers={"Allow": ", ".join(sorted(set(allowed)))})

"""Errors: application/problem+json (RFC 9457) with the fields of the reference (get-numbers-v3.txt, 404 Not Found).

Raise `Problem` anywhere below an endpoint. What is raised otherwise, by Django, by ninja or by mistake, is turned into
the same shape here. `errorTicket` is new for every error and stands in the log with the cause: it is what a caller
tells support.
"""

import logging
import uuid
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

import orjson
import structlog
from django.core.exceptions import (
    NON_FIELD_ERRORS,
    BadRequest,
    PermissionDenied,
    RequestDataTooBig,
    SuspiciousOperation,
)
from django.forms import BaseForm
from django.http import Http404, HttpRequest, HttpResponse, UnreadablePostError
from django.utils.translation import gettext as _
from ninja import NinjaAPI, Schema
from ninja.errors import AuthenticationError, HttpError, ValidationError

logger = logging.getLogger(__name__)

CONTENT_TYPE = "application/problem+json"
PREFIX = "/api/"
FOR_PROGRAMS = (PREFIX, "/oauth2/")
PROBLEMS_SHOWN = 5
LONGEST_REST, READ_AT_ONCE = 1_000_000, 1 << 16  # bytes


class ProblemDetails(Schema):
    """An error. `errorTicket` is what support finds it by."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    errorTicket: str
    errorCode: str
    traceId: str


class Problem(Exception):
    """An answer that is no success. `code` is a stable word for programs, `detail` a sentence for people.

    `more`: further members (RFC 9457, 3.2), such as what is wrong with each of several numbers.
    """

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        headers: dict[str, str] | None = None,
        more: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status, self.code, self.detail = status, code, detail
        self.headers, self.more = headers or {}, more or {}


def answer(request: HttpRequest, problem: Problem, cause: BaseException | None = None) -> HttpResponse:
    """The response. With `cause` the log has the traceback too; the caller learns nothing of it."""
    title = HTTPStatus(problem.status).phrase
    ticket = str(uuid.uuid4())
    trace = structlog.contextvars.get_contextvars().get("request_id") or str(uuid.uuid4())
    level = logging.ERROR if problem.status >= 500 else logging.INFO
    line = "%s %s: %s %s, ticket %s: %s"
    values = (request.method, request.path, problem.status, problem.code, ticket, problem.detail)
    logger.log(level, line, *values, exc_info=cause)
    body = ProblemDetails(
        type=f"https://httpstatuses.io/{problem.status}",
        title=title,
        status=problem.status,
        detail=problem.detail,
        instance=request.path,
        errorTicket=ticket,
        errorCode=problem.code,
        traceId=trace,
    )
    response = HttpResponse(
        orjson.dumps(body.model_dump() | problem.more), status=problem.status, content_type=CONTENT_TYPE
    )
    for name, value in problem.headers.items():
        response.headers[name] = value
    if problem.status == 401:
        response.headers.setdefault("WWW-Authenticate", "Bearer")
    response.headers["Cache-Control"] = "no-store"
    return response


def not_found(request: HttpRequest, **_path: str) -> HttpResponse:
    """Any path of the interface that nothing is at."""
    return answer(request, Problem(404, "not_found", _("There is nothing at this address.")))


def install(api: NinjaAPI) -> None:
    """Let the interface answer every exception with a problem."""
    for kind in (Exception, Http404, HttpError, ValidationError):  # those that ninja answers in its own shape
        api.add_exception_handler(kind, _on_exception)


def _on_exception(request: HttpRequest, error: Exception | type[Exception]) -> HttpResponse:
    problem = problem_of(error)
    return answer(request, problem, error if problem.status >= 500 and isinstance(error, Exception) else None)


def problem_of(error: Any) -> Problem:
    """What an exception says to the caller: nothing but that it happened, where it is none of those we expect."""
    cause = error.__cause__ if isinstance(error, HttpError) else None
    match cause if isinstance(cause, Problem) else error:
        case Problem() as problem:
            return problem
        case AuthenticationError():
            return Problem(401, "unauthenticated", _("Send an access token: Authorization: Bearer …"))
        case ValidationError():
            return Problem(400, "invalid_request", _sentence(error.errors))
        case HttpError():
            return Problem(error.status_code, "invalid_request", error.message)
        case Http404():
            return Problem(404, "not_found", str(error) or _("There is nothing at this address."))
        case PermissionDenied():
            return Problem(403, "forbidden", str(error) or _("This API client may not do this."))
        case RequestDataTooBig():
            return Problem(413, "too_large", _("The body of the request is too long."))
        case BadRequest() | SuspiciousOperation():
            return Problem(400, "invalid_request", _("The request cannot be read."))
    return Problem(500, "internal_error", _("This is our fault. Tell support the errorTicket."))


def of_form(form: BaseForm, names: Mapping[str, str] | None = None) -> Problem:
    """400 that says what is wrong with the fields of a form. `names`: theirs in the interface, where those differ."""
    known = names or {}
    return Problem(
        400,
        "invalid_request",
        "; ".join(
            str(error) if field == NON_FIELD_ERRORS else f"{known.get(field, field)}: {error}"
            for field, errors in form.errors.items()
            for error in errors
        ),
    )


def _sentence(errors: list[dict[str, Any]]) -> str:
    """The first problems of a request, each with the place where it is."""
    parts = []
    for error in errors[:PROBLEMS_SHOWN]:
        place = ".".join(str(part) for part in error["loc"][1:] if part not in ("query", "body"))
        message = _message(error, place)
        parts.append(f"{place}: {message}" if place else message)
    if len(errors) > PROBLEMS_SHOWN:
        parts.append(_("and %(n)d more") % {"n": len(errors) - PROBLEMS_SHOWN})
    return "; ".join(parts)


def _message(error: dict[str, Any], place: str) -> str:
    """What is wrong, without the words of the library where they would tell its insides."""
    if error["type"] == "missing" and not place:
        return _("Send a body in JSON.")
    if error["type"] in ("model_type", "model_attributes_type", "dict_type"):
        return _("write a JSON object") if place else _("The body has to be a JSON object.")
    return str(error["msg"].removeprefix("Value error, "))


def _read_rest(request: HttpRequest) -> None:
    """Read the body of a request that was answered without it, so that its connection can carry the next one.

    gunicorn ends a connection with more than 64 kB left unread, after an answer that promised to keep it: a program
    would notice with its next request, such as the one for a new token after a 401.
    """
    length = request.META.get("CONTENT_LENGTH") or ""
    if hasattr(request, "_body") or not (length.isascii() and length.isdigit()) or int(length) > LONGEST_REST:
        return
    try:
        while request.read(READ_AT_ONCE):
            pass
    except UnreadablePostError:
        logger.info("the caller has gone before its body was read")


_CODES = {400: "invalid_request", 403: "forbidden", 404: "not_found", 405: "method_not_allowed", 413: "too_large"}


class ProblemMiddleware:
    """Gives the shape to errors that Django answers around the endpoints: a wrong method, an unknown host, a crash."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Exchange an error page for programs for a problem; its Allow stays. OAuth's own errors stay as they are."""
        response = self.get_response(request)
        if response.status_code < 400 or not request.path.startswith(FOR_PROGRAMS):
            return response
        _read_rest(request)
        if response.headers.get("Content-Type", "") in (CONTENT_TYPE, "application/json"):
            return response
        status = response.status_code
        sentence = (
            _("This address does not take %s.") % request.method if status == 405 else HTTPStatus(status).phrase + "."
        )
        kept = {name: response.headers[name] for name in ("Allow", "Retry-After") if name in response.headers}
        code = _CODES.get(status, "internal_error" if status >= 500 else "invalid_request")
        return answer(request, Problem(status, code, sentence, headers=kept))

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """What is raised outside of any endpoint: ninja lets what a rate limit raises pass; and for a token."""
        return _on_exception(request, error) if request.path.startswith(FOR_PROGRAMS) else None

"""The interface itself: one NinjaAPI, how names are read, how answers are written."""

import datetime
import re
from codecs import BOM_UTF8
from collections.abc import Callable, Iterable, Iterator
from functools import wraps
from typing import Annotated, Any, ClassVar, TypeVar, cast

import orjson
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.datastructures import MultiValueDict
from django.utils.translation import gettext as _
from ninja import NinjaAPI, Router
from ninja.operation import Operation
from ninja.parser import Parser
from ninja.renderers import BaseRenderer
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from . import etags, once, problems
from .bodies import MULTIPART
from .problems import Problem, ProblemDetails

CSV_TYPE = "text/csv; charset=utf-8"
NAMED = 5
View = TypeVar("View", bound=Callable[..., Any])
_FALSE = frozenset({"0", "off", "f", "false", "n", "no"})  # what pydantic reads as false


def fold(name: str) -> str:
    """A name without its case and its separators: pageSize, PageSize, page_size and "Page Size" are one."""
    return re.sub(r"[\s_-]", "", name).lower()


class Params(BaseModel):
    """Query parameters. Names are read in any case, with or without _; those that nobody knows are ignored."""

    known: ClassVar[dict[str, str]] = {}

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        for name, field in cls.model_fields.items():
            Params.known.setdefault(fold(field.alias or name), field.alias or name)


class DryRun(Params):
    """What every operation takes that acts."""

    dryRun: bool = Field(False, description="Answer the plan, begin nothing.")


class Body(BaseModel):
    """The JSON body of an operation that the reference has. Names are read in any case, with or without _ and blanks.

    Those that nobody knows are ignored, as by the reference's binder: its scripts send more than it reads.
    """

    @model_validator(mode="before")
    @classmethod
    def _known_names(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        names = {fold(field.alias or name): field.alias or name for name, field in cls.model_fields.items()}
        if cls.model_config.get("extra") == "forbid":
            _refuse_unknown([name for name in value if fold(str(name)) not in names], list(names.values()))
        return {names.get(fold(str(name)), name): held for name, held in value.items()}


class OwnBody(Body):
    """The body of an operation of our own: a name that nobody knows is refused, so that no slip acts on more.

    For a shape that both kinds share it comes second: `class NewLocation(Numbers, OwnBody)`.
    """

    model_config = ConfigDict(extra="forbid")


def _refuse_unknown(unknown: list[str], known: list[str]) -> None:
    """Raise ValueError for names that a body does not have."""
    if unknown:
        words = {"unknown": ", ".join(f"“{name[:60]}”" for name in unknown[:NAMED]), "known": ", ".join(known)}
        raise ValueError(_("There is no field %(unknown)s here. The fields are: %(known)s.") % words)


def _in_utc(moment: datetime.datetime) -> datetime.datetime:
    """A time without a zone is UTC. Raises ValueError beyond the calendar."""
    try:
        return moment.astimezone(datetime.UTC) if moment.tzinfo else moment.replace(tzinfo=datetime.UTC)
    except OverflowError:
        raise ValueError(_("this time is beyond the calendar")) from None


Moment = Annotated[datetime.datetime, AfterValidator(_in_utc)]


def plus_back(value: Any) -> Any:
    """A plus that was not written as %2B comes as a blank: no number begins with one."""
    return f"+{value[1:]}" if isinstance(value, str) and value.startswith(" ") else value


class _Parser(Parser):
    """Reads JSON by orjson, which refuses what is nested too deeply, and parameters by their folded names."""

    def parse_body(self, request: HttpRequest) -> Any:
        """The body. Raises Problem 415 for any type but JSON, 400 for what is none."""
        if request.content_type != "application/json" and not (request.content_type or "").endswith("+json"):
            raise Problem(415, "unsupported_media_type", "Send the body as application/json.")
        try:
            if b"\\u0000" in request.body:
                raise _nul()
            return orjson.loads(request.body.removeprefix(BOM_UTF8))  # the reference's binder takes the mark as well
        except orjson.JSONDecodeError:
            raise Problem(400, "invalid_json", "The body is not JSON, or is nested too deeply.") from None

    def parse_querydict(self, data: MultiValueDict, list_fields: list[str], request: HttpRequest) -> dict[str, Any]:
        """Parameters by their own names. Raises Problem 400 for NUL, and for one that says two things at once."""
        found: dict[str, Any] = {}
        for key in data:
            name = Params.known.get(fold(key), key)
            values = data.getlist(key)
            if any("\0" in value for value in values):
                raise _nul(f"{name}: ")
            if name in list_fields:
                found[name] = values
            elif name in Params.known.values() and len({*values, found.get(name, values[0])}) > 1:
                raise Problem(400, "invalid_request", _("%s: it stands there twice, with different values.") % name)
            else:
                found[name] = values[-1]
        return found


def _nul(place: str = "") -> Problem:
    """No text of ours holds it, and PostgreSQL cannot."""
    return Problem(400, "invalid_request", f"{place}{_('The character NUL (U+0000) cannot be used.')}")


class _Renderer(BaseRenderer):
    media_type = "application/json"

    def render(self, request: HttpRequest, data: Any, *, response_status: int) -> bytes:
        """JSON by orjson."""
        return orjson.dumps(data)


def json_answer(data: Any, **headers: str) -> HttpResponse:
    """A ready answer for lists: what it says is not checked against the schema that the operation declares.

    `data`: what orjson takes; orjson.Fragment for JSON that the database wrote.
    """
    return HttpResponse(orjson.dumps(data), content_type="application/json", headers=headers)


def csv_answer(lines: Iterator[str] | Iterator[bytes], name: str) -> StreamingHttpResponse:
    """A CSV file, written as it is read. `name`: plain ASCII."""
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "private, no-store"}
    return StreamingHttpResponse(lines, content_type=CSV_TYPE, headers=headers)


def csv_content(kind: str = "text/csv") -> dict[str, Any]:
    """The `openapi_extra` of an operation that answers CSV, or text of another `kind`."""
    return {"responses": {200: {"content": {kind: {"schema": {"type": "string"}}}}}}


def file_content(field: str, example: str, *kinds: str) -> dict[str, Any]:
    """The `openapi_extra` of an operation that takes a file (bodies.file_of): a form with the field, or the body.

    `kinds`: media types of such a body, the first with the example.
    """
    binary = {"type": "string", "format": "binary"}
    form = {"type": "object", "required": [field], "properties": {field: binary}}
    content: dict[str, Any] = {kind: {"schema": binary} for kind in kinds}
    content[kinds[0]]["example"] = example
    return {"requestBody": {"required": True, "content": {MULTIPART: {"schema": form}, **content}}}


def answers(model: Any, *more: int, status: int = 200) -> dict[int, Any]:
    """The `response` of an operation: `model` with `status`, and the problems that any operation may answer.

    `more`: further statuses of problems, such as 409.
    """
    refusals = dict.fromkeys((400, 401, 403, 404, 429, 500, *more), ProblemDetails)
    return {status: model, **refusals}


def reads(router: Router, *paths: str, twins: Iterable[str] = (), **more: Any) -> Callable[[View], View]:
    """Let a view answer GET at `paths`, and at `twins`: other spellings, which the document does not name.

    `more`: auth, response, summary.
    """
    places = [*((path, True) for path in paths), *((path, False) for path in twins)]

    def add(view: View) -> View:
        for path, named in places:
            router.get(path, include_in_schema=named, **more)(view)
        return view

    return add


class Interface(NinjaAPI):
    """Names its operations by method and address: one function may stand at two addresses."""

    def get_openapi_operation_id(self, operation: Operation) -> str:
        """For example get_v3_oc_numbers."""
        return f"{operation.methods[0].lower()}{re.sub(r'[^a-zA-Z0-9]+', '_', operation.path).rstrip('_')}"


def _wants_plan(request: HttpRequest) -> bool:
    """Whether the request says that it wants to know only what would happen, however it is spelt."""
    said = [str(text) for name, text in request.GET.items() if fold(name) == fold("dryRun")]
    return any(text.lower() not in _FALSE for text in said)


def _acts_unasked(operation: Operation, request: HttpRequest) -> Problem | None:
    """The refusal of a request that asks for a plan where there is none, or seems to: it must not act instead."""
    for name in request.GET:
        if fold(name).startswith("dry") and fold(name) != fold("dryRun"):
            words = _("There is no parameter “%s”: a dry run is asked for with dryRun=true. Nothing was done.")
            return Problem(400, "invalid_request", words % name[:60])
    takes = any("dryRun" in (getattr(model, "__ninja_flatten_map__", None) or ()) for model in operation.models)
    if takes or not _wants_plan(request):
        return None
    return Problem(400, "no_dry_run", _("There is no dry run of this operation, so nothing was done."))


def _around(run: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """What stands around every operation: a key makes it act once, an answer to be read gets a tag.

    A dry run takes no key: nothing is done that would have to happen once.
    """
    operation = cast(Any, run).__self__

    @wraps(run)
    def answer(request: HttpRequest, **path: Any) -> HttpResponseBase:
        if request.method not in once.ACTING:
            return etags.tagged(request, run(request, **path))
        if problem := _acts_unasked(operation, request):
            return operation.api.on_exception(request, problem)
        if once.applies(request) and not _wants_plan(request):
            return once.act_once(operation, request, path)
        return run(request, **path)

    return answer


api = Interface(
    title="Operator Connect number console",
    version="3",
    urls_namespace="api",
    docs_url=None,
    openapi_url=None,
    parser=_Parser(),
    renderer=_Renderer(),
)
problems.install(api)
api.add_decorator(_around, mode="view")

"""The interface itself: one NinjaAPI, how names are read, how answers are written."""

import re
from typing import Any, ClassVar

import orjson
from django.http import HttpRequest, HttpResponse
from django.utils.datastructures import MultiValueDict
from ninja import NinjaAPI
from ninja.parser import Parser
from ninja.renderers import BaseRenderer
from pydantic import BaseModel, model_validator

from . import problems
from .problems import Problem, ProblemDetails


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


class Body(BaseModel):
    """A JSON body. Names are read in any case, with or without _ and blanks; those that nobody knows are ignored."""

    @model_validator(mode="before")
    @classmethod
    def _known_names(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        names = {fold(field.alias or name): field.alias or name for name, field in cls.model_fields.items()}
        return {names.get(fold(str(name)), name): held for name, held in value.items()}


class _Parser(Parser):
    """Reads JSON by orjson, which refuses what is nested too deeply, and parameters by their folded names."""

    def parse_body(self, request: HttpRequest) -> Any:
        """The body. Raises Problem 415 for any type but JSON, 400 for what is none."""
        if request.content_type != "application/json" and not (request.content_type or "").endswith("+json"):
            raise Problem(415, "unsupported_media_type", "Send the body as application/json.")
        try:
            return orjson.loads(request.body)
        except orjson.JSONDecodeError:
            raise Problem(400, "invalid_json", "The body is not JSON, or is nested too deeply.") from None

    def parse_querydict(self, data: MultiValueDict, list_fields: list[str], request: HttpRequest) -> dict[str, Any]:
        """Parameters by their own names; of one that stands there twice the last counts."""
        found: dict[str, Any] = {}
        for key in data:
            name = Params.known.get(fold(key), key)
            found[name] = data.getlist(key) if name in list_fields else data[key]
        return found


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


def answers(model: Any, *more: int, status: int = 200) -> dict[int, Any]:
    """The `response` of an operation: `model` with `status`, and the problems that any operation may answer.

    `more`: further statuses of problems, such as 409.
    """
    refusals = dict.fromkeys((400, 401, 403, 404, 429, 500, *more), ProblemDetails)
    return {status: model, **refusals}


api = NinjaAPI(
    title="Operator Connect number console",
    version="3",
    urls_namespace="api",
    docs_url=None,
    openapi_url=None,
    parser=_Parser(),
    renderer=_Renderer(),
)
problems.install(api)

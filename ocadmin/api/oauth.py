"""POST /oauth2/token: the client credentials grant of RFC 6749 (4.4), with its errors in the shape of 5.2.

The client says who it is by HTTP Basic or in the form. `scope` may narrow the token to some permissions (their values,
with blanks between); the `…/.default` of the reference's flow means all that its roles grant.
"""

import base64
import binascii
import logging
from collections.abc import Mapping
from urllib.parse import unquote_plus

from django.core.exceptions import RequestDataTooBig, SuspiciousOperation, TooManyFieldsSent
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt

from ocadmin.access import clients
from ocadmin.access.permissions import Permission

from . import bodies, limits, tokens
from .problems import Problem

logger = logging.getLogger(__name__)

LONGEST_BODY = 10_000
FORM = "application/x-www-form-urlencoded"
# Wrong secrets from one address, for one client and for all ids that there are not. A right one is taken at any time:
# nobody can try out 256 bits, but behind a proxy anybody could lock out a client by its id.
MISSES, MISS_SECONDS = 30, 60.0


class Refused(Exception):
    """An error of RFC 6749: its code and a sentence."""

    def __init__(self, code: str, sentence: str, status: int = 400, **headers: str) -> None:
        super().__init__(sentence)
        self.code, self.sentence, self.status, self.headers = code, sentence, status, headers


@csrf_exempt  # no cookie says who it is
def token(request: HttpRequest) -> HttpResponse:
    """A token for a client that shows its secret."""
    try:
        if request.method != "POST":
            raise Refused("invalid_request", "Send a POST request.", 405, Allow="POST")
        form = _form(request)
        if "grant_type" not in form:
            raise Refused("invalid_request", "Send grant_type=client_credentials.")
        if form["grant_type"] != "client_credentials":
            raise Refused("unsupported_grant_type", "Only grant_type=client_credentials is supported.")
        client = _client(request, *_credentials(request, form))
        scope = _scope(form.get("scope", ""))
    except Refused as error:
        logger.info("no access token: %s, %s", error.code, error)
        body = {"error": error.code, "error_description": str(error)}
        return _answer(body, error.status, **error.headers)
    clients.used(client)
    issued = {"access_token": tokens.issue(client, scope), "token_type": "Bearer", "expires_in": tokens.SECONDS}
    return _answer(issued | ({"scope": scope} if scope else {}), 200)


def _answer(body: Mapping[str, object], status: int, **headers: str) -> HttpResponse:
    return JsonResponse(body, status=status, headers={"Cache-Control": "no-store", "Pragma": "no-cache"} | headers)


def _form(request: HttpRequest) -> dict[str, str]:
    try:
        bodies.refuse_longer(request, LONGEST_BODY)
        bodies.take_in_chunks(request, LONGEST_BODY)
    except Problem:
        raise Refused("invalid_request", f"The body may have {LONGEST_BODY} bytes.", 413) from None
    if request.content_type != FORM:
        raise Refused("invalid_request", f"Send the body as {FORM}.", 415)
    try:
        fields = request.POST
    except (RequestDataTooBig, TooManyFieldsSent, SuspiciousOperation):
        raise Refused("invalid_request", "The body cannot be read.") from None
    if any(len(fields.getlist(name)) > 1 for name in fields):
        raise Refused("invalid_request", "No parameter may stand there twice.")
    return fields.dict()


def _credentials(request: HttpRequest, form: dict[str, str]) -> tuple[str, str]:
    """Client id and secret."""
    header = request.headers.get("Authorization", "")
    if not header:
        return form.get("client_id", ""), form.get("client_secret", "")
    if "client_secret" in form:
        raise Refused("invalid_request", "Send the secret in the header or in the form, not in both.")
    scheme, _blank, value = header.partition(" ")
    try:
        pair = base64.b64decode(value.strip(), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        pair = ""
    if scheme.lower() != "basic" or ":" not in pair:
        raise _unknown()
    name, _colon, secret = pair.partition(":")
    return unquote_plus(name), unquote_plus(secret)  # RFC 6749, 2.3.1


def _client(request: HttpRequest, client_id: str, secret: str) -> clients.Known:
    """The client whose secret this is. What is wrong with it is not told."""
    client = clients.find(client_id) if 0 < len(client_id) <= 150 and "\0" not in client_id else None
    if client is not None and client.accepts(secret) and client.usable:
        return client
    key = f"token:{client.pk if client else 'unknown'}:{request.META.get('REMOTE_ADDR', '')}"
    wait = limits.spent(key, MISSES, MISS_SECONDS)
    if wait:
        raise Refused("invalid_client", "Too many wrong secrets.", 429, **{"Retry-After": str(wait)})
    limits.take(key, MISSES, MISS_SECONDS)
    raise _unknown()


def _unknown() -> Refused:
    headers = {"WWW-Authenticate": 'Basic realm="oauth2"'}
    return Refused("invalid_client", "The client is not known, or its secret is wrong.", 401, **headers)


def _scope(text: str) -> str:
    """The permissions asked for; "" for all."""
    words = [word for word in text.split() if word != ".default" and not word.endswith("/.default")]
    unknown = [word for word in words if word not in Permission.values]
    if unknown:
        raise Refused("invalid_scope", f"A scope is one or more of: {' '.join(Permission.values)}.")
    return " ".join(dict.fromkeys(words))

"""Idempotency-Key: what is sent twice is done once.

A client names a request that acts with a key of its own. Within a day the same request with the same key gets the
first answer again; another request with it is refused. It works for every operation, because it stands around all of
them (rest.py), after the sign-in and the limits and before the parameters are read.

Why nothing can happen twice: the row of the key is there before anything is done, and a unique constraint lets one
request have it. What the request does and its answer are one transaction, at whose end the row must still be this
request's. A process that dies leaves a row without answer and nothing done; after LEASE_SECONDS the next one may have
it. Only what has acted is remembered: after a refusal nothing has happened, and the key is free again.

So an operation acts in the database alone (makes a task): no HTTP, no waiting for the task. One that must do otherwise
says so with `@outside`: then there is no transaction around it, and after a crash in the middle its key stays taken.
An answer that tells a secret is kept sealed: `@secret`. What is the same request is also a matter of who asks: after a
role was taken away its answers are not given again.
"""

import copy
import hashlib
from collections.abc import Callable
from contextlib import nullcontext
from datetime import timedelta
from typing import Any, TypeVar

from django.core.files.uploadedfile import UploadedFile
from django.db.transaction import atomic, set_rollback
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from ocadmin.access.models import KeyedRequest
from ocadmin.access.request import principal_behind
from ocadmin.access.sealing import CannotUnseal, seal, unseal

from .authentication import CHANNEL_HEADER
from .bodies import MULTIPART, RAW, raw_body
from .problems import Problem

HEADER = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"
ACTING = frozenset({"POST", "PUT", "PATCH", "DELETE"})
KEPT_FOR = timedelta(hours=24)
LEASE_SECONDS = 60
LONGEST_KEY = 255
View = TypeVar("View", bound=Callable[..., Any])
_KEPT_HEADERS = ("Content-Type", "Location", "Cache-Control")
_PURPOSE = b"ocadmin.api.answer"


def applies(request: HttpRequest) -> bool:
    """Whether the request acts and has a key."""
    return request.method in ACTING and HEADER in request.headers


def outside(view: View) -> View:
    """Decorator of an endpoint that acts outside of the database as well, or waits for what it has begun."""
    view.acts_outside = True  # type: ignore[attr-defined]
    return view


def secret(view: View) -> View:
    """Decorator of an endpoint whose answer tells a secret: it is kept sealed, as the secret itself is."""
    view.answers_secret = True  # type: ignore[attr-defined]
    return view


def act_once(operation: Any, request: HttpRequest, path: dict[str, Any]) -> HttpResponse:
    """The answer of a ninja operation, or the one that it gave to the same request before."""
    refused = operation._run_checks(request)
    if refused is not None:
        return refused
    checked = copy.copy(operation)
    checked.auth_callbacks, checked.throttle_objects = [], []
    try:
        free = getattr(operation.view_func, "acts_outside", False)
        sealed = getattr(operation.view_func, "answers_secret", False)
        row = _take(request, may_be_dead=not free)
        if row.status is not None:
            return _again(row, sealed=sealed)
        frame = nullcontext if free else atomic
        return _act(row, lambda: type(operation).run(checked, request, **path), frame, sealed=sealed)
    except Exception as error:
        return operation.api.on_exception(request, error)


def forget() -> None:
    """Delete keys whose time is over."""
    KeyedRequest.objects.filter(started_at__lt=timezone.now() - KEPT_FOR).delete()


def _take(request: HttpRequest, *, may_be_dead: bool) -> KeyedRequest:
    """The row of the key: this request's own, or one with an answer. Raises Problem 400, 409, 422.

    `may_be_dead`: whether a row without answer for so long is of a process that died and has done nothing.
    """
    key = request.headers[HEADER]
    if not (0 < len(key) <= LONGEST_KEY and key.isascii() and key.isprintable()):
        sentence = _("%(header)s: write 1 to %(n)d printable ASCII characters.")
        raise Problem(400, "invalid_request", sentence % {"header": HEADER, "n": LONGEST_KEY})
    now, digest = timezone.now(), digest_of(request)
    rows = KeyedRequest.objects.filter(client_id=principal_behind(request).user_id, key=key)
    row, fresh = rows.get_or_create(
        defaults={"digest": digest, "started_at": now}, client_id=principal_behind(request).user_id, key=key
    )
    if fresh:
        return row
    dead = may_be_dead and row.status is None and row.started_at < now - timedelta(seconds=LEASE_SECONDS)
    if row.started_at < now - KEPT_FOR or (dead and row.digest == digest):
        mine = rows.filter(started_at=row.started_at).update(digest=digest, started_at=now, status=None, body=b"")
        if mine:
            return rows.get()
        raise _still_running()
    if row.digest != digest:
        sentence = _("This %s was sent before, with another request or with other rights. Use a new one.") % HEADER
        raise Problem(422, "idempotency_key_reused", sentence)
    if row.status is None and not may_be_dead and row.started_at < now - timedelta(seconds=LEASE_SECONDS):
        sentence = _("A request with this %s was begun and never answered. Look what it has done, and use a new one.")
        raise Problem(409, "idempotency_key_in_use", sentence % HEADER)
    if row.status is None:
        raise _still_running()
    return row


def _still_running() -> Problem:
    sentence = _("A request with this %s is still at work. Ask again in a moment.") % HEADER
    return Problem(409, "idempotency_key_in_use", sentence, headers={"Retry-After": "1"})


def _act(
    row: KeyedRequest, run: Callable[[], HttpResponse], frame: Callable[[], Any], *, sealed: bool = False
) -> HttpResponse:
    """Do it and keep the answer: both or neither, where `frame` is a transaction."""
    mine = KeyedRequest.objects.filter(pk=row.pk, started_at=row.started_at, status=None)
    try:
        with frame():
            response = run()
            acted = response.status_code < 400
            if acted:
                headers = {name: response.headers[name] for name in _KEPT_HEADERS if name in response.headers}
                body = seal(response.content.decode(), _PURPOSE).encode() if sealed else response.content
                if not mine.update(status=response.status_code, headers=headers, body=body):
                    raise _still_running()  # it took so long that another one began: that one counts
            elif frame is atomic:
                set_rollback(True)
    except BaseException:
        if frame is atomic:
            mine.delete()
        raise
    # 500 is a crash, after which nobody knows what was done; any other refusal was meant, so nothing was.
    if not acted and (frame is atomic or response.status_code != 500):
        mine.delete()
    return response


def _again(row: KeyedRequest, *, sealed: bool) -> HttpResponse:
    """The answer that was kept. Raises Problem 409 where it cannot be opened any more."""
    body = bytes(row.body)
    if sealed:
        try:
            body = unseal(body.decode(), _PURPOSE).encode()
        except CannotUnseal:
            sentence = _("This was done, but its answer can no longer be opened: the secret key was changed.")
            raise Problem(409, "answer_lost", sentence) from None
    return HttpResponse(body, status=row.status, headers=row.headers | {REPLAYED: "true"})


def digest_of(request: HttpRequest) -> str:
    """What makes two requests the same: method, address, channel, what the client may do, and body. Of a form its
    fields and files: the boundary between them is another one each time. Files are read in pieces."""
    digest = hashlib.sha256()
    kind = (request.content_type or "").lower()
    by = principal_behind(request)
    for right in (*sorted(map(repr, by.grants)), f"only {sorted(by.only)}" if by.only is not None else ""):
        _feed(digest, right.encode())
    for part in (request.method, request.get_full_path(), request.headers.get(CHANNEL_HEADER, ""), kind):
        _feed(digest, str(part).encode())
    if kind == MULTIPART:
        for name in sorted(request.POST):
            _feed(digest, repr((name, request.POST.getlist(name))).encode())
        for name in sorted(request.FILES):
            for file in request.FILES.getlist(name):
                _feed(digest, repr((name, file.name, file.size)).encode())
                _feed_file(digest, file)
    elif kind in RAW:
        _feed_file(digest, raw_body(request))
    else:
        _feed(digest, request.body)
    return digest.hexdigest()


def _feed(digest: Any, part: bytes) -> None:
    """With its length, so that no two lists of parts read alike."""
    digest.update(len(part).to_bytes(8, "big"))
    digest.update(part)


def _feed_file(digest: Any, file: UploadedFile) -> None:
    for chunk in file.chunks():
        digest.update(chunk)
    file.seek(0)

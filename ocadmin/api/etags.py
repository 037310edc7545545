"""ETag and If-None-Match: a client that has an answer already is told so, instead of getting it again.

The tag is a digest of what is sent, so it is right whatever the answer is made of; a change stamp would have to know
of every table that a record shows. Streams are left alone: they are written as they are read.
"""

import hashlib

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.http import parse_etags

# Only who asked may keep it, and has to ask before it is used again.
KEEP = "private, no-cache"
VARY = "Authorization, X-Ovoc-Channel-Id"


def tagged(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    """The answer with its tag; 304 without a body where the client has it."""
    if not isinstance(response, HttpResponse) or response.status_code != 200 or "Cache-Control" in response.headers:
        return response
    tag = f'"{hashlib.sha256(response.content).hexdigest()[:40]}"'
    headers = {"ETag": tag, "Cache-Control": KEEP, "Vary": VARY}
    known = [one.removeprefix("W/") for one in parse_etags(request.headers.get("If-None-Match", ""))]
    if tag in known or "*" in known:
        return HttpResponse(status=304, headers=headers)
    for name, value in headers.items():
        response.headers[name] = value
    return response

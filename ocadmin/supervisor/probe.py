"""Small questions to our own processes over HTTP."""

import http.client
import json
from typing import Any
from urllib.parse import urlsplit


def get_json(url: str, timeout: float = 2.0, headers: dict[str, str] | None = None) -> tuple[int, Any]:
    """Status and JSON body of a GET; (0, None) where nobody answers, and None for a body that is not JSON."""
    parts = urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=timeout)
    try:
        connection.request("GET", parts.path, headers=headers or {})
        answer = connection.getresponse()
        text = answer.read()
        return answer.status, json.loads(text)
    except (OSError, http.client.HTTPException):
        return 0, None
    except ValueError:
        return answer.status, None
    finally:
        connection.close()

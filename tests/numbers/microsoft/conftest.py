"""Every test starts without tokens; `microsoft` answers with what a test says, without a network."""

from collections.abc import Callable, Iterator

import httpx2
import pytest
from django.conf import settings

from ocadmin.numbers.microsoft import entra, http

Handler = Callable[[httpx2.Request], httpx2.Response]
TOKEN = {"token_type": "Bearer", "expires_in": 3599, "access_token": "token-that-must-not-leak"}


class Microsoft:
    """The other side: answers API calls from a list (the last one for ever) and token requests by itself."""

    def __init__(self) -> None:
        self.requests: list[httpx2.Request] = []
        self.answers: list[httpx2.Response | Exception] = []
        self.token_answer: httpx2.Response | Exception | None = None

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        self.requests.append(request)
        if "/oauth2/" in request.url.path:
            return self._give(self.token_answer or httpx2.Response(200, json=TOKEN))
        return self._give(self.answers.pop(0) if len(self.answers) > 1 else self.answers[0])

    @staticmethod
    def _give(answer: httpx2.Response | Exception) -> httpx2.Response:
        if isinstance(answer, Exception):
            raise answer
        return httpx2.Response(answer.status_code, headers=answer.headers, content=answer.content)

    @property
    def calls(self) -> list[httpx2.Request]:
        """What was asked except for tokens."""
        return [request for request in self.requests if "/oauth2/" not in request.url.path]


@pytest.fixture(autouse=True)
def no_tokens() -> Iterator[None]:
    entra.forget_all()
    yield
    entra.forget_all()


@pytest.fixture
def microsoft(monkeypatch: pytest.MonkeyPatch) -> Microsoft:
    values = {
        "entra_url": "https://login.test",
        "operator_url": "https://operator.test/oc/v1",
        "graph_url": "https://graph.test/v1.0",
        "operator_id": "7a4e2c1d-6b0f-4f0a-9c53-2d1e8a90b6f4",
        "entra_tenant": "0d1f6a52-3c7b-4e8e-8a64-5b9f3c2e7d10",
        "client_id": "console",
        "client_secret": "secret-that-must-not-leak",
    }
    for name, value in values.items():
        monkeypatch.setattr(settings.ENV, name, value)
    other_side = Microsoft()
    client = httpx2.Client(transport=httpx2.MockTransport(other_side))
    monkeypatch.setattr(http, "client", lambda: client)
    return other_side

"""Uploads: what is too large is read to its end, kept nowhere, and answered with a sentence."""

import http.client
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.files.uploadhandler import StopUpload
from django.http.multipartparser import MultiPartParser
from django.test import Client, RequestFactory, override_settings

from ocadmin.console import private_files
from ocadmin.console.uploads import FOLDER, BoundedUpload
from ocadmin.environment import BASE_DIR
from tests.sandbox_process import free_port

MB = 1_000_000
SITE = "tests.console.upload_site"


@pytest.fixture(autouse=True)
def one_megabyte(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings.ENV, "import_max_mb", 1)


def upload(content: bytes, name: str = "numbers.csv") -> dict[str, Any]:
    with override_settings(ROOT_URLCONF=SITE, MIDDLEWARE=[]):
        return Client().post("/", {"file": SimpleUploadedFile(name, content)}).json()


@pytest.mark.parametrize("size", [1, MB - 1, MB])
def test_what_is_small_enough_is_kept_privately(size: int) -> None:
    answer = upload(b"x" * size)
    assert (answer["valid"], answer["size"], answer["kept"], answer["too_large"]) == (True, size, size, False)
    assert answer["content"] == "x" * min(size, 100)
    assert answer["mode"] == 0o600
    path = Path(answer["path"])
    assert path.parent == private_files.folder(FOLDER)
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert not path.exists()  # gone with the request


@pytest.mark.parametrize("size", [MB + 1, 3 * MB])
def test_what_is_too_large_is_refused_and_not_kept(size: int) -> None:
    answer = upload(b"x" * size)
    assert (answer["valid"], answer["size"], answer["kept"], answer["too_large"]) == (False, size, 0, True)
    shown = "1.1" if size == MB + 1 else "3"
    assert answer["errors"] == [f"The file is {shown} MB; at most 1 MB are read. Split it."]
    assert answer["content"] == ""


def test_an_empty_file_and_none() -> None:
    assert upload(b"")["errors"] == ["The submitted file is empty."]
    with override_settings(ROOT_URLCONF=SITE, MIDDLEWARE=[]):
        assert Client().post("/", {}).json()["errors"] == ["This field is required."]


def test_the_disk_never_holds_more_than_the_limit() -> None:
    handler = BoundedUpload(RequestFactory().post("/"))
    handler.new_file("file", "numbers.csv", "text/csv", None)
    path, most = Path(handler.file.temporary_file_path()), 0
    for start in range(0, 5 * MB, 64 * 1024):
        handler.receive_data_chunk(b"x" * 64 * 1024, start)
        handler.file.flush()
        most = max(most, path.stat().st_size)
    assert most <= MB
    handler.file_complete(5 * MB).close()
    assert not path.exists()


def test_an_upload_that_breaks_off_leaves_nothing() -> None:
    body = b'--B\r\nContent-Disposition: form-data; name="file"; filename="n.csv"\r\n\r\n' + b"x" * 200_000

    class Broken(BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            if self.tell() > 100_000:
                raise StopUpload(connection_reset=True)
            return super().read(size)

    meta = {"CONTENT_TYPE": "multipart/form-data; boundary=B", "CONTENT_LENGTH": str(len(body) + 500)}
    handler = BoundedUpload(RequestFactory().post("/"))
    MultiPartParser(meta, Broken(body), [handler]).parse()
    assert handler.file.closed
    assert list(private_files.folder(FOLDER).iterdir()) == []


def test_what_a_dead_process_left_is_removed_with_the_next_upload() -> None:
    left = private_files.folder(FOLDER) / "upload-left"
    left.write_bytes(b"x")
    upload(b"x")
    assert left.exists()
    os.utime(left, (0, 0))
    upload(b"x")
    assert not left.exists()


PROGRAM = f"""
import django
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
django.setup()
settings.ROOT_URLCONF, settings.MIDDLEWARE = {SITE!r}, []
application = WSGIHandler()
"""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[int]:
    """The port of a real server with one worker."""
    port = free_port()
    (tmp_path / "upload_wsgi.py").write_text(PROGRAM)
    env = os.environ | {
        "DJANGO_SETTINGS_MODULE": "tests.settings",
        "OCADMIN_DATA_DIR": str(tmp_path / "data"),
        "OCADMIN_IMPORT_MAX_MB": "20",
        "PYTHONPATH": os.pathsep.join([str(BASE_DIR), str(tmp_path)]),
    }
    command = [sys.executable, "-m", "gunicorn", "upload_wsgi", "--bind", f"127.0.0.1:{port}"]
    command += ["--worker-class", "gthread", "--threads", "2", "--log-level", "warning"]
    with subprocess.Popen(command, env=env, cwd=tmp_path) as process:
        yield port
        process.terminate()


def send(port: int, megabytes: int) -> dict[str, Any]:
    """A file of so many MB, piece by piece; the answer to it."""
    head = b'--B\r\nContent-Disposition: form-data; name="file"; filename="n.csv"\r\n\r\n'
    tail = b"\r\n--B--\r\n"
    piece = b"+442079460958;Contoso\n" * 4546
    piece = piece[:100_000]

    def body() -> Iterator[bytes]:
        yield head
        for _ in range(megabytes * 10):
            yield piece
        yield tail

    size = len(head) + len(tail) + megabytes * MB
    headers = {"Content-Type": "multipart/form-data; boundary=B", "Content-Length": str(size)}
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=120)) as connection:
        connection.request("POST", "/", body(), headers)
        return json.loads(connection.getresponse().read())


@pytest.mark.slow
def test_200_mb_over_http_cost_no_memory_and_end_in_a_sentence(server: int) -> None:
    ends = time.monotonic() + 60
    while True:
        try:
            before = send(server, 1)
            break
        except ConnectionRefusedError:
            assert time.monotonic() < ends
            time.sleep(0.2)
    after = send(server, 200)
    assert after["errors"] == ["The file is 200 MB; at most 20 MB are read. Split it."]
    assert (after["size"], after["kept"]) == (200 * MB, 0)
    assert after["memory"] - before["memory"] < 10_000

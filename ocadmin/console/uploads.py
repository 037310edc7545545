"""Uploads of any size in flat memory and on a bounded disk, with an answer instead of a broken connection.

A server that stops reading a file that is too long makes the browser say “connection reset”. So everything is read, but
no more is kept than an import may have, and of a file that turns out to be longer nothing at all: a form that forgets
to ask gets an empty file, never the first part of one. `BoundedFileField` asks.
"""

import tempfile
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import TemporaryUploadedFile, UploadedFile
from django.core.files.uploadhandler import TemporaryFileUploadHandler

from . import private_files
from .sheets import Limits
from .sheets.refusals import too_large

FOLDER = "uploads"
# A request that died with its process leaves its file behind; no upload takes as long as this.
FORGOTTEN_HOURS = 24.0


class BoundedFile(TemporaryUploadedFile):
    """An uploaded file. `real_size` is what was sent; was that too much, `too_large` is set and nothing is kept."""

    too_large = False
    real_size = 0

    def __init__(self, name: str, content_type: str | None, charset: str | None, extra: Any = None) -> None:
        folder = private_files.folder(FOLDER)
        file = tempfile.NamedTemporaryFile(prefix="upload-", dir=folder)  # noqa: SIM115  closed with the request
        UploadedFile.__init__(self, file, name, content_type, 0, charset, extra)


class BoundedUpload(TemporaryFileUploadHandler):
    """For FILE_UPLOAD_HANDLERS: keeps files up to the limit of imports, counts and throws away what is more."""

    file: BoundedFile

    def __init__(self, request: Any = None) -> None:
        super().__init__(request)
        self.limit = Limits.of_settings().bytes

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        """A file begins, in a folder that only we can read."""
        super(TemporaryFileUploadHandler, self).new_file(*args, **kwargs)
        private_files.forget(FOLDER, FORGOTTEN_HOURS)
        self.file = BoundedFile(self.file_name or "", self.content_type, self.charset, self.content_type_extra)

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        """The next piece, which begins at `start`."""
        if start + len(raw_data) <= self.limit:
            self.file.write(raw_data)
        elif not self.file.too_large:
            self.file.too_large = True
            self.file.seek(0)
            self.file.truncate()

    def file_complete(self, file_size: int) -> BoundedFile:
        """All of it was sent: `file_size` bytes."""
        self.file.real_size = file_size
        self.file.size = file_size
        self.file.seek(0)
        return self.file


class BoundedFileField(forms.FileField):
    """A file of a form, not larger than imports may be."""

    def to_python(self, data: Any) -> Any:
        """Refuses in one sentence."""
        file = super().to_python(data)
        limit = Limits.of_settings().bytes
        size = getattr(file, "real_size", 0) or getattr(file, "size", 0) or 0
        if getattr(file, "too_large", False) or size > limit:
            raise ValidationError(too_large(size, limit).sentence, code="too_large")
        return file

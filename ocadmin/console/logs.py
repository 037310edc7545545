"""What the log leaves out."""

import logging

from django.core.exceptions import BadRequest, PermissionDenied


class RefusalFilter(logging.Filter):
    """A refusal (403, or 400 with a sentence) is one line.

    Where the code refused is no news, and a traceback looks like a failure.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Take the traceback of a refusal from the record; every record passes."""
        if record.exc_info and isinstance(record.exc_info[1], PermissionDenied | BadRequest):
            record.exc_info = record.exc_text = None
        return True

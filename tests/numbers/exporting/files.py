"""Reading exported files back."""

import csv
import io
from typing import Any

import openpyxl
from django.test import Client

from ocadmin.numbers.exporting import csv_file


def body(response: Any) -> bytes:
    """All of a streamed answer."""
    assert response.status_code == 200, response.content
    return b"".join(response.streaming_content)


def rows_of(data: bytes) -> list[dict[str, str]]:
    """The rows of a CSV file with its mark."""
    assert data.startswith(csv_file.BOM)
    return list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline="")))


def exported(client: Client, query: str = "") -> list[dict[str, str]]:
    """The rows of the list's export as CSV."""
    return rows_of(body(client.get(f"/numbers/export/?{query}")))


def numbers(client: Client, query: str = "") -> list[str]:
    """The numbers in the list's export, in order."""
    return [row["telephoneNumber"] for row in exported(client, query)]


def sheet(data: bytes) -> list[tuple[Any, ...]]:
    """The rows of a workbook, the header first."""
    return list(openpyxl.load_workbook(io.BytesIO(data))["Numbers"].iter_rows(values_only=True))

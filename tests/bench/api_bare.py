"""The page of numbers without anything but the driver and orjson: the floor of api.py."""

import uuid
from typing import Any

import orjson
from django.db import connection
from django.http import HttpRequest, HttpResponse

from ocadmin.api.authentication import principal_of

SQL = (
    "SELECT n.upload_entry_id, n.source, n.tenant_calling_profile_id, c.ump_customer_guid, h.ovoc_channel_id,"
    " c.consented_on, c.full_name, c.ms_company_name, n.id, n.upload_job_id, n.when_created, n.status, n.e164,"
    " n.calling_profile_id, n.acquired_capabilities::text, n.available_capabilities::text, n.acquired_on,"
    " n.iso_country_code, n.tn_upload_job_id, n.location_id, n.civic_address_id, n.assignment_status, c.tenant_id,"
    " n.aslcht, n.aslsct, n.aslv_code, n.asticks, n.customer_id"
    " FROM numbers_phonenumber n JOIN numbers_customer c ON c.id = n.customer_id"
    " LEFT JOIN numbers_channel h ON h.id = c.channel_id WHERE n.e164 > %s ORDER BY n.e164 LIMIT %s"
)
LINKS = (
    "SELECT l.customer_id, l.calling_profile_id, s.id, s.name, l.name, l.description FROM numbers_sipconnection l"
    " JOIN sbc_sbc s ON s.id = l.sbc_id WHERE l.customer_id = ANY(%s) ORDER BY s.id"
)


def page(request: HttpRequest) -> HttpResponse:
    """Rows after a key."""
    principal = principal_of(request.headers["Authorization"].removeprefix("Bearer "))
    assert principal.grants
    with connection.cursor() as cursor:
        cursor.execute(SQL, [request.GET.get("after", ""), int(request.GET.get("pageSize", 200))])
        rows = cursor.fetchall()
        cursor.execute(LINKS, [list({row[27] for row in rows})])
        ways: dict[tuple[int, uuid.UUID], list[Any]] = {}
        for customer, profile, *link in cursor.fetchall():
            ways.setdefault((customer, profile), []).append(link)
    return HttpResponse(
        orjson.dumps({"data": [_record(row, ways.get((row[27], row[13]), [])) for row in rows]}),
        content_type="application/json",
    )


def _record(row: tuple[Any, ...], links: list[Any]) -> dict[str, Any]:
    return {
        "uploadTelephoneNumberEntryId": row[0],
        "source": row[1] or "ocsync",
        "sbcList": [{"sbcName": link[1], "sbcId": link[0]} for link in links],
        "tenantCallingProfileId": row[2],
        "ocSipConnectionName": ", ".join(link[2] for link in links if link[2]) or None,
        "ocSipConnectionDescription": ", ".join(link[3] for link in links if link[3]) or None,
        "umpCustomerGuid": row[3],
        "sbcListJson": None,
        "ovocChannelId": row[4] or 0,
        "consentedOn": row[5],
        "umpCustomerFullName": row[6],
        "msCompanyName": row[7] or None,
        "sbcListArray": [],
        "id": row[8],
        "uploadToAccountJobId": row[9],
        "whenCreated": row[10],
        "acquiredNumberStatus": row[11],
        "telephoneNumber": row[12],
        "callingProfileId": row[13],
        "acquiredCapabilities": orjson.Fragment(row[14]),
        "availableCapabilities": row[15] and orjson.Fragment(row[15]),
        "acquiredOn": row[16],
        "isoCountryCode": row[17] or None,
        "tnUploadJobId": row[18],
        "locationId": row[19],
        "civicAddressId": row[20],
        "assignmentStatus": row[21],
        "tenantId": row[22],
        "aslcht": row[23],
        "aslsct": row[24],
        "aslvCode": row[25],
        "asticks": row[26],
    }

"""A million numbers of two thousand customers for the benchmarks of exports, made by the database itself."""

from django.db import connection

from sbc.models import SBC

CUSTOMERS, PROFILES, ADDRESSES, SBCS = 2_000, 8, 20_000, 6
BLOCK = 500  # numbers of one customer that lie side by side, as ranges are bought

# Column to SQL, in the words that both databases understand; {…} stand for what they say differently.
_CUSTOMER = {
    "id": "i + 1",
    "tenant_id": "{guid}",
    "full_name": "'Customer ' || i || ' & Sons, Ltd'",
    "ms_company_name": "''",
    "consent_status": "'active'",
    "relationship_status": "''",
    "consented_countries": "'[\"GB\"]'{json}",
    "usage_plans": "'[]'{json}",
    "contacts": "'[]'{json}",
    "connection": "'unknown'",
    "connection_message": "''",
    "sync_hold_reason": "''",
    "created_at": "{now}",
}
_PROFILE = {
    "id": "{guid}",
    "name": "'Profile ' || i",
    "region": "'EMEA'",
    "carrier": "''",
    "offer_types": "'[]'{json}",
    "emergency_dial_strings": "'[]'{json}",
    "is_emergency_profile": "{false}",
}
_ADDRESS = dict.fromkeys(
    ("house_number_suffix", "pre_directional", "post_directional", "city_alias", "county", "state", "description"), "''"
) | {
    "id": "{guid}",
    "customer_id": "i % 2000 + 1",
    "country": "'GB'",
    "house_number": "'' || i % 200",
    "street_name": "'Example Street ' || i % 97",
    "street_suffix": "''",
    "city": "'London'",
    "postal_code": "'SW' || i % 20 || 'A 1AA'",
    "company_name": "'Customer'",
    "company_id": "''",
    "latitude": "''",
    "longitude": "''",
    "validation_status": "'validated'",
}
_LOCATION = {
    "id": "{guid}",
    "civic_address_id": "{guid}",
    "description": "'Floor ' || i % 9",
    "additional_info": "''",
    "is_default": "{true}",
    "elin": "''",
}
_SIP = {
    "customer_id": "i / 3 + 1",
    "calling_profile_id": "{profile}",
    "sbc_id": "i % 6 + 1",
    "name": "CASE i % 2 WHEN 0 THEN '' ELSE 'IP group ' || i % 40 END",
    "description": "''",
}
_WORDS = '\'["Geographic", "InboundCalling", "OutboundCalling", "UserAssignment"]\'{json}'
_NUMBER = {
    "e164": "'+4420' || (10000000 + (i / 500 * 7919 % {blocks}) * 500 + i % 500)",
    "customer_id": "i / 500 % 2000 + 1",
    "status": "CASE i % 50 WHEN 7 THEN 2 WHEN 8 THEN 1 ELSE 0 END",
    "status_reason": "''",
    "status_changed_at": "{now}",
    "source": "CASE i % 3 WHEN 0 THEN 'webapi' WHEN 1 THEN 'webui' ELSE '' END",
    "note": "CASE i % 10 WHEN 0 THEN 'Reception, back office' ELSE '' END",
    "tags": "'[]'{json}",
    "when_created": "{now}",
    "modified_at": "{now}",
    "exact_times": "'{{}}'{json}",
    "iso_country_code": "'GB'",
    "calling_profile_id": "{profile}",
    "assignment_status": "CASE i % 4 WHEN 0 THEN 'Unassigned' ELSE 'UserAssigned' END",
    "assignment_target_id": "''",
    "activation_state": "'Activated'",
    "usage": "'CallingUserAssignment'",
    "additional_usages": "'[]'{json}",
    "acquired_capabilities": _WORDS,
    "available_capabilities": _WORDS,
    "acquired_on": "{now}",
    "tn_upload_job_id": "{guid}",
    "location_id": "{address}",
    "civic_address_id": "{address}",
    "allow_tenant_address_update": "{false}",
    "displayed_country_code": "''",
    "aslcht": "{now}",
    "aslv_code": "200",
}
_VENDORS = {
    "postgresql": {
        "guid": "lpad(to_hex(i), 32, '0')::uuid",
        "profile": "lpad(to_hex(i % 3), 32, '0')::uuid",
        "address": "lpad(to_hex(i / 50 % 20000), 32, '0')::uuid",
        "json": "::jsonb",
        "now": "now()",
        "true": "true",
        "false": "false",
    },
    "sqlite": {
        "guid": "printf('%032x', i)",
        "profile": "printf('%032x', i % 3)",
        "address": "printf('%032x', i / 50 % 20000)",
        "json": "",
        "now": "'2026-05-04 03:02:01.123456'",
        "true": "1",
        "false": "0",
    },
}


def fill(count: int) -> None:
    """`count` numbers (a multiple of BLOCK) and all that belongs to them, in an empty database."""
    SBC.objects.bulk_create(SBC(pk=i + 1, name=f"sbc-{i}", fqdn=f"sbc-{i}.example.net") for i in range(SBCS))
    _insert("numbers_customer", _CUSTOMER, CUSTOMERS)
    _insert("numbers_callingprofile", _PROFILE, PROFILES)
    _insert("numbers_civicaddress", _ADDRESS, ADDRESSES)
    _insert("numbers_location", _LOCATION, ADDRESSES)
    _insert("numbers_sipconnection", _SIP, CUSTOMERS * 3)
    _insert("numbers_phonenumber", _NUMBER, count)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE" if connection.vendor == "postgresql" else "ANALYZE")


def clear() -> None:
    """Nothing of it stays. On PostgreSQL."""
    tables = (
        "numbers_phonenumber, numbers_sipconnection, numbers_location, numbers_civicaddress, numbers_callingprofile"
    )
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {tables}, numbers_customer, sbc_sbc CASCADE")


def _insert(table: str, columns: dict[str, str], count: int) -> None:
    words = _VENDORS[connection.vendor] | {"blocks": str(max(count // BLOCK, 1))}
    values = ", ".join(text.format(**words) for text in columns.values())
    series = f"WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < {count - 1})"
    with connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO {table} ({', '.join(columns)}) {series} SELECT {values} FROM n")

"""Addresses of numbers and of what belongs to them."""

from django.urls import path, register_converter

from .views import (
    actions,
    approvals,
    calling_profiles,
    customers,
    drift,
    emergency_addresses,
    export,
    imports,
    number,
    numbers,
    quarantine,
    sbc_usage,
    upload,
)

app_name = "numbers"


class E164Converter:
    """A number as people write it: it begins with a plus or a digit. What it means is the view's question."""

    regex = r"[+0-9][^/]{0,60}"

    def to_python(self, value: str) -> str:
        """The text as it stands in the address."""
        return value

    def to_url(self, value: str) -> str:
        """The number as it is."""
        return value


register_converter(E164Converter, "e164")

urlpatterns = [
    path("numbers/", numbers.number_list, name="list"),
    path("numbers/released/", numbers.released, name="released"),
    path("numbers/released/actions/", quarantine.choose, name="choose-released"),
    path("numbers/released/actions/end-quarantine/", quarantine.end_quarantine, name="end-quarantine"),
    path("numbers/paste/", numbers.paste, name="paste"),
    path("numbers/sync/", numbers.sync, name="sync"),
    path("numbers/upload/", upload.upload, name="upload"),
    path("numbers/import/", imports.start, name="import"),
    path("numbers/import/example.csv", imports.example, name="import-example"),
    path("numbers/import/columns.csv", imports.fields, name="import-fields"),
    path("numbers/import/<uuid:pk>/", imports.file, name="import-file"),
    path("numbers/import/<uuid:pk>/live/", imports.live, name="import-live"),
    path("numbers/import/<uuid:pk>/columns/", imports.columns, name="import-columns"),
    path("numbers/import/<uuid:pk>/check/", imports.check_again, name="import-check"),
    path("numbers/import/<uuid:pk>/confirm/", imports.confirm, name="import-confirm"),
    path("numbers/import/<uuid:pk>/forget/", imports.forget, name="import-forget"),
    path("numbers/import/<uuid:pk>/rejected.csv", imports.rejected, name="import-rejected"),
    path("numbers/import/<uuid:pk>/differences.csv", imports.differences, name="import-differences"),
    path("numbers/export/", export.export_list, name="export"),
    path("numbers/export/<int:pk>/", export.download, name="export-download"),
    path("numbers/actions/", actions.choose, name="choose"),
    path("numbers/actions/<slug:kind>/", actions.act, name="act"),
    path("approvals/", approvals.approval_list, name="approvals"),
    path("drift/", drift.drift_list, name="drift"),
    path("drift/check/", drift.check, name="drift-check"),
    path("drift/export.csv", drift.export, name="drift-export"),
    path("drift/actions/", drift.choose, name="drift-choose"),
    path("drift/repair/", drift.repair, name="drift-repair"),
    path("numbers/<e164:e164>/", number.number_detail, name="number"),
    path("numbers/<e164:e164>/export/", export.export_number, name="number-export"),
    path("numbers/<e164:e164>/sync/", number.number_sync, name="number-sync"),
    path("customers/", customers.customer_list, name="customers"),
    path("customers/<uuid:tenant_id>/", customers.customer_detail, name="customer"),
    path("customers/<uuid:tenant_id>/sync/", customers.customer_sync, name="customer-sync"),
    path("customers/<uuid:tenant_id>/hold-sync/", customers.customer_hold_sync, name="customer-hold-sync"),
    path("customers/<uuid:tenant_id>/resume-sync/", customers.customer_resume_sync, name="customer-resume-sync"),
    path("calling-profiles/", calling_profiles.calling_profile_list, name="calling-profiles"),
    path("calling-profiles/<uuid:pk>/", calling_profiles.calling_profile_detail, name="calling-profile"),
    path("emergency-addresses/", emergency_addresses.emergency_address_list, name="emergency-addresses"),
    path("emergency-addresses/<uuid:pk>/", emergency_addresses.emergency_address_detail, name="emergency-address"),
    path("sbcs/<int:pk>/usage/", sbc_usage.sbc_usage, name="sbc-usage"),
]

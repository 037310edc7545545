"""The page of numbers as Django REST framework makes it: what api.py is compared with."""

from typing import Any

from django.db.models import Prefetch
from rest_framework import serializers
from rest_framework.authentication import BaseAuthentication
from rest_framework.generics import ListAPIView
from rest_framework.pagination import PageNumberPagination
from rest_framework.permissions import AllowAny
from rest_framework.renderers import JSONRenderer

from ocadmin.api.authentication import principal_of
from ocadmin.numbers.models import PhoneNumber, SipConnection

Serializer: Any = serializers.ModelSerializer
Text, Whole, Guid, Time = (
    serializers.CharField,
    serializers.IntegerField,
    serializers.UUIDField,
    serializers.DateTimeField,
)


class Token(BaseAuthentication):
    """The same authentication."""

    def authenticate(self, request: Any) -> tuple[Any, None]:
        """The principal."""
        return principal_of(request.headers["Authorization"].removeprefix("Bearer ")), None


class NumberSerializer(Serializer):
    """The 32 fields."""

    uploadTelephoneNumberEntryId = Whole(source="upload_entry_id")
    source = serializers.SerializerMethodField()
    sbcList = serializers.SerializerMethodField()
    tenantCallingProfileId = Whole(source="tenant_calling_profile_id")
    ocSipConnectionName = serializers.SerializerMethodField()
    ocSipConnectionDescription = serializers.SerializerMethodField()
    umpCustomerGuid = Guid(source="customer.ump_customer_guid")
    sbcListJson = serializers.SerializerMethodField(method_name="nothing")
    ovocChannelId = serializers.SerializerMethodField()
    consentedOn = Time(source="customer.consented_on")
    umpCustomerFullName = Text(source="customer.full_name")
    msCompanyName = serializers.SerializerMethodField()
    sbcListArray = serializers.ListField(default=list)
    uploadToAccountJobId = Whole(source="upload_job_id")
    whenCreated = Time(source="when_created", format="%Y-%m-%dT%H:%M:%S.%f+00:00")
    acquiredNumberStatus = Whole(source="status")
    telephoneNumber = Text(source="e164")
    callingProfileId = Guid(source="calling_profile_id")
    acquiredCapabilities = serializers.JSONField(source="acquired_capabilities")
    availableCapabilities = serializers.JSONField(source="available_capabilities")
    acquiredOn = Time(source="acquired_on", format="%Y-%m-%dT%H:%M:%S.%f+00:00")
    isoCountryCode = Text(source="iso_country_code")
    tnUploadJobId = Guid(source="tn_upload_job_id")
    locationId = Guid(source="location_id")
    civicAddressId = Guid(source="civic_address_id")
    assignmentStatus = Text(source="assignment_status")
    tenantId = Guid(source="customer.tenant_id")
    aslcht = Time(format="%Y-%m-%dT%H:%M:%S.%f+00:00")
    aslsct = Time()
    aslvCode = Whole(source="aslv_code")
    asticks = Whole()

    class Meta:
        model = PhoneNumber
        fields = [
            "uploadTelephoneNumberEntryId",
            "source",
            "sbcList",
            "tenantCallingProfileId",
            "ocSipConnectionName",
            "ocSipConnectionDescription",
            "umpCustomerGuid",
            "sbcListJson",
            "ovocChannelId",
            "consentedOn",
            "umpCustomerFullName",
            "msCompanyName",
            "sbcListArray",
            "id",
            "uploadToAccountJobId",
            "whenCreated",
            "acquiredNumberStatus",
            "telephoneNumber",
            "callingProfileId",
            "acquiredCapabilities",
            "availableCapabilities",
            "acquiredOn",
            "isoCountryCode",
            "tnUploadJobId",
            "locationId",
            "civicAddressId",
            "assignmentStatus",
            "tenantId",
            "aslcht",
            "aslsct",
            "aslvCode",
            "asticks",
        ]

    def _links(self, number: PhoneNumber) -> list[SipConnection]:
        links = number.customer.sip_connections.all()
        return [link for link in links if link.calling_profile_id == number.calling_profile_id]

    def get_source(self, number: PhoneNumber) -> str:
        """The word for it."""
        return number.source or "ocsync"

    def get_sbcList(self, number: PhoneNumber) -> list[dict[str, Any]]:
        """SBCs."""
        return [{"sbcName": link.sbc.name, "sbcId": link.sbc_id} for link in self._links(number)]

    def get_ocSipConnectionName(self, number: PhoneNumber) -> str | None:
        """Names."""
        return ", ".join(link.name for link in self._links(number) if link.name) or None

    def get_ocSipConnectionDescription(self, number: PhoneNumber) -> str | None:
        """Descriptions."""
        return ", ".join(link.description for link in self._links(number) if link.description) or None

    def get_ovocChannelId(self, number: PhoneNumber) -> int:
        """The channel."""
        return (number.customer.channel and number.customer.channel.ovoc_channel_id) or 0

    def get_msCompanyName(self, number: PhoneNumber) -> str | None:
        """The name there."""
        return number.customer.ms_company_name or None

    def nothing(self, number: PhoneNumber) -> None:
        """Always empty."""


class Pages(PageNumberPagination):
    """Pages of 200; the numbers are counted with each, as it does by itself."""

    page_size = 200

    def get_paginated_response(self, data: Any) -> Any:
        """Under the name that the others use."""
        response = super().get_paginated_response(data)
        response.data["data"] = response.data.pop("results")
        return response


class NumberList(ListAPIView):
    """The list."""

    authentication_classes = (Token,)
    permission_classes = (AllowAny,)
    renderer_classes = (JSONRenderer,)
    pagination_class = Pages
    serializer_class = NumberSerializer

    def get_queryset(self) -> Any:
        """Everything that a record needs, in three queries."""
        links = SipConnection.objects.select_related("sbc").order_by("sbc_id")
        return (
            PhoneNumber.objects.visible_to(self.request.user)
            .select_related("customer__channel")
            .prefetch_related(Prefetch("customer__sip_connections", links))
            .order_by("e164")
        )

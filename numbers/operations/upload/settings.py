"""With what numbers are uploaded. Numbers with the same settings go in the same jobs; the form makes one group, a file
many."""

import uuid
from dataclasses import dataclass
from typing import Any, Self


@dataclass(frozen=True)
class Settings:
    """What one number is uploaded with. `customer` is the id of its row.

    A place is given by `location`, or by `civic_address`, whose default location is then meant; never by both.
    `displayed_country` is an ISO country, needed for toll-free numbers that do not tell where they are; "" for none.
    """

    customer: int
    calling_profile: uuid.UUID
    usage: str
    additional_usages: tuple[str, ...] = ()
    capabilities: tuple[str, ...] = ()
    location: uuid.UUID | None = None
    civic_address: uuid.UUID | None = None
    allow_tenant_address_update: bool = False
    displayed_country: str = ""

    def __post_init__(self) -> None:
        """Ten thousands of numbers are looked up by their settings, whose hash takes longer than everything else."""
        parts = (self.customer, self.calling_profile, self.usage, self.additional_usages, self.capabilities)
        more = (self.location, self.civic_address, self.allow_tenant_address_update, self.displayed_country)
        object.__setattr__(self, "_hash", hash((parts, more)))

    def __hash__(self) -> int:
        return self._hash  # type: ignore[attr-defined]

    def as_dict(self) -> dict[str, Any]:
        """As JSON, for the parameters of a task and for programs."""
        return {
            "customer": self.customer,
            "calling_profile": str(self.calling_profile),
            "usage": self.usage,
            "additional_usages": list(self.additional_usages),
            "capabilities": list(self.capabilities),
            "location": str(self.location) if self.location else None,
            "civic_address": str(self.civic_address) if self.civic_address else None,
            "allow_tenant_address_update": self.allow_tenant_address_update,
            "displayed_country": self.displayed_country,
        }

    @classmethod
    def of(cls, values: dict[str, Any]) -> Self:
        """From what `as_dict` gave."""
        return cls(
            customer=values["customer"],
            calling_profile=uuid.UUID(values["calling_profile"]),
            usage=values["usage"],
            additional_usages=tuple(values["additional_usages"]),
            capabilities=tuple(values["capabilities"]),
            location=uuid.UUID(values["location"]) if values["location"] else None,
            civic_address=uuid.UUID(values["civic_address"]) if values["civic_address"] else None,
            allow_tenant_address_update=values["allow_tenant_address_update"],
            displayed_country=values["displayed_country"],
        )

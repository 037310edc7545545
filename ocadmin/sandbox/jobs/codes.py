"""Why one number of a job failed, in Microsoft's words and in a sentence."""

from __future__ import annotations

ADDRESS_NOT_VALIDATED = "AddressNotValidated"
ALL_FAILED = "AllEntriesFailed"
COUNTRY_MISMATCH = "CountryMismatch"
EXPIRED = "Expired"
LOCATION_UPDATE_NOT_SUPPORTED = "LocationUpdateNotSupported"
NUMBER_ALREADY_ACQUIRED = "NumberAlreadyAcquired"
NUMBER_ASSIGNED = "NumberAssigned"
NUMBER_NOT_ACTIVE = "NumberNotActive"
NUMBER_NOT_OWNED = "NumberNotOwned"
OPERATION_IN_PROGRESS = "OperationInProgress"
OWNED_BY_ANOTHER = "NumberOwnedByAnotherTenant"
UNKNOWN_COUNTRY = "UnknownCountryCode"
UPDATE_FAILED = "UpdateFailed"

# Last two digits of an uploaded number -> how its upload ends (upstreams.md 9.7 F06).
MAGIC_SUFFIXES = {
    "90": UNKNOWN_COUNTRY,
    "91": "UnableToMatchGeographyEntry",
    "92": "UnableToRetrieveLocation",
    "93": OWNED_BY_ANOTHER,
    "94": "InternalError",
}

MESSAGES = {
    ADDRESS_NOT_VALIDATED: "The emergency address has not been validated.",
    ALL_FAILED: "None of the telephone numbers could be handled.",
    COUNTRY_MISMATCH: "The telephone number and the location are in different countries.",
    EXPIRED: "The job was not finished in time.",
    LOCATION_UPDATE_NOT_SUPPORTED: "The location of this telephone number cannot be changed.",
    NUMBER_ALREADY_ACQUIRED: "The tenant already has this telephone number.",
    NUMBER_ASSIGNED: "The telephone number is assigned; unassign it first.",
    NUMBER_NOT_ACTIVE: "The telephone number is not active.",
    NUMBER_NOT_OWNED: "The tenant has no such telephone number.",
    OPERATION_IN_PROGRESS: "Another operation on this telephone number is running.",
    OWNED_BY_ANOTHER: "The telephone number belongs to another tenant.",
    UNKNOWN_COUNTRY: "The country of this telephone number is not known.",
    UPDATE_FAILED: "The telephone number could not be updated.",
    "InternalError": "Something went wrong inside; try again later.",
    "UnableToMatchGeographyEntry": "The telephone number matches no known area.",
    "UnableToRetrieveLocation": "The location could not be read.",
}


def message(code: str | None) -> str | None:
    """The sentence for a code, None without one; a code set by a test explains itself."""
    return MESSAGES.get(code, f"The sandbox was told to fail: {code}.") if code else None

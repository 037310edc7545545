"""The demo: some 410 numbers of five customers besides the ten of the example.

All numbers lie in ranges kept for fiction where such ranges exist (the Ofcom drama ranges, the
North American 555-01xx, the German, French and Australian ones); the Israeli ones only look likely.
"""

from __future__ import annotations

import functools
import random
from dataclasses import dataclass
from typing import Any

from .differences import Draft, apply_differences
from .directory import (
    APAC_PROFILE,
    BY_KEY,
    EMEA_PROFILE,
    NOAM_PROFILE,
    fixed_id,
    usable_locations,
)
from .records import TICKS_PER_SECOND, instant, oc_number, platform_record

DAY = 86_400 * TICKS_PER_SECOND
# 2024-04-02T08:00:00Z: the first upload of the story.
FIRST_UPLOAD = 638_476_704_000_000_000
# Twenty numbers in a row are assigned like this; the rest of the letters is in _ASSIGNED.
PATTERN = "uuu-uucuu-uuauu-ut-u"
TOLL_FREE_PATTERN = "a-aa-"
_ASSIGNED = {
    "u": "UserAssigned",
    "c": "ConferenceAssigned",
    "a": "VoiceApp",
    "t": "ThirdPartyAppAssigned",
    "-": "Unassigned",
}
SOURCES = ("webapi", "webui", "webapi", "webapi", "webui", "ocsync", "webapi")
LOCATED_PERCENT = 63
# A word Microsoft may send one day and nobody knows yet (upstreams.md 9.7 F28).
FUTURE_ASSIGNMENT = "FutureThing"
FUTURE_NUMBER = "+442079460109"


@dataclass(frozen=True, slots=True)
class Block:
    """``count`` consecutive numbers from ``first`` for one customer."""

    tenant: str
    country: str
    first: str
    count: int
    profile: str
    toll_free: bool = False


BLOCKS = (
    Block("harbourline", "GB", "+442079460000", 110, EMEA_PROFILE),
    Block("harbourline", "GB", "+441614960100", 40, EMEA_PROFILE),
    Block("harbourline", "GB", "+448081570100", 8, EMEA_PROFILE, toll_free=True),
    Block("harbourline", "FR", "+33199000100", 40, EMEA_PROFILE),
    Block("harbourline", "US", "+14155550100", 20, NOAM_PROFILE),
    Block("sauerland", "DE", "+493023125100", 60, EMEA_PROFILE),
    Block("sauerland", "IL", "+97235550100", 15, EMEA_PROFILE),
    Block("brightwater", "US", "+12125550100", 35, NOAM_PROFILE),
    Block("brightwater", "US", "+16175550130", 25, NOAM_PROFILE),
    Block("brightwater", "US", "+18005550140", 7, NOAM_PROFILE, toll_free=True),
    Block("southerncross", "AU", "+61255500100", 58, APAC_PROFILE),
    Block("southerncross", "IL", "+97245550120", 12, EMEA_PROFILE),
)


@functools.lru_cache(maxsize=2)
def demo_numbers(random_seed: int) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """(what Microsoft lists, what the former platform knew), without the ten of the example.

    Kept between two resets; the caller must not change what it is given.
    """
    drafts = demo_drafts(random_seed)
    numbers = [draft.number for draft in drafts if draft.number is not None]
    return numbers, [draft.record for draft in drafts if draft.record is not None]


def demo_drafts(random_seed: int) -> list[Draft]:
    """Both sides number by number, with the differences made."""
    rng = random.Random(random_seed)
    drafts: list[Draft] = []
    for index, block in enumerate(BLOCKS):
        drafts += _block_drafts(block, index, len(drafts), rng)
    apply_differences(drafts, rng)
    return drafts


def _block_drafts(block: Block, index: int, before: int, rng: random.Random) -> list[Draft]:
    tenant = BY_KEY[block.tenant]
    locations = usable_locations(tenant, block.country)
    pattern = TOLL_FREE_PATTERN if block.toll_free else PATTERN
    uploaded = FIRST_UPLOAD + index * 51 * DAY
    drafts = []
    for place in range(block.count):
        telephone_number = f"+{int(block.first[1:]) + place}"
        assignment = _ASSIGNED[pattern[place % len(pattern)]]
        future = telephone_number == FUTURE_NUMBER
        acquired = uploaded + place * 318_731
        number = oc_number(
            telephone_number,
            tenant.tenant_id,
            block.country,
            block.profile,
            assignmentStatus=FUTURE_ASSIGNMENT if future else assignment,
            tnUploadJobId=fixed_id("upload", block.first),
            acquiredOn=instant(acquired),
            lastModifiedOn=instant(acquired + 3 * DAY + place * 37 * TICKS_PER_SECOND),
            allowTenantAddressUpdate=place % 3 == 0,
        )
        if number["assignmentStatus"] != "Unassigned":
            number["assignmentTargetId"] = fixed_id("target", telephone_number)
        if locations and rng.randrange(100) < LOCATED_PERCENT:
            number["locationId"], number["civicAddressId"] = rng.choice(locations)
        draft = Draft(tenant, number, None, fixed=future)
        source = SOURCES[(before + place) % len(SOURCES)]
        position = before + place + 1
        draft.record = platform_record(number, tenant, position, 4984 + index, source, acquired)
        drafts.append(draft)
    return drafts

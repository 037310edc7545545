"""The concordance of the words for "who uses this number" (upstreams.md §1.6)."""

import pytest

from ocadmin.numbers.assignment import Assignment, normalise

# ours: reference platform, PowerShell, Graph, ACS 2020
CONCORDANCE = {
    Assignment.UNASSIGNED: ("Unassigned", "Unassigned", "unassigned", "Unassigned"),
    Assignment.USER: ("UserAssigned", "UserAssigned", "userAssigned", "UserAssigned"),
    Assignment.CONFERENCE: ("ConferenceAssigned", "ConferenceAssigned", "conferenceAssigned", "ConferenceAssigned"),
    Assignment.VOICE_APP: ("VoiceApp", "VoiceApplicationAssigned", "voiceApplicationAssigned", "FirstPartyAppAssigned"),
    Assignment.THIRD_PARTY: (
        "ThirdPartyAppAssigned",
        "ThirdPartyAppAssigned",
        "thirdPartyAppAssigned",
        "ThirdPartyAppAssigned",
    ),
    Assignment.POLICY: ("PolicyAssigned", "policyAssigned"),
    None: (None, "", "internalError", "unknownFutureValue", "Unknown"),
}


@pytest.mark.parametrize(("word", "ours"), [(word, ours) for ours, words in CONCORDANCE.items() for word in words])
def test_every_spelling_of_every_upstream(word: str | None, ours: Assignment | None) -> None:
    assert normalise(word) == ours


@pytest.mark.parametrize("word", ["FutureThing", "assigned"])
def test_an_unknown_word_is_kept(word: str) -> None:
    assert normalise(word) == word


def test_our_words_stay_what_they_are() -> None:
    assert {normalise(word) for word in Assignment.values} == set(Assignment.values)

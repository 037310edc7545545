"""The customers' emergency addresses: real towns, made-up buildings."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Place:
    """A civic address; ``rooms`` are its locations, the first one the address as a whole."""

    tenant: str
    country: str
    name: str
    house: str
    street: str
    suffix: str | None
    city: str
    state: str | None
    postal_code: str
    rooms: tuple[str, ...] = ("Main entrance",)
    validation: str = "validated"
    latitude: str | None = None
    longitude: str | None = None


def _place(line: str, **options: str) -> Place:
    """A place from ``tenant|country|name|house|street|suffix|city|state|code|rooms|lat,long``."""
    parts = [part.strip() for part in line.split("|")]
    tenant, country, name, house, street, suffix, city, state, code, rooms, where = parts
    latitude, _, longitude = where.partition(",")
    return Place(
        tenant=tenant,
        country=country,
        name=name,
        house=house,
        street=street,
        suffix=suffix or None,
        city=city,
        state=state or None,
        postal_code=code,
        rooms=tuple(room.strip() for room in rooms.split(";")),
        validation=options.get("validation", "validated"),
        latitude=latitude or None,
        longitude=longitude or None,
    )


# Australia needs no coordinates (upstreams.md 5).
PLACES = (
    _place("example|GB|Thames Campus|12|Kings|Road|Reading||RG1 3AA|Reception|51.4558,-0.9689"),
    _place(
        "example|GB|Annexe|3|Mill|Lane|Reading||RG1 8BB|Reception; Floor 2|51.4570,-0.9580",
        validation="notValidated",
    ),
    _place(
        "harbourline|GB|Head office|40|Wapping Quay|Street|London||E1W 2PA"
        "|Reception; Floor 3 East; Floor 7|51.5045,-0.0610"
    ),
    _place(
        "harbourline|GB|Manchester depot|7|Trafford Wharf|Road|Manchester||M17 1ED"
        "|Gatehouse; Dispatch|53.4690,-2.2880"
    ),
    _place("harbourline|GB|Felixstowe berth|2|Dock|Road|Felixstowe||IP11 3SY|Gate 2|51.957,1.309"),
    _place(
        "harbourline|GB|Training centre|118|Old Kent|Road|London||SE1 5UB|Reception|51.486,-0.078",
        validation="notValidated",
    ),
    _place(
        "harbourline|GB|Former warehouse|0|Unknown|Yard|London||XX0 0XX|Yard|",
        validation="invalid",
    ),
    _place(
        "harbourline|FR|Bureau de Paris|15|Rue des Docks||Paris||75013|Accueil; Étage 2"
        "|48.8290,2.3780"
    ),
    _place("harbourline|FR|Agence du Havre|4|Quai Colbert||Le Havre||76600|Accueil|49.487,0.124"),
    _place(
        "harbourline|US|San Francisco office|250|Embarcadero|Plaza|San Francisco|CA|94111"
        "|Lobby; Suite 900|37.7955,-122.3937"
    ),
    _place(
        "harbourline|US|Oakland terminal|1|Maritime|Street|Oakland|CA|94607|Gate A|37.812,-122.309",
        validation="notValidated",
    ),
    _place(
        "sauerland|DE|Werk Berlin|21|Wedekindufer|Straße|Berlin||10243|Empfang; Halle 1; Labor"
        "|52.5070,13.4420"
    ),
    _place("sauerland|DE|Vertrieb|88|Lindenhof|Allee|Berlin||12105|Empfang|52.450,13.370"),
    _place(
        "sauerland|DE|Außenlager|5|Am Güterbahnhof||Potsdam||14482|Tor 1|52.393,13.094",
        validation="notValidated",
    ),
    _place("sauerland|IL|R&D center|9|HaBarzel|Street|Tel Aviv||6971010|Lobby; Lab|32.108,34.838"),
    _place("kestrel|GB|City office|31|Lime|Street|London||EC3M 7HT|Reception|51.5130,-0.0820"),
    _place(
        "brightwater|US|New York studio|620|Hudson River|Avenue|New York|NY|10018"
        "|Lobby; Studio A; Floor 12|40.7560,-73.9990"
    ),
    _place(
        "brightwater|US|Boston newsroom|75|Harbor|Way|Boston|MA|02210|Lobby; Newsroom"
        "|42.3470,-71.0430"
    ),
    _place(
        "southerncross|AU|Sydney clinic|184|Macquarie|Street|Sydney|NSW|2000|Reception; Ward 2|"
    ),
    _place("southerncross|AU|Parramatta clinic|6|Argyle|Street|Parramatta|NSW|2150|Reception|"),
    _place(
        "southerncross|AU|Records archive|77|Canal|Road|St Peters|NSW|2044|Dock|",
        validation="notValidated",
    ),
    _place("southerncross|IL|Haifa office|3|HaNamal|Street|Haifa||3303803|Lobby|32.819,34.999"),
)

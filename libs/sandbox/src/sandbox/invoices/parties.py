"""The companies in the documents. All are invented; their numbers are below those that the KBO has ever issued."""

import random
from dataclasses import dataclass
from xml.sax.saxutils import escape

from sandbox.check_digits import enterprise_number, iban

_CITIES = (
    ("1000", "Bruxelles"),
    ("1800", "Vilvoorde"),
    ("2000", "Antwerpen"),
    ("2800", "Mechelen"),
    ("3000", "Leuven"),
    ("3500", "Hasselt"),
    ("4000", "Liège"),
    ("4700", "Eupen"),
    ("5000", "Namur"),
    ("6000", "Charleroi"),
    ("7000", "Mons"),
    ("8000", "Brugge"),
    ("8500", "Kortrijk"),
    ("9000", "Gent"),
)
_STREETS = (
    "Stationsstraat",
    "Kerkstraat",
    "Rue de la Loi",
    "Avenue Louise",
    "Industrielaan",
    "Chaussée de Namur",
    "Havenlaan",
    "Rue Neuve",
    "Nijverheidsweg",
    "Hauptstraße",
)
_FAMILIES = ("Peeters", "Janssens", "Maes", "Dubois", "Lambert", "Lefèvre", "Claes", "Goossens", "Noël", "Wouters")
_TRADES = (
    "Bouw",
    "Électricité",
    "& Zonen",
    "Transport",
    "Consulting",
    "Catering",
    "& Fils",
    "Drukkerij",
    "Informatique",
    "Groenten",
)
_FORMS = ("BV", "NV", "SRL", "SA", "CV", "VOF")


@dataclass(frozen=True, slots=True)
class Party:
    """`xml` is the content of cac:Party, made once because every document carries two of them."""

    number: str
    name: str
    iban: str
    xml: str

    @property
    def vat(self) -> str:
        return f"BE{self.number}"


def _party(stem: int, name: str, dice: random.Random) -> Party:
    number = enterprise_number(stem)
    postcode, city = dice.choice(_CITIES)
    street = f"{dice.choice(_STREETS)} {dice.randint(1, 250)}"
    account = iban(dice.choice((1, 63, 143, 390, 737, 979)), dice.randrange(10**7))
    return Party(number, name, account, _party_xml(number, name, (street, postcode, city)))


def _party_xml(number: str, name: str, address: tuple[str, str, str]) -> str:
    street, postcode, city = address
    return f"""
      <cbc:EndpointID schemeID="0208">{number}</cbc:EndpointID>
      <cac:PartyName>
        <cbc:Name>{escape(name)}</cbc:Name>
      </cac:PartyName>
      <cac:PostalAddress>
        <cbc:StreetName>{escape(street)}</cbc:StreetName>
        <cbc:CityName>{city}</cbc:CityName>
        <cbc:PostalZone>{postcode}</cbc:PostalZone>
        <cac:Country>
          <cbc:IdentificationCode>BE</cbc:IdentificationCode>
        </cac:Country>
      </cac:PostalAddress>
      <cac:PartyTaxScheme>
        <cbc:CompanyID>BE{number}</cbc:CompanyID>
        <cac:TaxScheme>
          <cbc:ID>VAT</cbc:ID>
        </cac:TaxScheme>
      </cac:PartyTaxScheme>
      <cac:PartyLegalEntity>
        <cbc:RegistrationName>{escape(name)}</cbc:RegistrationName>
        <cbc:CompanyID schemeID="0208">{number}</cbc:CompanyID>
      </cac:PartyLegalEntity>"""


def _counterparties(count: int) -> tuple[Party, ...]:
    dice = random.Random(20260101)  # noqa: S311 the same companies for every seed
    names = [f"{family} {trade} {form}" for family in _FAMILIES for trade in _TRADES for form in _FORMS]
    return tuple(_party(1_600_000 + 97 * place, name, dice) for place, name in enumerate(dice.sample(names, count)))


def _administrations() -> tuple[Party, ...]:
    dice = random.Random(19700101)  # noqa: S311 the same companies for every seed
    names = (
        "Atelier Zuid BV",
        "Brasserie du Parc SRL",
        "De Smet & Partners NV",
        "Noordzee Logistiek NV",
        "Imprimerie Étoile SA",
    )
    return tuple(_party(1_234_567 + 1_111 * place, name, dice) for place, name in enumerate(names))


ADMINISTRATIONS = _administrations()
COUNTERPARTIES = _counterparties(400)
STRANGER = _party(1_900_000, "Derde Partij BV", random.Random(7))  # noqa: S311 neither ours nor a counterparty

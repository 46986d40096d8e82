# SPDX-License-Identifier: Apache-2.0
"""Numbers that look right and are nobody's: identity numbers, mobile numbers, fictional telephone numbers.

Chinese identity numbers carry area codes of province 79, which GB/T 2260 does not assign, with the true check
digit of GB 11643. Mobile numbers begin with 160, a prefix that to our knowledge no carrier has been
given. British numbers come from the range that Ofcom keeps for drama, 07700 900000 to 900999.
"""

from __future__ import annotations

from datetime import date, timedelta
from operator import mul

WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
CHECKS = "10X98765432"
COMMUNITIES_PER_AREA = 166  # three sequence numbers per community, sex and date
HOMETOWNS = 160
PERSONS_PER_COMMUNITY = 16_384
TRAVELLER_SLOT = 2  # the third sequence number is kept for persons on two lists
_SCRAMBLE = 38_196_601  # no common factor with 10**8


def check_digit(first_17: str) -> str:
    """The eighteenth character of a Chinese identity number (GB 11643)."""
    # Character codes lie 48 above their digits; this runs once for each person of a city.
    return CHECKS[(sum(map(mul, WEIGHTS, first_17.encode())) - 48 * sum(WEIGHTS)) % 11]


def id_number(area: str, born: date, sex: str, slot: int) -> str:
    """`slot` 0 to 498 tells apart persons of one area, date and sex."""
    sequence = 2 * slot + (1 if sex == "M" else 2)
    first = f"{area}{born:%Y%m%d}{sequence:03d}"
    return first + check_digit(first)


class IdNumbers:
    """Gives the persons of one community identity numbers that no other community gives."""

    __slots__ = ("_district", "_index", "_place", "_used")

    def __init__(self, district_code: str, place: int, index: int) -> None:
        self._district = district_code[:6]
        self._place = place % COMMUNITIES_PER_AREA
        self._index = index
        self._used: dict[tuple[str, date, str], int] = {}

    def hometown(self, number: int) -> str:
        """An area code elsewhere in the made-up province, shared by few other communities."""
        group = self._index // COMMUNITIES_PER_AREA
        code = 5000 + group * HOMETOWNS + number % HOMETOWNS
        return f"79{code:04d}"

    def give(self, born: date, sex: str, hometown: int | None) -> tuple[str, date]:
        """A number, and the birth date that it carries: another day where too many share one."""
        home = hometown is not None
        area = self.hometown(hometown) if hometown is not None else self._district
        place = self._index % COMMUNITIES_PER_AREA if home else self._place
        while True:
            key = (area, born, sex)
            used = self._used.get(key, 0)
            if used < TRAVELLER_SLOT:
                self._used[key] = used + 1
                return id_number(area, born, sex, place * 3 + used), born
            born -= timedelta(days=1)

    def traveller(self, born: date, sex: str, number: int) -> str:
        """The number of a person who stands on two lists; `number` makes the area differ."""
        place = self._index % COMMUNITIES_PER_AREA
        return id_number(self.hometown(number), born, sex, place * 3 + TRAVELLER_SLOT)


def mobile(index: int, serial: int) -> str:
    """A Chinese mobile number of one person, of a prefix without a carrier."""
    return f"160{(index * PERSONS_PER_COMMUNITY + serial) * _SCRAMBLE % 10**8:08d}"


def drama_number(number: int) -> str:
    """A British mobile number kept for fiction; there are a thousand."""
    return f"07700 900{number % 1000:03d}"

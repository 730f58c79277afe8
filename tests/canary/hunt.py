"""The canaries, the forms in which they could show, and the search for them."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Canary:
    # What it stands for.
    kind: str
    text: str

    def forms(self) -> dict[str, bytes]:
        """How it would look; it has letters and digits alone, so JSON and addresses leave it as it is."""
        plain = self.text.encode()
        numbers = ", ".join(str(byte) for byte in plain)
        forms = {"plain": plain, "hex": plain.hex().encode(), "decimal": numbers.encode()}
        for shift in range(3):
            # What stands before it moves it within the groups of base64; the letters at its ends are shared.
            encoded = base64.b64encode(b"-" * shift + plain)
            forms[f"base64+{shift}"] = encoded[4:-4] if shift else encoded[:-4]
        return forms


def canary(kind: str) -> Canary:
    return Canary(kind, f"canary{kind.replace(' ', '')}{secrets.token_hex(12)}")


@dataclass(frozen=True)
class Place:
    """Something that came out of the gateway, and the kinds of canaries that may not be in it."""

    name: str
    data: bytes
    barred: frozenset[str]


@dataclass(frozen=True)
class Hit:
    place: str
    kind: str
    form: str
    around: bytes


def search(places: list[Place], canaries: list[Canary]) -> Iterator[Hit]:
    for place in places:
        lower = place.data.lower()
        for canary in canaries:
            if canary.kind not in place.barred:
                continue
            for form, needle in canary.forms().items():
                # Base64 tells letters by their case; everything else may be written in either.
                at = place.data.find(needle) if form.startswith("base64") else lower.find(needle.lower())
                if at >= 0:
                    yield Hit(place.name, canary.kind, form, place.data[max(at - 160, 0) : at + 80])


def control(places: list[Place], canaries: list[Canary]) -> list[str]:
    """Plants each canary in each form into a copy of each place that bars it, and returns what is not found."""
    missed = []
    for place in places:
        middle = len(place.data) // 2
        for canary in canaries:
            for form, needle in canary.forms().items():
                planted = Place(place.name, place.data[:middle] + needle + place.data[middle:], place.barred)
                found = {(hit.kind, hit.form) for hit in search([planted], [canary])}
                if canary.kind in place.barred and (canary.kind, form) not in found:
                    missed.append(f"{canary.kind} as {form} in {place.name}")
    return missed

"""Masks on synthetic French texts: how much of what identifies somebody is found, and how much else is flagged."""

from __future__ import annotations

import argparse
import random
import time
from collections import Counter
from collections.abc import Callable

from stdnum import luhn
from stdnum.iso7064 import mod_97_10

from parcours.know.masks import KINDS, mask_counting

BARS = {"mail": 1.0, "iban": 1.0, "card": 1.0, "nir": 1.0, "phone": 0.97}
MOST_FALSE = 0.20

CARRIERS = (
    "Bonjour, {} merci de me répondre.",
    "Je n'ai rien reçu depuis 12 jours ({}), c'est long.",
    "{} : voilà mes coordonnées, à bientôt.",
    "Voici ce que vous demandez : {}, commande 4512 du 03/02/2026.",
    "Le livreur a perdu le colis. Contactez-moi : {}.",
    "{}",
    "{} 12/27 123",
    "Dossier 12 {0}, et sinon {0}.",
)
CLEAN = (
    "Livré le {d:02d}/{m:02d}/2026 avec {d} jours de retard, commande {order}.",
    "{n} colis sur {m}, {d},90 € remboursés au bout de {n} jours !",
    "Ma commande n° {order} est arrivée le {d} {month} à {n} h {d:02d}.",
    "Numéro de suivi {parcel} : bloqué depuis le {d:02d}.{m:02d}.2026.",
    "La facture F-2026-{order} de {order},{d:02d} € ne correspond pas.",
    "Article réf. {order}-{d}-{m}, taille {size}, reçu en double.",
    "SIRET 552 100 554 {siret:05d} sur la facture, est-ce normal ?",
    "J'habite au {d} rue des Lilas, 750{m:02d} Paris, digicode {n}A{d}.",
    "Entre 14 h 30 et 16 h 45 le {d}/{m}, personne n'est venu.",
    "Très bon accueil en magasin, vendeuse patiente, je recommande.",
    "Le canapé fait 2{d} cm sur 1{m} cm, pas 240 x 160 comme annoncé.",
    "Note {n}/10, délai de {d} jours, prix passé de 1 {order} € à 1 {siret} €.",
    "Remise de {d} % promise le 2026-{m:02d}-{d:02d} à 09:{d:02d}:{m:02d}, jamais vue.",
    "Le code promo RIVIERE{order} ne marche pas.",
    "Ticket {ticket}, caisse {n}, rien à redire.",
    "Rien à dire, tout était parfait du début à la fin.",
)
MONTHS = ("janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre")


def make_mail(draw: random.Random) -> str:
    """Return an address of somebody who is not there."""
    first, last = (
        draw.choice(["claire", "j.dupont", "samir_b", "x-y", "léa"]),
        draw.choice(["", "+achats", ".75", "%pro"]),
    )
    return f"{first}{last}@{draw.choice(['exemple.fr', 'courrier-test.example.com', 'maison.example'])}"


def make_phone(draw: random.Random) -> str:
    """Return a French number, or now and then one from abroad, in one of the ways in which people write them."""
    number = f"{draw.choice('1234567')}" + "".join(draw.choice("0123456789") for _ in range(8))
    pairs = [number[0], *(number[place : place + 2] for place in range(1, 9, 2))]
    gap = draw.choice([" ", " ", ".", "-", "", "\u00a0", "/"])
    if draw.random() < 0.05:
        return draw.choice(["+44 20 7946 0958", "+32 470 12 34 56", "+41 22 730 51 11", "+49 30 901820"])
    lead = draw.choice(["0", "0", "0", "0", "+33 ", "+33", "0033 ", "+33 (0)", "00 33 "])
    return lead + gap.join(pairs)


def make_iban(draw: random.Random) -> str:
    """Return an account number with a right key."""
    country, size = draw.choice([("FR", 23), ("FR", 23), ("DE", 18), ("BE", 12), ("ES", 20), ("LU", 16)])
    body = "".join(draw.choice("0123456789") for _ in range(size))
    key = mod_97_10.calc_check_digits(body + country)
    plain = country + key + body
    grouped = " ".join(plain[place : place + 4] for place in range(0, len(plain), 4))
    return draw.choice([plain, grouped, grouped.replace(" ", "\u00a0"), plain.lower(), grouped.replace(" ", "-")])


def make_card(draw: random.Random) -> str:
    """Return a card number with a right check digit."""
    body = draw.choice(["4", "51", "55", "37"]) + "".join(draw.choice("0123456789") for _ in range(16))
    body = body[:14] if body.startswith("37") else body[:15]
    plain = body + luhn.calc_check_digit(body)
    if len(plain) == 15:
        return draw.choice([plain, f"{plain[:4]} {plain[4:10]} {plain[10:]}"])
    return draw.choice([" ", "-", "", "\u00a0", "."]).join(plain[place : place + 4] for place in range(0, 16, 4))


def make_nir(draw: random.Random) -> str:
    """Return a social security number with its key, or without."""
    place = draw.choice([f"{draw.randrange(1, 96):02d}", "2A", "2B"])
    body = f"{draw.choice('12')}{draw.randrange(100):02d}{draw.randrange(1, 13):02d}{place}"
    body += f"{draw.randrange(1, 990):03d}{draw.randrange(1, 999):03d}"
    number = int(body.replace("2A", "19").replace("2B", "18"))
    key = f"{97 - number % 97:02d}"
    pieces = [
        body[0],
        body[1:3],
        body[3:5],
        body[5:7],
        body[7:10],
        body[10:13],
        *([key] if draw.random() < 0.8 else []),
    ]
    return draw.choice([" ", "", ".", "\u00a0"]).join(pieces)


MAKERS: dict[str, Callable[[random.Random], str]] = {
    "mail": make_mail, "phone": make_phone, "iban": make_iban, "card": make_card, "nir": make_nir,
}  # fmt: skip


def make_clean(draw: random.Random) -> str:
    """Return a sentence with numbers of all kinds, none of them a person's."""
    return draw.choice(CLEAN).format(
        d=draw.randrange(1, 29), m=draw.randrange(1, 13), n=draw.randrange(1, 10), order=draw.randrange(1000, 99999),
        month=draw.choice(MONTHS), parcel="".join(draw.choice("0123456789") for _ in range(13)),
        size=draw.choice(["S", "38", "XL"]), siret=draw.randrange(10000, 99999), ticket=draw.randrange(10**9, 10**10),
    )  # fmt: skip


def measure(each: int, clean: int, seed: int = 11) -> tuple[dict[str, float], float, float]:
    """Return recall by kind, the share of clean texts in which anything is flagged, and texts a CPU second."""
    draw = random.Random(seed)
    found: Counter[str] = Counter()
    begun, done = time.process_time(), 0
    for kind, maker in MAKERS.items():
        for _ in range(each):
            written = maker(draw)
            shown, _counts = mask_counting(draw.choice(CARRIERS).format(written))
            found[kind] += written not in shown and f"[{kind}]" in shown
            done += 1
    false = sum(bool(mask_counting(make_clean(draw))[1]) for _ in range(clean))
    speed = (done + clean) / (time.process_time() - begun)
    return {kind: found[kind] / each for kind in KINDS}, false / clean, speed


def main() -> None:
    """Print recall and false flags beside their bars."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--each", type=int, default=400)
    asked = parser.parse_args()
    recall, false, speed = measure(asked.each, 5 * asked.each)
    for kind, share in recall.items():
        print(f"{kind}: recall {share:.3f} (bar {BARS[kind]:.2f})")
    print(f"clean texts flagged: {false:.1%} (bar {MOST_FALSE:.0%}); {speed:,.0f} texts a CPU second")


if __name__ == "__main__":
    main()

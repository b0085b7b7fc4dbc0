"""Names, birth dates and postcodes of the customers (synthetic), and how they are written the second time."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from parcours.simulate.people import People

Ints = NDArray[np.int64]

_FIRST_NAMES = """
Adèle Agnès Alain Alice Amélie André Anne Antoine Arthur Aurélie Benoît Bernard Camille Catherine Cécile Chloé
Christophe Claire Damien Daniel David Denis Élise Élodie Émile Éric Fabien Florence François Gabriel Gilles
Guillaume Hélène Hugo Inès Isabelle Jacques Jeanne Jérôme Joëlle Julie Julien Karine Laure Laurent Léa Lionel Louise
Luc Lucie Manon Marc Margaux Marion Mathieu Michel Monique Nadia Nathalie Nicolas Noémie Olivier Pascal Patricia
Paul Philippe Rachel Raphaël Rémi Robin Romain Sabine Samuel Sandrine Sophie Stéphane Sylvie Théo Thomas Valérie
Vincent Xavier Yves Zoé
"""
_LAST_NAMES = """
Aubert Bailly Barbier Baron Benoit Berger Bertin Blanchard Bonnet Boucher Bourgeois Breton Brun Carpentier
Charpentier Chevalier Clerc Collet Colin Cordier Courtois Dumas Dupuis Fabre Faure Fleury Fontaine Fournier Gaillard
Gautier Giraud Grand Guérin Guyot Hamel Huet Jacquet Joly Lacroix Lambert Langlois Leclerc Lefort Lemoine Lucas
Maillard Marchand Masson Mercier Meunier Millet Monnier Moulin Noël Olivier Paris Pelletier Perrin Picard Poirier
Prévost Renard Renaud Rey Rivière Robin Rolland Roux Royer Sauvage Tessier Vasseur Verdier Vidal Weber
"""
_FIRST, _LAST = _FIRST_NAMES.split(), _LAST_NAMES.split()
_DAYS = 55 * 365
"""Birth dates lie in so many days from 1950 on."""

Names = dict[str, list[str]]


def name_people(people: People, household: Ints, seed: int) -> Names:
    """Return first and last name, birth date and postcode of every customer; a household has one last name."""
    random = np.random.default_rng([seed, 31])
    count = len(people)
    head = np.where(household >= 0, household, np.arange(count))
    first, last = random.integers(0, len(_FIRST), count), random.integers(0, len(_LAST), count)[head]
    born = np.datetime64("1950-01-01") + random.integers(0, _DAYS, count)
    place = (people.home * 331 + 1_000) % 95_000 + random.integers(0, 20, count)[head] * 10
    return {
        "prenom": [_FIRST[one] for one in first.tolist()],
        "nom": [_LAST[one] for one in last.tolist()],
        "naissance": np.datetime_as_string(born).tolist(),
        "code_postal": [f"{one:05d}" for one in place.tolist()],
    }


def take_names(names: Names, who: Ints) -> dict[str, pa.Array]:
    """Return the columns of some customers."""
    chosen = pa.array(who)
    return {name: pa.array(values, pa.string()).take(chosen) for name, values in names.items()}


def write_again(names: Names, who: Ints, seed: int) -> dict[str, pa.Array]:
    """Return the names of some as they write them a second time: half of them with one slip."""
    random = np.random.default_rng([seed, 32])
    columns = {name: [values[one] for one in who.tolist()] for name, values in names.items()}
    for place, slip in enumerate(random.integers(0, 6, len(who)).tolist()):
        if slip == 0:
            columns["prenom"][place] = _swap(columns["prenom"][place])
        elif slip == 1:
            columns["nom"][place] = _swap(columns["nom"][place])
        elif slip == 2:
            columns["code_postal"][place] = names["code_postal"][int(random.integers(0, len(names["code_postal"])))]
    return {name: pa.array(values, pa.string()) for name, values in columns.items()}


def _swap(name: str) -> str:
    return name[:1] + name[2] + name[1] + name[3:] if len(name) > 3 else f"{name}e"

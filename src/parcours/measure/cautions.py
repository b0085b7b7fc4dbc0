"""What a reader of causes must know before believing a number: one sentence a caution, only those that apply."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from parcours.measure.adjustment import choose_controls, parents_of, supporters_of
from parcours.measure.effects import Estimate
from parcours.measure.evidence import PERIODS, explain_gap, name_clusters
from parcours.measure.panel import CompanyPanel, TouchpointPanel
from parcours.words import Words

FEW_CLUSTERS = 10
FEW_SHARE = 0.9
NOISY_SHARE = 0.3
CLIPPED_SHARE = 0.05

Found = Sequence[tuple[TouchpointPanel, Estimate]]

NEIGHBOURS = {
    "day": "chaque jour n'est comparé qu'aux jours voisins",
    "week": "chaque semaine n'est comparée qu'aux semaines voisines",
    "month": "chaque mois n'est comparé qu'aux mois voisins",
}
"""French agrees in gender: one sentence a period."""
FEELING = Words(
    fr="Si les clients très contents ou très mécontents répondent plus que les autres, les effets sont surestimés, "
    "mais leur ordre reste fiable : dans l'entreprise simulée, où c'est le cas, les trois premières causes étaient "
    "les bonnes dans 199 tirages sur 200, mais leurs effets étaient surestimés d'un quart, ceux des autres d'un "
    "tiers, et les intervalles à 95 % ne contenaient la vraie valeur que sept fois sur dix. Fiez-vous au classement ; "
    "ne chiffrez une décision qu'après un essai.",
    en="If very happy or very unhappy customers answer more than others, effects are overstated but their order holds: "
    "in the simulated firm, where this is so, the first three causes were right in 199 draws of 200, but their effects "
    "were overstated by a quarter, those of the others by a third, and 95 % intervals held the true value only seven "
    "times in ten. Trust the ranking; put a price on a decision only after a trial.",
)
"""The sizes are those that ``benchmarks/causes.py`` measures under silence="feeling"."""


def warn_causes(panel: CompanyPanel, found: Found) -> tuple[Words, ...]:
    """Return the cautions for what ``found`` holds, the general ones first."""
    if not found:
        return (
            Words(
                fr="Aucun point de contact n'est noté : les causes ne peuvent pas être cherchées. Déclarez "
                "`experience` sur un point de contact et recueillez une note après chaque visite.",
                en="No touchpoint is scored: causes cannot be looked for. Declare `experience` on a touchpoint and "
                "collect a score after each visit.",
            ),
        )
    return (*_warn_panel(panel), *_warn_silence(found), *_warn_cells(panel, found), *_warn_gaps(panel, found))


def _warn_panel(panel: CompanyPanel) -> Iterator[Words]:
    if not panel.choice.site:
        one = PERIODS[panel.choice.period]
        yield Words(
            fr=f"Le panel n'a pas de site : {NEIGHBOURS[panel.choice.period]}, et une cause propre à certaines "
            "périodes peut passer pour l'effet de l'opération. Déclarez `panel: {site: …}` pour comparer des sites.",
            en=f"The panel has no site: each {one.en} is compared with its neighbours alone, and a cause of certain "
            "times can pass for the operation's effect. Declare `panel: {site: …}` to compare sites.",
        )


def _warn_silence(found: Found) -> Iterator[Words]:
    if any(estimated.weights.known and estimated.weights.rate < FEW_SHARE for _, estimated in found):
        yield FEELING
    for cells, estimated in found:
        name, weights = cells.touchpoint.label, estimated.weights
        fr, en = name.in_language("fr"), name.in_language("en")
        if cells.cells.answers.sum() and not weights.known:
            yield Words(
                fr=f"« {fr} » : aucune visite restée sans réponse n'est connue ; les réponses ne sont donc pas "
                "pondérées.",
                en=f"“{en}”: no visit without an answer is known, so answers are not weighted.",
            )
        if weights.clipped > CLIPPED_SHARE:
            yield Words(
                fr=f"« {fr} » : {100 * weights.clipped:.0f} % des réponses atteignent le poids maximal ; pondérées, "
                f"les réponses en valent {weights.effective:.0f}.",
                en=f"“{en}”: {weights.clipped:.0%} of answers reach the heaviest weight; once weighted, answers are "
                f"worth {weights.effective:.0f}.",
            )


def _warn_cells(panel: CompanyPanel, found: Found) -> Iterator[Words]:
    yield from _warn_luck(panel, {id for cells, _ in found for id in cells.measured})
    for cells, estimated in found:
        fr, en = cells.touchpoint.label.in_language("fr"), cells.touchpoint.label.in_language("en")
        groups = min((effect.clusters for effect in estimated.effects if not effect.gap), default=FEW_CLUSTERS)
        if groups < FEW_CLUSTERS:
            many_fr, many_en = name_clusters(panel.choice)
            yield Words(
                fr=f"« {fr} » : {groups} {many_fr} seulement ; à moins de {FEW_CLUSTERS}, les intervalles sont peu "
                "sûrs.",
                en=f"“{en}”: only {groups} {many_en}; with fewer than {FEW_CLUSTERS}, intervals are fragile.",
            )
        if cells.placeless:
            yield Words(
                fr=f"« {fr} » : {cells.placeless} réponses sans site ont été laissées de côté.",
                en=f"“{en}”: {cells.placeless} answers without a site were left out.",
            )


def _warn_luck(panel: CompanyPanel, measured: set[str]) -> Iterator[Words]:
    shares = [(one, panel.find_share_of_noise(one)) for one in panel.blueprint.operations if one.id in measured]
    lucky = [(one.label, share) for one, share in shares if share > NOISY_SHARE]
    if lucky:
        french = ", ".join(f"« {label.in_language('fr')} » ({100 * share:.0f} %)" for label, share in lucky)
        english = ", ".join(f"“{label.in_language('en')}” ({share:.0%})" for label, share in lucky)
        yield Words(
            fr="Une part de ce qui varie peut être due au hasard, faute d'événements dans chaque cellule (site × "
            f"période) : {french}. Si ces événements ne sont qu'un échantillon du travail, l'effet par unité peut "
            "être sous-estimé.",
            en=f"A share of what varies may be chance, with few events in each cell (site × period): {english}. If "
            "those events are but a sample of the work, the effect per unit may be understated.",
        )


def _warn_gaps(panel: CompanyPanel, found: Found) -> Iterator[Words]:
    for cells, estimated in found:
        whole = int(cells.cells.answers.sum())
        for effect in estimated.effects:
            operation = panel.blueprint.operation(effect.operation)
            fr = f"« {operation.label.in_language('fr')} » → « {cells.touchpoint.label.in_language('fr')} »"
            en = f"“{operation.label.in_language('en')}” → “{cells.touchpoint.label.in_language('en')}”"
            if effect.gap:
                why = explain_gap(effect, panel.blueprint, panel.choice, panel.is_placeless(operation))
                yield Words(fr=f"{fr} : pas de chiffre. {why.fr}", en=f"{en}: no number. {why.en}")
                continue
            if effect.answers < FEW_SHARE * whole:
                yield Words(
                    fr=f"{fr} : {whole - effect.answers} réponses sur {whole} viennent de sites et de "
                    "périodes où une opération est inconnue.",
                    en=f"{en}: {whole - effect.answers} answers of {whole} fall where an operation is unknown.",
                )
            unheld = _find_unheld(panel, cells, effect.operation)
            if unheld:
                french, english = (
                    ", ".join(panel.blueprint.operation(id).label.in_language(lang) for id in unheld)
                    for lang in ("fr", "en")
                )
                yield Words(
                    fr=f"{fr} : faute d'événements, l'effet n'est pas corrigé de : {french}.",
                    en=f"{en}: could not be held equal, for want of events: {english}.",
                )


def _find_unheld(panel: CompanyPanel, cells: TouchpointPanel, operation: str) -> list[str]:
    """Return the controls that have no events; one without a site is the same everywhere, so the period holds it."""
    blueprint = panel.blueprint
    wanted = choose_controls(operation, parents_of(blueprint), supporters_of(blueprint, cells.touchpoint.id))
    absent = [id for id in wanted if id not in cells.measured]
    return [id for id in absent if not panel.is_placeless(blueprint.operation(id))]

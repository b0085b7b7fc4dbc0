"""What a reader of causes must know before believing a number: one sentence a caution, only those that apply."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from parcours.measure.adjustment import choose_controls, parents_of, supporters_of
from parcours.measure.effects import Estimate
from parcours.measure.evidence import PERIODS, explain_gap
from parcours.measure.panel import CompanyPanel, TouchpointPanel
from parcours.words import Words

FEW_CLUSTERS = 10
FEW_SHARE = 0.9
NOISY_SHARE = 0.3
CLIPPED_SHARE = 0.05

Found = Sequence[tuple[TouchpointPanel, Estimate]]

FEELING = Words(
    fr="Si c'est le ressenti lui-même qui décide qui répond, les tailles penchent vers le haut et l'ordre tient : dans "
    "la firme simulée, où les extrêmes répondent plus, les trois premières causes étaient justes dans 199 tirages sur "
    "200, mais leurs tailles trop grandes d'un quart, celles des autres d'un tiers, et les intervalles à 95 % ne "
    "tenaient la vérité que sept fois sur dix. Fiez-vous aux rangs ; réglez l'argent par un essai.",
    en="If the feeling itself decides who answers, sizes lean up and ranks hold: in the simulated firm, where extremes "
    "answer more, the first three causes were right in 199 draws of 200, but their sizes were too large by a quarter, "
    "those of the others by a third, and 95 % intervals held the truth only seven times in ten. Trust ranks; settle "
    "money with a trial.",
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
            fr=f"Le panel n'a pas de site : chaque {one.fr} n'est comparé(e) qu'à ses voisins, et une cause propre à "
            "certains moments peut passer pour l'opération. Déclarez `panel: {site: …}` pour comparer des sites.",
            en=f"The panel has no site: each {one.en} is compared with its neighbours alone, and a cause of certain "
            "times can pass for the operation. Declare `panel: {site: …}` to compare sites.",
        )


def _warn_silence(found: Found) -> Iterator[Words]:
    if any(estimated.weights.known and estimated.weights.rate < FEW_SHARE for _, estimated in found):
        yield FEELING
    for cells, estimated in found:
        name, weights = cells.touchpoint.label, estimated.weights
        fr, en = name.in_language("fr"), name.in_language("en")
        if cells.cells.answers.sum() and not weights.known:
            yield Words(
                fr=f"« {fr} » : aucune visite sans réponse n'est connue, les réponses ne sont donc pas pondérées.",
                en=f"“{en}”: no visit without an answer is known, so answers are not weighted.",
            )
        if weights.clipped > CLIPPED_SHARE:
            yield Words(
                fr=f"« {fr} » : {weights.clipped:.0%} des réponses atteignent le poids maximal ; "
                f"{weights.effective:.0f} réponses utiles.",
                en=f"“{en}”: {weights.clipped:.0%} of answers reach the heaviest weight; "
                f"they are worth {weights.effective:.0f}.",
            )


def _warn_cells(panel: CompanyPanel, found: Found) -> Iterator[Words]:
    yield from _warn_luck(panel, {id for cells, _ in found for id in cells.measured})
    for cells, estimated in found:
        fr, en = cells.touchpoint.label.in_language("fr"), cells.touchpoint.label.in_language("en")
        groups = min((effect.clusters for effect in estimated.effects if not effect.gap), default=FEW_CLUSTERS)
        if groups < FEW_CLUSTERS:
            yield Words(
                fr=f"« {fr} » : {groups} grappes seulement ; à moins de {FEW_CLUSTERS}, les intervalles sont fragiles.",
                en=f"“{en}”: only {groups} clusters; with fewer than {FEW_CLUSTERS}, intervals are fragile.",
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
        french = ", ".join(f"« {label.in_language('fr')} » ({share:.0%})" for label, share in lucky)
        english = ", ".join(f"“{label.in_language('en')}” ({share:.0%})" for label, share in lucky)
        yield Words(
            fr=f"Une part de ce qui varie peut tenir au petit nombre d'événements par cellule : {french}. Si ces "
            "événements ne sont qu'un échantillon du travail, l'effet par unité est sous-estimé d'autant.",
            en=f"A share of what varies may be the luck of few events a cell: {english}. If those events are but a "
            "sample of the work, the effect per unit is understated by as much.",
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
                    fr=f"{fr} : {whole - effect.answers} réponses sur {whole} tombent là où une opération est "
                    "inconnue.",
                    en=f"{en}: {whole - effect.answers} answers of {whole} fall where an operation is unknown.",
                )
            unheld = _find_unheld(panel, cells, effect.operation)
            if unheld:
                french, english = (
                    ", ".join(panel.blueprint.operation(id).label.in_language(lang) for id in unheld)
                    for lang in ("fr", "en")
                )
                yield Words(
                    fr=f"{fr} : n'a pas pu être tenu égal, faute d'événements : {french}.",
                    en=f"{en}: could not be held equal, for want of events: {english}.",
                )


def _find_unheld(panel: CompanyPanel, cells: TouchpointPanel, operation: str) -> list[str]:
    """Return the controls that have no events; one without a site is the same everywhere, so the period holds it."""
    blueprint = panel.blueprint
    wanted = choose_controls(operation, parents_of(blueprint), supporters_of(blueprint, cells.touchpoint.id))
    absent = [id for id in wanted if id not in cells.measured]
    return [id for id in absent if not panel.is_placeless(blueprint.operation(id))]

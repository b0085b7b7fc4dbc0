"""Everything that a person may be allowed or refused to do, and that the audit log names."""

from __future__ import annotations

from typing import Literal, get_args

from parcours.words import Words

Action = Literal[
    "sign_in",
    "see_permissions",
    "see_methods",
    "see_health",
    "see_results",
    "see_value",
    "see_customer",
    "see_verbatims",
    "unmask",
    "propose_change",
    "approve_change",
    "change_rules",
    "propose_merge",
    "settle_merge",
    "see_consent",
    "record_choice",
    "decide_request",
    "run_erasure",
    "prove_erasure",
    "export_results",
    "export_rows",
    "export_proof",
    "put_back",
    "manage_people",
    "manage_keys",
    "see_audit",
]

ACTIONS: tuple[Action, ...] = get_args(Action)

LABELS: dict[Action, Words] = {
    "sign_in": Words(fr="se connecter", en="sign in"),
    "see_permissions": Words(fr="lire qui a le droit de quoi", en="read who may do what"),
    "see_methods": Words(fr="lire ce qui est mesuré et comment", en="read what is measured and how"),
    "see_health": Words(fr="voir les sources et leur santé", en="see the sources and their health"),
    "see_results": Words(
        fr="voir l'expérience, les parcours et leurs causes", en="see experience, journeys and causes"
    ),
    "see_value": Words(fr="voir la valeur et les coûts", en="see value and cost"),
    "see_customer": Words(fr="voir un client", en="see one customer"),
    "see_verbatims": Words(fr="lire les commentaires", en="read comments"),
    "unmask": Words(fr="démasquer des données personnelles", en="unmask personal data"),
    "propose_change": Words(fr="proposer un changement du blueprint", en="propose a change of the blueprint"),
    "approve_change": Words(fr="approuver un changement du blueprint", en="approve a change of the blueprint"),
    "change_rules": Words(fr="changer une règle ou une limite", en="change a rule or a limit"),
    "propose_merge": Words(fr="proposer de réunir ou de séparer des profils", en="propose to merge or part profiles"),
    "settle_merge": Words(fr="réunir ou séparer des profils", en="merge or part profiles"),
    "see_consent": Words(fr="voir les consentements", en="see consents"),
    "record_choice": Words(fr="enregistrer le choix d'un client", en="record a customer's choice"),
    "decide_request": Words(
        fr="trancher une demande d'effacement ou d'accès", en="decide a request for erasure or access"
    ),
    "run_erasure": Words(fr="exécuter un effacement décidé", en="run an erasure that was decided"),
    "prove_erasure": Words(fr="prouver un effacement", en="prove an erasure"),
    "export_results": Words(fr="exporter des résultats", en="export results"),
    "export_rows": Words(fr="exporter des lignes de clients", en="export rows of customers"),
    "export_proof": Words(fr="exporter des preuves", en="export proof"),
    "put_back": Words(fr="remettre en route la quarantaine", en="put the quarantine back on its way"),
    "manage_people": Words(fr="gérer les personnes et leurs rôles", en="manage people and their roles"),
    "manage_keys": Words(fr="gérer les clés", en="manage keys"),
    "see_audit": Words(fr="lire le journal d'audit", en="read the audit log"),
}

"""The words that pictures print themselves, in French and English."""

from __future__ import annotations

from parcours.words import Words

LINE_OF_INTERACTION = Words(fr="Ligne d’interaction", en="Line of interaction")
LINE_OF_VISIBILITY = Words(fr="Ligne de visibilité", en="Line of visibility")
LINE_OF_INTERNAL_INTERACTION = Words(fr="Ligne d’interaction interne", en="Line of internal interaction")
CUSTOMER = Words(fr="Ce que le client fait et voit", en="What the customer does and sees")
FRONT = Words(fr="Points de contact", en="Touchpoints")
BACKSTAGE = Words(fr="En coulisses", en="Backstage")
SUPPORT = Words(fr="Fonctions support", en="Support")
HUMAN = Words(fr="humain", en="human")
DIGITAL = Words(fr="numérique", en="digital")
NOT_MEASURED = Words(fr="non mesuré", en="not measured")
ANSWERS = Words(fr="réponses", en="answers")
EXPERIENCE = Words(fr="Expérience déclarée", en="Reported experience")
HURTS = Words(fr="va de pair avec une moins bonne expérience", en="goes with a worse experience")
HELPS = Words(fr="va de pair avec une meilleure expérience", en="goes with a better experience")
SUPPORTS = Words(fr="soutient ce point de contact", en="supports this touchpoint")
UNCLEAR = Words(fr="effet incertain : l’intervalle contient zéro", en="unclear: the interval contains zero")
PROMISE = Words(fr="Promesse", en="Promise")
PROMISE_BROKEN = Words(fr="promesse non tenue", en="promise broken")
STAGE = Words(fr="Étape", en="Stage")
TOUCHPOINT = Words(fr="Point de contact", en="Touchpoint")
CHANNEL = Words(fr="Canal", en="Channel")
METRIC = Words(fr="Indicateur", en="Metric")
SCORE = Words(fr="Score", en="Score")
INTERVAL = Words(fr="Intervalle à 95\u202f%", en="95% interval")
COUNT = Words(fr="n", en="n")
LEVEL = Words(fr="Niveau", en="Level")
OPERATIONS = Words(fr="Opérations derrière la ligne de visibilité", en="Operations behind the line of visibility")
OPERATION = Words(fr="Opération", en="Operation")
OWNER = Words(fr="Responsable", en="Owner")
EFFECT = Words(fr="Effet", en="Effect")
GRADE = Words(fr="Preuve", en="Evidence")
WEEK = Words(fr="Semaine du", en="Week of")
DAY = Words(fr="Jour", en="Day")
EVENTS = Words(fr="Événements", en="Events")
WEEK_BEFORE = Words(fr="Une semaine avant", en="A week before")
BUSIEST_HOUR = Words(fr="Heure la plus chargée", en="Busiest hour")
FROM = Words(fr="De", en="From")
TO = Words(fr="Vers", en="To")
TOUCHES = Words(fr="contacts", en="touches")
DRAWN = Words(fr="passages dessinés", en="moves drawn")
PASSAGES = Words(fr="Passages", en="Moves")
SHARE = Words(fr="Part", en="Share")
ENTERED = Words(fr="Entrés", en="Entered")
MOVED_ON = Words(fr="Ont poursuivi", en="Moved on")
LEFT = Words(fr="Arrêtés là", en="Stopped here")
STARTS = Words(fr="(début)", en="(start)")
ENDS = Words(fr="(fin)", en="(end)")
UNDER_WAY = Words(fr="En chemin", en="Under way")
MEDIAN = Words(fr="Durée médiane", en="Median time")
CUSTOMERS = Words(fr="clients", en="customers")
WORSE = Words(fr="moins bonne", en="worse")
BETTER = Words(fr="meilleure", en="better")
NO_EFFECT = Words(fr="aucun effet", en="no effect")
ALL = Words(fr="Toutes", en="All")
GRADES = {
    "observed": Words(fr="observée (va de pair)", en="observed (goes with)"),
    "natural_experiment": Words(fr="expérience naturelle", en="natural experiment"),
    "trial": Words(fr="essai tiré au sort", en="randomised trial"),
}
"""How far to believe a cause: the one place of these words, for pages, notebooks, findings and the command line."""
METRICS = {"csat": "CSAT", "nps": "NPS", "ces": "CES"}
STATES = {
    "measured": Words(fr="mesuré", en="measured"),
    "too_few_answers": Words(fr="trop peu de réponses", en="too few answers"),
    "no_answers": Words(fr="aucune réponse", en="no answers"),
    "up": Words(fr="en hausse", en="up"),
    "down": Words(fr="en baisse", en="down"),
    "kept": Words(fr="tenue", en="kept"),
    "broken": Words(fr="non tenue", en="broken"),
    "uncertain": Words(fr="incertaine", en="uncertain"),
    "not_measured": Words(fr="non mesurée", en="not measured"),
    "experience": Words(fr="expérience déclarée", en="reported experience"),
    "worst_days": Words(fr="pires jours de l’opération", en="the operation’s worst days"),
    "bad_experience": Words(fr="mauvaise expérience", en="bad experience"),
    "last_stage": Words(fr="dernière étape", en="last stage"),
    "median_not_reached": Words(fr="médiane non atteinte", en="median not reached"),
    "hidden": Words(fr="masqué : groupe trop petit", en="hidden: group too small"),
    "partly_hidden": Words(fr="masqué en partie", en="partly hidden"),
    "not_yours": Words(fr="d’une autre équipe", en="another team’s"),
    "counts": Words(fr="effectifs seulement", en="counts only"),
    "nobody": Words(fr="personne", en="nobody"),
    "(start)": STARTS,
    "(end)": ENDS,
}
WHEN = Words(fr="Quand", en="When")
SIDE = Words(fr="Côté", en="Side")
WHERE = Words(fr="Canal ou opération", en="Channel or operation")
WHAT = Words(fr="Quoi", en="What")
ABOUT = Words(fr="À propos de", en="About")
DETAILS = Words(fr="Détails", en="Details")
SEEN = Words(fr="visible", en="seen")
BEHIND = Words(fr="coulisses", en="behind the line")
FIELD = Words(fr="Champ", en="Field")
AGREEMENT = Words(fr="Les deux valeurs", en="The two values")
WEIGHT_BITS = Words(fr="Poids (bits)", en="Weight (bits)")
OF_ONE_PERSON = Words(fr="Chez une même personne", en="Of one person")
OF_STRANGERS = Words(fr="Entre inconnus", en="Between strangers")

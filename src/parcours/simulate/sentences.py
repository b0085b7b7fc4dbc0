"""The sentences of the firm's customers, in French and English, written for it; by touchpoint and tone."""

from __future__ import annotations

TONES = ("bad", "mixed", "good")

Bank = dict[str, dict[str, tuple[str, ...]]]

_DELIVERY: Bank = {
    "bad": {
        "fr": (
            "Le colis est arrivé trois jours après la date annoncée.",
            "Il manquait la moitié de la commande dans le carton.",
            "Le livreur a laissé le paquet sous la pluie.",
            "La boîte était ouverte et le vase cassé.",
            "Personne n'est venu le jour prévu, sans un mot d'excuse.",
        ),
        "en": (
            "The parcel came three days after the date you gave.",
            "Half of my order was missing from the box.",
            "The driver left the parcel out in the rain.",
            "The box was open and the vase broken.",
            "Nobody came on the day, without a word of apology.",
        ),
    },
    "mixed": {
        "fr": (
            "Le colis est arrivé un jour plus tard que prévu.",
            "Livraison correcte, mais l'emballage était abîmé.",
            "Le livreur était poli, l'horaire l'était moins.",
            "Tout y était, après une relance de ma part.",
        ),
        "en": (
            "The parcel came a day later than planned.",
            "Delivery was all right, but the packaging was damaged.",
            "The driver was polite, the time slot less so.",
            "Everything was there, after I had to ask once.",
        ),
    },
    "good": {
        "fr": (
            "Le colis est arrivé à l'heure et bien emballé.",
            "Livreur souriant, commande complète.",
            "Livré un jour plus tôt que prévu.",
            "Carton solide, rien de cassé, très bien.",
            "Le suivi disait vrai, à l'heure près.",
        ),
        "en": (
            "The parcel came on time and well packed.",
            "A smiling driver and a complete order.",
            "Delivered a day earlier than planned.",
            "A solid box, nothing broken, very good.",
            "The tracking told the truth, to the hour.",
        ),
    },
}

_CHECKOUT: Bank = {
    "bad": {
        "fr": (
            "La page de paiement a tourné dans le vide trois fois.",
            "J'ai dû ressaisir mon adresse à chaque étape.",
            "Le code de la banque n'arrivait pas et le panier s'est vidé.",
            "Le site était si lent que j'ai failli renoncer.",
        ),
        "en": (
            "The payment page spun three times for nothing.",
            "I had to type my address again at every step.",
            "The bank code never came and my basket was emptied.",
            "The site was so slow that I nearly gave up.",
        ),
    },
    "mixed": {
        "fr": (
            "Commander est assez simple, mais les pages sont lentes.",
            "J'ai trouvé le choix du créneau peu clair.",
            "Une erreur au premier essai, puis tout est passé.",
            "Beaucoup d'écrans pour deux articles.",
        ),
        "en": (
            "Ordering is fairly simple, but the pages are slow.",
            "I found the choice of a time slot unclear.",
            "One error on the first try, then it went through.",
            "Many screens for two items.",
        ),
    },
    "good": {
        "fr": (
            "Commande passée en deux minutes.",
            "Le paiement est simple et rapide.",
            "Tout est clair, du panier à la confirmation.",
            "Mon adresse était déjà là, je n'ai eu qu'à valider.",
        ),
        "en": (
            "My order took two minutes.",
            "Paying is simple and quick.",
            "Everything is clear, from the basket to the confirmation.",
            "My address was already there, I only had to confirm.",
        ),
    },
}

_STORE_VISIT: Bank = {
    "bad": {
        "fr": (
            "Pas un vendeur en vue pendant vingt minutes.",
            "Le modèle vu en ligne n'était pas en rayon.",
            "Une seule caisse ouverte un samedi après-midi.",
            "Le vendeur ne connaissait pas ses produits.",
        ),
        "en": (
            "Not one adviser in sight for twenty minutes.",
            "The model I saw online was not on the shelf.",
            "One till open on a Saturday afternoon.",
            "The adviser did not know the products.",
        ),
    },
    "mixed": {
        "fr": (
            "Beau magasin, mais il faut chercher un vendeur.",
            "Accueil agréable, choix un peu court.",
            "J'ai trouvé ce que je voulais après une longue attente.",
            "Des rayons bien tenus, d'autres à moitié vides.",
        ),
        "en": (
            "A lovely store, but you have to look for an adviser.",
            "A pleasant welcome, a rather short choice.",
            "I found what I wanted after a long wait.",
            "Some shelves well kept, others half empty.",
        ),
    },
    "good": {
        "fr": (
            "La conseillère a pris le temps de m'écouter.",
            "Accueil chaleureux et bons conseils.",
            "Magasin agréable, tout était en rayon.",
            "Passage en caisse rapide et souriant.",
        ),
        "en": (
            "The adviser took the time to listen to me.",
            "A warm welcome and good advice.",
            "A pleasant store, everything was on the shelf.",
            "A quick till and a smile.",
        ),
    },
}

_CALL_CENTRE: Bank = {
    "bad": {
        "fr": (
            "J'ai attendu quarante minutes pour être coupé.",
            "On m'a transféré quatre fois sans résoudre mon problème.",
            "La réponse promise par écrit n'est jamais venue.",
            "J'ai dû tout raconter à trois personnes.",
        ),
        "en": (
            "I waited forty minutes and was cut off.",
            "I was transferred four times and nothing was solved.",
            "The written answer you promised never came.",
            "I had to tell my story to three people.",
        ),
    },
    "mixed": {
        "fr": (
            "Conseiller aimable, mais l'attente est longue.",
            "Mon problème est réglé, au deuxième appel.",
            "La réponse est venue deux jours plus tard.",
            "On m'a bien écouté, sans solution immédiate.",
        ),
        "en": (
            "A kind agent, but the wait is long.",
            "My problem was solved on the second call.",
            "The answer came two days later.",
            "They listened well, without an immediate solution.",
        ),
    },
    "good": {
        "fr": (
            "Un conseiller m'a répondu tout de suite.",
            "Mon problème a été résolu en un seul appel.",
            "La confirmation écrite est arrivée dans l'heure.",
            "Interlocutrice claire, patiente et efficace.",
        ),
        "en": (
            "An agent answered me right away.",
            "My problem was solved in a single call.",
            "The written confirmation came within the hour.",
            "The agent was clear, patient and effective.",
        ),
    },
}

_REFUND: Bank = {
    "bad": {
        "fr": (
            "Il a fallu trois relances pour être remboursé.",
            "Retour reçu depuis dix jours, toujours pas de virement.",
            "Le montant remboursé n'était pas le bon.",
            "Personne ne sait où en est mon remboursement.",
        ),
        "en": (
            "It took three reminders to get my money back.",
            "You have had my return for ten days and there is no payment.",
            "The amount paid back was wrong.",
            "Nobody knows where my refund is.",
        ),
    },
    "mixed": {
        "fr": (
            "Remboursé, mais plus tard qu'annoncé.",
            "Le retour est simple, le virement se fait attendre.",
            "Montant exact, après une vérification.",
        ),
        "en": (
            "Refunded, but later than announced.",
            "Returning is simple, the payment takes its time.",
            "The right amount, after one check.",
        ),
    },
    "good": {
        "fr": (
            "Remboursement reçu en deux jours.",
            "Le retour et le virement se sont faits sans un appel.",
            "Montant exact et courriel clair.",
        ),
        "en": (
            "The refund came within two days.",
            "Return and payment were done without a single call.",
            "The right amount and a clear message.",
        ),
    },
}

_LOYALTY: Bank = {
    "bad": {
        "fr": (
            "Mes points ne sont toujours pas crédités.",
            "Le club ne sert à rien si les points se perdent.",
            "J'ai dû réclamer mes points de février.",
        ),
        "en": (
            "My points have still not been credited.",
            "The club is useless if points get lost.",
            "I had to claim my February points.",
        ),
    },
    "mixed": {
        "fr": (
            "Le club est intéressant, mais les points arrivent tard.",
            "Bonne idée, règles un peu compliquées.",
            "J'aime la maison, moins son programme.",
        ),
        "en": (
            "The club is worth it, but points come late.",
            "A good idea with rather complicated rules.",
            "I like the house, its programme less so.",
        ),
    },
    "good": {
        "fr": (
            "Je parle de Maison Rivière à toutes mes amies.",
            "Les points arrivent vite et servent vraiment.",
            "Une maison que je recommande sans hésiter.",
        ),
        "en": (
            "I tell all my friends about Maison Rivière.",
            "Points come quickly and are really useful.",
            "A house that I recommend without hesitation.",
        ),
    },
}

_REVIEW: Bank = {
    "bad": {
        "fr": (
            "Article reçu avec un accroc, et aucune réponse à mon message.",
            "Deux erreurs dans la même commande.",
            "La qualité n'est pas celle des photos.",
            "Mauvaise taille dans le carton, encore une fois.",
        ),
        "en": (
            "The item came with a tear, and no answer to my message.",
            "Two errors in the same order.",
            "The quality is not that of the pictures.",
            "The wrong size in the box, once again.",
        ),
    },
    "mixed": {
        "fr": (
            "Joli produit, service à améliorer.",
            "Bon choix, prix un peu élevés.",
            "Conforme, sans plus.",
        ),
        "en": (
            "A pretty product, a service to improve.",
            "A good choice, rather high prices.",
            "As described, nothing more.",
        ),
    },
    "good": {
        "fr": (
            "Très beau linge, exactement comme sur la photo.",
            "Belle qualité et commande sans erreur.",
            "Une adresse sûre pour la maison.",
            "Troisième achat, toujours aussi contente.",
        ),
        "en": (
            "Beautiful linen, exactly as in the picture.",
            "Good quality and an order without errors.",
            "A safe address for the home.",
            "My third purchase, as happy as ever.",
        ),
    },
}

_CLICK_COLLECT: Bank = {
    "bad": {
        "fr": (
            "Commande annoncée prête, mais introuvable au comptoir.",
            "Trois passages au magasin pour un seul sac.",
            "J'ai fait la queue une demi-heure pour un retrait.",
        ),
        "en": (
            "My order was said to be ready but could not be found at the desk.",
            "Three trips to the store for a single bag.",
            "I queued for half an hour to collect.",
        ),
    },
    "mixed": {
        "fr": (
            "Commande prête avec un peu de retard.",
            "Retrait simple, mais le comptoir est difficile à trouver.",
            "Tout y était, au bout de quelques minutes de recherche.",
        ),
        "en": (
            "The order was ready a little late.",
            "Collecting is simple, but the desk is hard to find.",
            "Everything was there, after a few minutes of searching.",
        ),
    },
    "good": {
        "fr": (
            "Mon sac m'attendait, deux minutes et c'était fait.",
            "Commande prête avant l'heure annoncée.",
            "Retrait facile et équipe souriante.",
        ),
        "en": (
            "My bag was waiting, two minutes and it was done.",
            "The order was ready before the time announced.",
            "Easy to collect, and a smiling team.",
        ),
    },
}

_TILL: Bank = {
    "bad": {
        "fr": (
            "Vingt minutes de queue pour deux articles.",
            "Le prix affiché n'était pas celui de la caisse.",
            "La caissière était seule et débordée.",
        ),
        "en": (
            "Twenty minutes in the queue for two items.",
            "The price on display was not the price at the till.",
            "The cashier was alone and overwhelmed.",
        ),
    },
    "mixed": {
        "fr": (
            "Attente raisonnable, sans plus.",
            "Caissier poli, mais pressé.",
            "Le paiement a marché au deuxième essai.",
        ),
        "en": (
            "A reasonable wait, nothing more.",
            "A polite cashier in a hurry.",
            "Payment worked on the second try.",
        ),
    },
    "good": {
        "fr": (
            "Passage rapide, avec un mot gentil.",
            "Pas d'attente et un paquet cadeau très soigné.",
            "La remise du club a été appliquée d'office.",
        ),
        "en": (
            "Quick, and with a kind word.",
            "No wait, and a beautiful gift wrapping.",
            "The club discount was applied without asking.",
        ),
    },
}

ABOUT: dict[str, Bank] = {
    "delivery": _DELIVERY,
    "checkout": _CHECKOUT,
    "store_visit": _STORE_VISIT,
    "call_centre": _CALL_CENTRE,
    "refund": _REFUND,
    "loyalty": _LOYALTY,
    "review": _REVIEW,
    "click_collect": _CLICK_COLLECT,
    "till": _TILL,
}
"""By touchpoint, tone and language."""

CLOSING: Bank = {
    "bad": {
        "fr": (
            "Je suis très déçue.",
            "Ce n'est pas sérieux.",
            "J'irai voir ailleurs la prochaine fois.",
            "J'attends une explication.",
            "Quelle perte de temps.",
        ),
        "en": (
            "I am very disappointed.",
            "This is not serious.",
            "Next time I will go elsewhere.",
            "I am waiting for an explanation.",
            "What a waste of time.",
        ),
    },
    "mixed": {
        "fr": (
            "Peut mieux faire.",
            "Dans l'ensemble, cela va.",
            "À vous de progresser.",
            "Je verrai la prochaine fois.",
        ),
        "en": (
            "You can do better.",
            "On the whole it is all right.",
            "There is room for progress.",
            "I will see next time.",
        ),
    },
    "good": {
        "fr": (
            "Merci à toute l'équipe.",
            "Je reviendrai avec plaisir.",
            "Rien à redire.",
            "Continuez ainsi !",
            "Bravo.",
        ),
        "en": (
            "Thank you to the whole team.",
            "I will gladly come back.",
            "Nothing to complain about.",
            "Keep it up!",
            "Well done.",
        ),
    },
}
"""By tone and language."""

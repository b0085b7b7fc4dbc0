"""The command group: it imports a command only when it is called, and turns every error into a sentence."""

from __future__ import annotations

import os
import sys
from importlib import import_module

import click

from parcours import __version__
from parcours.errors import ParcoursError
from parcours.words import Words, speak

COMMANDS = {
    "init": Words(
        fr="Crée un dossier d'entreprise à partir d'un modèle.", en="Start a company folder from a template."
    ),
    "check": Words(
        fr="Liste toutes les fautes du blueprint et des sources, fichier et ligne.",
        en="List every fault of the blueprint and the sources, file and line.",
    ),
    "run": Words(
        fr="Charge, relie, mesure et écrit le rapport ; ne refait que ce qui a changé.",
        en="Load, link, measure and write the report; only what changed is done again.",
    ),
    "serve": Words(fr="Ouvre les pages sur cette machine.", en="Open the pages on this machine."),
    "conform": Words(
        fr="Dit, règle par règle, si un serveur tient le contrat de collecte de Segment.",
        en="Tell, rule by rule, whether a server keeps Segment's tracking contract.",
    ),
    "demo": Words(
        fr="Fabrique, mesure et montre l'entreprise simulée Maison Rivière.",
        en="Make, measure and show the simulated firm Maison Rivière.",
    ),
    "key": Words(
        fr="Crée, liste ou révoque les clés d'écriture des SDK.", en="Make, list or revoke the write keys of SDKs."
    ),
    "people": Words(
        fr="Dit qui peut se connecter aux pages, et dans quel rôle.",
        en="Say who may sign in to the pages, and as what.",
    ),
    "replay": Words(
        fr="Remet en route les événements en quarantaine.", en="Put the events in quarantine back on their way."
    ),
    "link": Words(
        fr="Trouve les personnes qui n'en font sans doute qu'une, en comparant leurs données.",
        en="Find people who are probably one, by comparing their own data.",
    ),
    "timeline": Words(
        fr="Montre un client sur tous les canaux, à la seconde.", en="Show one customer over every channel, up to now."
    ),
    "explain": Words(
        fr="Dit pourquoi ces identifiants sont une même personne, et ce qui n'a pas été réuni.",
        en="Say why these identifiers are one person, and what did not join.",
    ),
    "review": Words(
        fr="Liste les paires qui sont peut-être une même personne, et tranche.",
        en="List the pairs that may be one person, and decide.",
    ),
    "unmerge": Words(
        fr="Sépare deux identifiants qui ne sont jamais une même personne.",
        en="Part two identifiers that are never one person.",
    ),
    "may": Words(
        fr="Dit si un rôle a le droit de faire quelque chose, par quelle règle, et ce qui le permettrait.",
        en="Say whether a role may do something, by which rule, and what would allow it.",
    ),
    "audit": Words(
        fr="Montre ce qui a été fait des données des clients, et donne la racine d'un jour.",
        en="Show what was done to customers' data, and give the root of a day.",
    ),
    "consent": Words(
        fr="Dit qui permet quoi, l'état du registre, et pourquoi une ligne est là ou non.",
        en="Say who allows what, how the ledger stands, and why a row is or is not there.",
    ),
    "access": Words(
        fr="Écrit pour une personne tout ce qui est gardé d'elle, en JSON ou en page.",
        en="Write for one person all that is held of them, as JSON or a page.",
    ),
    "requests": Words(
        fr="Liste les demandes des personnes et leurs délais ; limite, rectifie, s'oppose.",
        en="List what people asked for and by when it is due; restrict, rectify, object.",
    ),
    "opendsr": Words(
        fr="Crée, liste ou révoque les clés des programmes qui envoient des demandes de personnes (OpenDSR).",
        en="Make, list or revoke the keys of programs that send requests about people (OpenDSR).",
    ),
    "forget": Words(
        fr="Efface une personne, avec preuve et reçu signé.", en="Erase one person, with a proof and a signed receipt."
    ),
    "verify": Words(
        fr="Lit tout ce qui est gardé et dit ce qui est endommagé et comment le réparer.",
        en="Read everything that is kept, and say what is damaged and how to mend it.",
    ),
    "show": Words(fr="Montre une mesure en tableau ou en JSON.", en="Show one measure as a table or as JSON."),
    "export": Words(
        fr="Exporte le blueprint (bpmn) ou le journal des contacts (xes, ocel, parquet, csv).",
        en="Export the blueprint (bpmn) or the log of touches (xes, ocel, parquet, csv).",
    ),
    "audience": Words(
        fr="Compte les vues mesurées sans consentement, à part de tout le reste.",
        en="Count the views that are measured without consent, apart from everything else.",
    ),
    "keys": Words(
        fr="Met une autre clé à la place d'une clé de chiffrement.",
        en="Put another key in the place of an encryption key.",
    ),
    "retention": Words(
        fr="Liste les reçus de ce qui n'a pas été gardé plus longtemps.",
        en="List the receipts of what was not kept any longer.",
    ),
    "survey": Words(
        fr="Donne le lien qui interroge un client, ou une liste de clients, sur un point de contact.",
        en="Give the link that asks a customer, or a list of them, about a touchpoint.",
    ),
}
INTERRUPTED = Words(
    fr="Interrompu ; l'état précédent est intact. Relancez la même commande pour reprendre.",
    en="Interrupted; the previous state is intact. Run the same command again to go on.",
)


class Door(click.Group):
    """A group whose commands are modules of `parcours.cli`, imported when called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the commands in the order of the work."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one command."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(f"parcours.cli.{cmd_name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands without importing any."""
        with formatter.section(str(Words(fr="Commandes", en="Commands"))):
            formatter.write_dl([(name, str(words)) for name, words in COMMANDS.items()])


def _choose_language(ctx: click.Context, param: click.Parameter, value: str | None) -> None:
    if value == "fr":
        speak("fr")
    elif value == "en":
        speak("en")


@click.group(cls=Door, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="parcours")
@click.option(
    "--lang",
    type=click.Choice(["fr", "en"]),
    callback=_choose_language,
    expose_value=False,
    is_eager=True,
    help="Langue / language.",
)
def cli() -> None:
    """Customer experience as code · L'expérience client, en code."""


def explain_usage(error: click.ClickException) -> str:
    """Return what is wrong with the command line, in the language in force."""
    told = error.format_message()
    usage = error.ctx.get_usage() + "\n" if isinstance(error, click.UsageError) and error.ctx else ""
    if isinstance(error, click.NoSuchOption):
        words = Words(fr=f"L'option {error.option_name} n'existe pas.", en=told)
    elif isinstance(error, click.MissingParameter):
        name = error.param.make_metavar(error.ctx) if error.param and error.ctx else ""
        words = Words(fr=f"Il manque {name}.", en=told)
    elif isinstance(error, click.BadParameter):
        name = error.param.human_readable_name if error.param else ""
        words = Words(fr=f"La valeur de {name} ne convient pas ({error.message})", en=told)
    elif told.startswith("No such command"):
        names = ", ".join(COMMANDS)
        words = Words(fr=f"Cette commande n'existe pas. Il y a : {names}.", en=f"{told} There are: {names}.")
    elif isinstance(error, click.UsageError):
        words = Words(fr=f"Cette commande n'est pas comprise ({told})", en=told)
    else:
        words = Words(en=told)
    more = Words(fr="L'aide : parcours --help", en="Help: parcours --help")
    return f"{usage}{words}\n{more}"


def main() -> None:
    """Run the door: 0 done, 1 a fault to mend, 2 a command that is not one, 130 interrupted."""
    try:
        status = cli.main(standalone_mode=False)
        sys.exit(status if isinstance(status, int) else 0)
    except ParcoursError as error:
        from parcours.cli.output import print_faults, print_json

        print_faults(error.faults)
        if "--json" in sys.argv:
            # Whoever reads JSON gets the faults as JSON too; `check` has its own list.
            print_json({"faults": error.faults})
        sys.exit(1)
    except click.ClickException as error:
        click.echo(explain_usage(error), err=True)
        sys.exit(error.exit_code)
    except BrokenPipeError:
        # The reader of a pipe has gone (`| head`): nothing is wrong, and nothing more can be said on stdout.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except OSError as error:
        # Whatever the system refuses that no step has its own words for: a sentence, never a traceback.
        place = f" ({error.filename})" if error.filename else ""
        refused = Words(fr="Le système a refusé", en="The system refused")
        click.echo(f"{refused}: {error.strerror or error}{place}", err=True)
        sys.exit(1)
    except (KeyboardInterrupt, click.Abort):
        click.echo(str(INTERRUPTED), err=True)
        sys.exit(130)

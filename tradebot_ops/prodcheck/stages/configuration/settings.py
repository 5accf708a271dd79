"""Settings as written: known, well formed, filled in, and readable to their owner alone."""

from tradebot_ops.facts.access import env_files
from tradebot_ops.facts.access.env_files import Kept, SettingsFile
from tradebot_ops.facts.project import settings
from tradebot_ops.facts.project.settings import Placeholders, Settings
from tradebot_ops.prodcheck.check import Severity, Verdict, check, failed, passed, warned, worst
from tradebot_ops.text.lists import few

_GROUP, _WORLD = 0o077, 0o007


@check(
    "CFG-02",
    "Settings are complete, well formed and known",
    asks=(settings.written,),
    source="brief: .env.production is configured",
    anchor=".env.production.example",
    remedy="tradebot config show; then correct the name or the value: .env.production.example has every setting",
)
def complete(found: Settings) -> Verdict:
    """A setting with a typing mistake in its name is read by nobody, and the default is in force without a word."""
    wrong = [f"{each.name} ({each.origin}): {each.problem}" for each in found.written if each.problem]
    if found.missing or wrong:
        observed = few([*(f"{name} is not set" for name in found.missing), *wrong])
        count = len(found.missing) + len(wrong)
        return failed(f"{count} settings are missing or wrong.", observed=observed, expected="set and well formed")
    if found.secrets:
        message = f"{len(found.secrets)} secrets have no file yet."
        return failed(message, observed=few(found.secrets), expected="a file for each", hint="tradebot up")
    unknown = [each for each in found.written if each.unknown]
    if unknown:
        observed = few(f"{each.name} ({each.origin})" for each in unknown)
        hint = " ".join(each.meant for each in unknown if each.meant)
        hint = f"{hint} Every setting: tradebot config show".lstrip()
        message = f"Nothing reads {len(unknown)} of the settings."
        return warned(message, observed=observed, expected="known names", hint=hint, anchor=_place(unknown[0].origin))
    return passed("Settings are complete, well formed and known.", observed=f"{len(found.written)} written")


def _place(origin: str) -> str:
    return "" if origin == "environment" else origin


@check(
    "CFG-03",
    "No value is still a placeholder",
    asks=(settings.placeholders,),
    severity=Severity.CRITICAL,
    source="brief: strong passwords; OWASP A07:2021",
    anchor=".env.production.example",
    remedy="tradebot config show; then set a value of your own; a generated secret is made anew by `tradebot up` after "
    "its file was removed",
)
def filled_in(found: Placeholders) -> Verdict:
    """Whoever reads the example knows the password. Settings and secrets are compared with what examples say."""
    if found.found:
        message = f"{len(found.found)} values are placeholders."
        return failed(message, observed=few(found.found), expected="values of your own")
    return passed("No value is a placeholder.", observed=f"{found.looked} values compared")


@check(
    "CFG-04",
    "Settings files are private and in no repository",
    asks=(env_files.kept,),
    severity=Severity.CRITICAL,
    source="OWASP A05:2021; git never forgets what was committed",
    anchor=".env",
    remedy="tradebot config show; then chmod 600 .env*; git rm --cached FILE, and a line in .gitignore",
)
def private(found: Kept) -> Verdict:
    """Other users of this host must not read secrets, and a repository must not hand them to whoever clones it."""
    verdicts = [_file(each) for each in found.files]
    if found.secrets_mode is not None:
        verdicts.append(_folder(found.secrets, found.secrets_mode))
    if not verdicts:
        return passed("There is no settings file and no secret.", observed=f"no .env file in {found.folder}")
    return worst(verdicts)


def _file(each: SettingsFile) -> Verdict:
    observed, expected = f"{each.name} {each.mode:04o}", "0600"
    if each.tracked:
        hint = f"git rm --cached {each.name}; add it to .gitignore, and change every secret that it held"
        message = f"{each.name} is in the repository."
        return failed(message, observed=observed, expected="not tracked", hint=hint, anchor=each.name)
    hint = f"chmod 600 {each.name}"
    if each.mode & _WORLD:
        message = f"Every user of this host may read {each.name}."
        return failed(message, observed=observed, expected=expected, hint=hint, anchor=each.name)
    if not each.ours:
        observed = f"{observed}, owner {each.owner}"
        message = f"{each.name} belongs to another user."
        hint = f"sudo chown $USER {each.name}"
        return warned(message, observed=observed, expected="yours", hint=hint, anchor=each.name)
    if each.mode & _GROUP:
        message = f"A group may read {each.name}."
        return warned(message, observed=observed, expected=expected, hint=hint, anchor=each.name)
    if each.in_repository and not each.ignored:
        message = f"Nothing keeps {each.name} out of the repository."
        hint = f"Add {each.name} to .gitignore."
        return warned(message, observed=observed, expected="ignored", hint=hint, anchor=each.name)
    return passed(f"{each.name} is private.", observed=observed)


def _folder(path: str, mode: int) -> Verdict:
    observed = f"{path} {mode:04o}"
    if mode & _GROUP:
        message = "Others than you may enter the folder of secrets."
        return failed(message, observed=observed, expected="0700", hint=f"chmod 700 '{path}'")
    return passed("Only you may enter the folder of secrets.", observed=observed)

"""How old what runs is."""

from datetime import datetime, timedelta

from tradebot_ops.engines.base import ImageDates
from tradebot_ops.facts import moment
from tradebot_ops.facts.fact import Skip
from tradebot_ops.facts.replicas import images
from tradebot_ops.prodcheck.check import Severity, Verdict, check, passed, skipped, warned
from tradebot_ops.text.lists import few

OLD = timedelta(days=90)


@check(
    "SEC-11",
    "Images are young",
    asks=(images.dates, moment.now),
    severity=Severity.MINOR,
    source="design: an image holds the security fixes of the day it was built",
    needs=("ENG-01",),
    anchor="compose.yaml#image",
    remedy="tradebot images build --force; tradebot up",
)
def young(found: tuple[ImageDates, ...], now: datetime) -> Verdict:
    """Nothing updates what is inside an image. Its own build counts, and the oldest layer under it: a rebuild upon an
    old base changes little.
    """
    if not found:
        return skipped(Skip.PREREQUISITE, "No image of the stack is on this engine.")
    ages = [(each.image, what, now - at) for each in found for what, at in _parts(each)]
    evidence = "\n".join(f"{image}: {what} {age.days} days" for image, what, age in ages)
    if not ages:
        return warned("No image says when it was built.", observed="no date", expected="a date", evidence=evidence)
    old = [f"{image}: {what} {age.days} days old" for image, what, age in ages if age > OLD]
    if old:
        expected = f"at most {OLD.days} days"
        return warned(f"{len(old)} images or bases are old.", observed=few(old), expected=expected, evidence=evidence)
    silent = [each.image for each in found if each.built is None]
    if silent:
        message = f"{len(silent)} images do not say when they were built."
        return warned(message, observed=few(silent), expected="a date", evidence=evidence)
    observed = f"{len(found)} images, the oldest part {max(age for *_, age in ages).days} days"
    return passed("Images are young.", observed=observed, evidence=evidence)


def _parts(each: ImageDates) -> list[tuple[str, datetime]]:
    return [(what, at) for what, at in (("build", each.built), ("base", each.base)) if at is not None]

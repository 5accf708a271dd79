"""Images of replicas, and how long their work takes to end."""

from tradebot_ops.context import Ops
from tradebot_ops.engines.base import DatesImages, HasImages, ImageDates, ImageFacts
from tradebot_ops.errors import NotRunning
from tradebot_ops.facts.fact import NotApplicable, Skip, fact


@fact(seconds=15)
def state(ops: Ops) -> ImageFacts:
    """Services by what is the matter with their image or source."""
    if not isinstance(ops.engine, HasImages):
        raise NotApplicable(Skip.ENGINE, f"The {ops.engine.name} engine knows no images.")
    return ops.engine.image_facts(ops.stack)


@fact(seconds=8)
def longest_jobs(ops: Ops) -> float | None:
    """Seconds within which 95 % of a day's jobs end; None while Prometheus is away or no job ran."""
    buckets = 'sum by (le) (rate(worker_job_duration_seconds_bucket{job_type!="failing_canary"}[1d]))'
    try:
        found = ops.prometheus.query(f"histogram_quantile(0.95, {buckets})")
    except NotRunning:
        return None
    return next((series.value for series in found if series.value == series.value), None)


@fact(seconds=10)
def dates(ops: Ops) -> tuple[ImageDates, ...]:
    """Of every image of the stack that is present."""
    if not isinstance(ops.engine, DatesImages):
        raise NotApplicable(Skip.ENGINE, "Services run from this host's own packages here; there are no images.")
    return ops.engine.image_dates(sorted({service.image for service in ops.stack.services.values()}))

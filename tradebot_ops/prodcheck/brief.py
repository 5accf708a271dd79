"""The owner's production checklist and success criteria, and the checks that prove each."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Promise:
    """A line of the brief. No ``ids``: the whole run is its proof."""

    text: str
    ids: tuple[str, ...] = ()


#: By heading, in the brief's order and words.
CHECKLIST = {
    "Configuration": (
        Promise("All artifact files copied to project", ("CFG-01", "CFG-06")),
        Promise("Dependencies updated", ("ENG-08",)),
        Promise("Docker images rebuilt", ("SVC-07",)),
        Promise("`.env.production` configured", ("CFG-02", "CFG-03", "CFG-04", "CFG-05")),
        Promise("Strong passwords set", ("SEC-01",)),
        Promise("Log format set to JSON", ("CFG-08", "API-08", "WRK-08")),
    ),
    "Monitoring": (
        Promise("Monitoring stack started", ("MON-01",)),
        Promise("Prometheus targets are up", ("MON-02",)),
        Promise("Grafana dashboard loads", ("MON-07",)),
        Promise("Metrics appear in dashboard", ("MON-08",)),
        Promise("Alerts configured", ("ALR-01", "ALR-02", "ALR-03")),
    ),
    "Services": (
        Promise("API exposes `/metrics` endpoint", ("API-03",)),
        Promise("API health check enhanced", ("API-02",)),
        Promise("Workers export metrics on port 9091", ("WRK-02",)),
        Promise("Workers have circuit breakers", ("WRK-05",)),
        Promise("Structured logging enabled", ("API-08", "WRK-08")),
    ),
    "Operations": (
        Promise("Production check passes"),
        Promise("Backup tested", ("OPS-02",)),
        Promise("Alert notifications configured", ("ALR-06",)),
        Promise("Team trained on dashboards", ("OPS-07",)),
        Promise("Runbooks documented", ("OPS-08",)),
    ),
}
CRITERIA = (
    Promise("The production check passes with 0 failures"),
    Promise("All dashboards show live data", ("MON-07", "MON-08")),
    Promise("Alerts are configured and tested", ("ALR-01", "ALR-03", "ALR-05", "ALR-06")),
    Promise("Team trained on monitoring tools", ("OPS-07",)),
    Promise("Backups automated and verified", ("OPS-01", "OPS-02")),
    Promise("Documentation reviewed and approved", ("OPS-09",)),
)

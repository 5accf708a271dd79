"""The services that an alert goes through before it reaches anybody."""

#: Each with what does not happen while it is away.
ALERTING = {
    "prometheus": "no fault is noticed",
    "alertmanager": "nobody is notified of a fault",
}

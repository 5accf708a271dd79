"""One place to ask for the meaning of a name: of an error, a check, an alert, a setting, a metric."""

"""The contents of config/: rules, PromQL, Alertmanager, the metric contract. Pure: nothing here asks a service."""

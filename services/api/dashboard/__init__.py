"""The 12 panels without Grafana: its dashboard JSON, asked of Prometheus, served as series and as a page."""

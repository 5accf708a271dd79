"""Jobs: submitted, watched, cancelled; the canary and the sample prices."""

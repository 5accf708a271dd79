"""Commands that judge the stack: readiness, diagnosis, fit."""

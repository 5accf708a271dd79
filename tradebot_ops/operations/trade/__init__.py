"""Prices and strategies of whoever trades with the stack."""

"""Bots that trade elsewhere, watched from here: each of their answers is a fact with its time, or it is not known."""

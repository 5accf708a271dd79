"""Formats that other programs read: one file each, named as ``--output`` spells it, with a ``render``.

They read a report's findings, whatever command made them; what is no finding is not theirs to show.
"""

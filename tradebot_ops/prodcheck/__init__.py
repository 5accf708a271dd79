"""Readiness: checks that probe the running stack and say what is wrong and what to type.

``check.py`` declares, ``runner.py`` asks and judges, ``waivers.py`` reads exceptions, ``history.py`` remembers runs,
``report.py`` turns a run into a report. The checks themselves are in ``stages/``, one package or file a stage.
"""

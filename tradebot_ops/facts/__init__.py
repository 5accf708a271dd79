"""Facts about the project, read-only: one file per noun. Readiness, diagnosis and screens read the same facts.

A fact is a function that asks the engine or a client, declared with :func:`tradebot_ops.facts.fact.fact`. A refused
connection is an answer here: the value is then :class:`~tradebot_ops.facts.fact.Unknown`, never an exception.
"""

"""The stack in a pipeline: up, checked, and always taken down; and the pipelines that do so."""

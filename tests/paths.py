"""Where tests find the files of the repository, however deep they lie themselves."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

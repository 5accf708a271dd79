"""Templates of HTML pages: every text is escaped, and a name without a value is an error."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jinja2 import Template


def template(package: str, name: str) -> "Template":
    """The template of this name in the folder ``templates`` of a package."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader(package, "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(name)

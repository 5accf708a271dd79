"""The live dashboard: a Textual program over the API's panels. Imported only when it is drawn."""

from tradebot_ops.render.dash.app import Dash

__all__ = ["Dash"]

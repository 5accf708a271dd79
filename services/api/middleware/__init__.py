"""Pure ASGI classes around every request, outermost first: metrics, request context, body limit."""

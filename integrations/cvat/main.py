"""What nuclio calls; the function itself is part of the package."""

from fewclicks.web.cvat import handler, init_context

__all__ = ["handler", "init_context"]

"""What an object says of others: what it needs by name, makes and selects, and what its pods wait for."""

from compiler.relations.references import Relations, relations

__all__ = ["Relations", "relations"]

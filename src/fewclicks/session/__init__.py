"""The only place with history: clicks, undo, redo, objects."""

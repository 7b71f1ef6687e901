"""Web: the annotation page, its server and its database."""

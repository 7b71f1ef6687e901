"""Protocols: which targets are clicked, and what is known of each before its first click."""

"""Assignments: what a notebook calls (`answers`), and what a teacher runs (`release`, `grade`)."""

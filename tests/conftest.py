"""Settings for the tests of the package; what concerns notebooks is in tools/notebook_plugin.py."""

from hypothesis import settings

# No time limit per example: the machines that run this differ. The same examples on every run.
settings.register_profile("course", deadline=None, derandomize=True, database=None)
settings.load_profile("course")

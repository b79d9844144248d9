"""Settings for the tests of the package; what concerns notebooks is in tools/notebook_plugin.py."""

from hypothesis import settings

collect_ignore_glob = ["*conftest.py"]  # no doctests there; two modules of one name would clash

# No time limit per example: the machines that run this differ. The same examples on every run.
settings.register_profile("course", deadline=None, derandomize=True, database=None)
settings.load_profile("course")


def pytest_terminal_summary(terminalreporter):
    """Print what tests measured and gave to `record_property("measured", ...)`, also under -q."""
    for reports in terminalreporter.stats.values():
        for report in reports:
            for name, text in getattr(report, "user_properties", ()):
                if name == "measured" and report.when == "call":
                    terminalreporter.write_line(text)

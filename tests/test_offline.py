"""The notebooks need no network: their kernels refuse every connection that leaves the machine.

tools/offline/sitecustomize.py does the refusing, in every kernel of the test run and of
`make outputs`. So each run of the notebooks is the proof, and this file proves that the guard is
there. The addresses used here lead nowhere (RFC 5737, RFC 6761).
"""

import importlib.util
import os
import sys

import kernel_environment
import pytest
from test_dead_kernel import run_pytest, write_notebook

START = """
import socket, subprocess, sys, urllib.request
import pytest
assert sys.course_is_offline
"""

REFUSED = [
    "socket.create_connection(('192.0.2.1', 80), timeout=1)",
    "socket.socket().connect_ex(('192.0.2.1', 80))",
    "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('192.0.2.1', 53))",
    "socket.getaddrinfo('course.invalid', 80)",
    "socket.gethostbyname('course.invalid')",
    "urllib.request.urlopen('http://192.0.2.1/', timeout=1)",
]

CHILD = """
code = "import socket; socket.create_connection(('192.0.2.1', 80), timeout=1)"
done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
assert "NetworkRefusedError" in done.stderr, done.stderr
"""

LOOPBACK = """
server = socket.create_server(("127.0.0.1", 0))
client = socket.create_connection(server.getsockname(), timeout=5)
client.close(), server.close()
"""


def test_kernels_of_the_test_run_are_offline(tmp_path):
    """Each way out is refused with the guard's own error, not by a machine without a network."""
    cells = [START]
    for line in REFUSED:
        cells.append(f"with pytest.raises(OSError, match='runs without a network'):\n    {line}")
    write_notebook(tmp_path, *cells, CHILD, LOOPBACK)
    code, text = run_pytest(tmp_path)
    assert code == 0, text
    assert f"{len(cells) + 2} passed" in text


def test_outputs_are_made_offline():
    """`make outputs` starts its kernels in the same environment."""
    path = kernel_environment.kernel_environment()["PYTHONPATH"]
    first = path.split(os.pathsep)[0]
    assert first == str(kernel_environment.OFFLINE)
    source = (kernel_environment.PROJECT / "tests/tools/make_outputs.py").read_text(
        encoding="utf-8"
    )
    assert "environment = kernel_environment.kernel_environment()" in source
    assert "setup_kernel(env=environment" in source


@pytest.mark.parametrize(
    ("host", "local"),
    [
        ("127.0.0.1", True),
        ("localhost", True),
        (b"localhost", True),
        ("::1", True),
        (None, True),
        ("", True),
        ("192.0.2.1", False),
        ("localhost.example", False),
        ("127.evil.example", False),
        ("example.org", False),
        (b"example.org", False),
    ],
)
def test_loopback_is_told_from_the_rest(host, local, monkeypatch):
    monkeypatch.setattr(sys, "course_is_offline", True, raising=False)  # no hook for this process
    spec = importlib.util.spec_from_file_location(
        "offline_guard", kernel_environment.OFFLINE / "sitecustomize.py"
    )
    guard = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(guard)
    assert guard.is_local(host) is local

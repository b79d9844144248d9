"""No network: Python reads this file at its start when its folder stands in PYTHONPATH.

The test run puts the folder into the environment of every notebook kernel, so that the notebooks
prove on each run that they download nothing. An audit hook sees every connection that Python
code opens, whatever library asks for it, and it cannot be taken off again.
"""

import re
import sys

LOCAL = re.compile(r"localhost|(::ffff:)?127(\.\d{1,3}){3}|::1?|0\.0\.0\.0", re.IGNORECASE)
CONNECTS = {"socket.connect", "socket.sendto", "socket.sendmsg"}
LOOKUPS = {"socket.getaddrinfo", "socket.gethostbyname"}


class NetworkRefusedError(OSError):
    """Raised in place of a connection to another machine."""


def is_local(host):
    """True for this machine: loopback, no host at all, or a socket that is a file."""
    if isinstance(host, (bytes, bytearray)):
        host = host.decode("ascii", "replace")
    return host is None or host == "" or LOCAL.fullmatch(str(host)) is not None


def refuse(host):
    raise NetworkRefusedError(
        f"the course runs without a network, but something asked for {host!r}"
    )


def hook(event, args):
    if event in CONNECTS:
        address = args[-1]
        if isinstance(address, tuple) and address and not is_local(address[0]):
            refuse(address[0])
    elif event in LOOKUPS and not is_local(args[0]):
        refuse(args[0])


if not hasattr(sys, "course_is_offline"):
    sys.course_is_offline = True
    sys.addaudithook(hook)

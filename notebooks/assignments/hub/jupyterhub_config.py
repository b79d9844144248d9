"""JupyterHub for one class on one machine, with nbgrader's exchange of assignments.

    jupyterhub -f notebooks/assignments/hub/jupyterhub_config.py

Each student and the teacher have an account of the machine (or, in containers, the account jovyan:
then nbgrader takes the name from the hub).  INSTRUCTORS.md says how to set it up.

COURSE_EXCHANGE   folder of the exchange, readable and writable for all; /srv/nbgrader/exchange
COURSE_STUDENTS   names with commas: who may log in
COURSE_TEACHERS   names with commas; they may log in and stop other people's servers
COURSE_URL        the address that the hub listens on; http://127.0.0.1:8000
COURSE_TRIAL      a folder: everybody may log in with one password, and all servers run under one
                  account.  For a look on the own machine, never for a class.
COURSE_PREFIX     in a trial, the environment of the course when the hub has another one
"""

import os
import secrets
import sys
from pathlib import Path

c = get_config()  # noqa: F821 - JupyterHub gives this name

HERE = Path(__file__).resolve().parent
EXCHANGE = os.environ.get("COURSE_EXCHANGE", "/srv/nbgrader/exchange")
TEACHERS = {name for name in os.environ.get("COURSE_TEACHERS", "teacher").split(",") if name}
TRIAL = os.environ.get("COURSE_TRIAL")

c.JupyterHub.bind_url = os.environ.get("COURSE_URL", "http://127.0.0.1:8000")
c.Authenticator.admin_users = TEACHERS

c.Spawner.cmd = [str(Path(sys.executable).with_name("jupyterhub-singleuser"))]
c.Spawner.default_url = "/lab"
c.Spawner.environment = {
    "COURSE_EXCHANGE": EXCHANGE,
    "JUPYTER_CONFIG_PATH": str(HERE / "etc"),  # nbgrader's settings, its menu switched on
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
}
# The course's own environment keeps nbgrader's menu switched off; for a class it is switched on.
NBGRADER = ("assignment_list", "course_list", "validate_assignment")
EXTENSIONS = ["jupyterlab", *(f"nbgrader.server_extensions.{name}" for name in NBGRADER)]
c.Spawner.args = [f"--ServerApp.jpserver_extensions={name}=True" for name in EXTENSIONS]
c.Spawner.start_timeout = 120
c.Spawner.http_timeout = 120

if TRIAL:
    place = Path(TRIAL)
    shared = Path(os.environ.get("COURSE_PREFIX", sys.prefix)) / "share" / "jupyter"
    c.Spawner.environment["JUPYTER_PATH"] = str(shared)  # where the hub has its own environment
    c.Spawner.environment["JUPYTERLAB_DIR"] = str(shared / "lab")
    c.JupyterHub.authenticator_class = "dummy"
    c.DummyAuthenticator.password = os.environ.get("COURSE_PASSWORD") or secrets.token_hex(16)
    c.Authenticator.allow_all = True
    c.JupyterHub.spawner_class = "simple"
    c.SimpleLocalProcessSpawner.home_dir_template = str(place / "homes" / "{username}")
    c.JupyterHub.db_url = f"sqlite:///{place / 'hub.sqlite'}"
    c.JupyterHub.cookie_secret_file = str(place / "cookie_secret")
    c.JupyterHub.hub_port = int(os.environ.get("COURSE_HUB_PORT", "8081"))
    c.ConfigurableHTTPProxy.api_url = os.environ.get("COURSE_PROXY_API", "http://127.0.0.1:8001")
    c.ConfigurableHTTPProxy.pid_file = str(place / "proxy.pid")
else:
    # Accounts of the machine, PAM: the hub runs as root. Name the class, or a group of the machine.
    names = os.environ.get("COURSE_STUDENTS", "")
    c.Authenticator.allowed_users = {name for name in names.split(",") if name} | TEACHERS

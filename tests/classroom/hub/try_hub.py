"""Try the hub on this machine: three students log in, fetch, hand in; the teacher grades.

    python -m venv hub && hub/bin/pip install jupyterhub
    npm install --prefix hub configurable-http-proxy
    HUB=hub .venv/bin/python tests/classroom/hub/try_hub.py

The hub's Python must find the packages of the course: this script hands it the folder of its own.
Everything runs on 127.0.0.1, in a temporary folder, inside bubblewrap with an account list of its
own, because nbgrader takes the student's name from the account.  Nothing is left behind.
"""

import json
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import sysconfig
import tempfile
import time
from pathlib import Path

import requests

PROJECT = Path(__file__).resolve().parents[3]
CONFIG = PROJECT / "notebooks" / "assignments" / "hub" / "jupyterhub_config.py"
NAME, COURSE = "a3_stacked_bidirectional_gru", "rnn-course"
STUDENTS = ("ada", "bela", "chen")
SOURCE = PROJECT / "notebooks" / "assignments" / "source" / NAME / f"{NAME}.ipynb"


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def inside(place, command, env, **options):
    """Start a command under an account named jovyan, as in the containers of a hub."""
    uid = os.getuid() or 1000
    (place / "passwd").write_text(f"jovyan:x:{uid}:{uid}::{place}:/bin/sh\n")
    words = ["bwrap", "--dev-bind", "/", "/", "--ro-bind", str(place / "passwd"), "/etc/passwd"]
    words += ["--unshare-user", "--uid", str(uid), "--gid", str(uid), "--unshare-pid"]
    words += ["--proc", "/proc", "--die-with-parent", "--", *map(str, command)]
    return subprocess.Popen(words, env=env, **options)


class Person:
    """Somebody with a browser: logs in with name and password, then talks to the own server."""

    def __init__(self, url, name, password):
        self.url, self.name, self.web = url, name, requests.Session()
        self.web.get(f"{url}/hub/login")
        form = {"username": name, "password": password, "_xsrf": self.xsrf("/hub/")}
        answer = self.web.post(f"{url}/hub/login", data=form, allow_redirects=False)
        assert answer.status_code == 302, f"{name} cannot log in: {answer.status_code}"

    def xsrf(self, path):
        found = [c.value for c in self.web.cookies if c.name == "_xsrf" and c.path == path]
        return found[0] if found else ""

    def start(self):
        """Ask for a key of the own account, and start the own server with it."""
        head = {"X-XSRFToken": self.xsrf("/hub/"), "Referer": f"{self.url}/hub/home"}
        answer = self.web.post(f"{self.url}/hub/api/users/{self.name}/tokens", headers=head)
        answer.raise_for_status()
        self.key = {"Authorization": f"token {answer.json()['token']}"}
        server = f"{self.url}/hub/api/users/{self.name}"
        requests.post(f"{server}/server", headers=self.key).raise_for_status()
        for _ in range(240):
            about = requests.get(server, headers=self.key).json()
            if about["servers"].get("", {}).get("ready"):
                return
            time.sleep(0.5)
        raise TimeoutError(f"the server of {self.name} does not start")

    def ask(self, method, path, **options):
        """Talk to the own server."""
        url = f"{self.url}/user/{self.name}/{path}"
        answer = requests.request(method, url, headers=self.key, **options)
        answer.raise_for_status()
        return answer.json()

    def menu(self):
        """Does JupyterLab open, with nbgrader's list of assignments switched on?"""
        page = requests.get(f"{self.url}/user/{self.name}/lab", headers=self.key)
        page.raise_for_status()
        config = json.loads(
            re.search(r"jupyter-config-data[^>]*>(.*?)</script>", page.text, re.S)[1]
        )
        names = [one["name"] for one in config["federated_extensions"]]
        return (
            "@jupyter/nbgrader" in names and "@jupyter/nbgrader" not in config["disabledExtensions"]
        )

    def assignments(self):
        found = self.ask("GET", "assignments", params={"course_id": COURSE})
        assert found["success"], found
        return [(one["assignment_id"], one["status"]) for one in found["value"]]

    def do(self, action):
        about = {"course_id": COURSE, "assignment_id": NAME}
        answer = self.ask("POST", f"assignments/{action}", data=about)
        assert answer["success"], answer

    def stop(self):
        requests.delete(f"{self.url}/hub/api/users/{self.name}/server", headers=self.key)


def answered(notebook, how):
    """A student's notebook with all answers, with none, or with those of the first half."""
    key = {c["metadata"]["nbgrader"]["grade_id"]: c for c in how["source"] if c["metadata"]}
    for cell in notebook["cells"]:
        about = cell["metadata"].get("nbgrader", {})
        if about.get("solution") and about["grade_id"] in how["answers"]:
            cell["source"] = key[about["grade_id"]]["source"]
    return notebook


def teacher(folder, exchange, *words):
    """One command of nbgrader in the teacher's course folder."""
    env = {**os.environ, "COURSE_EXCHANGE": str(exchange)}
    env["JUPYTER_CONFIG_PATH"] = str(CONFIG.parent / "etc")
    env["PATH"] = f"{Path(sys.executable).parent}:{env['PATH']}"
    command = [sys.executable, "-m", "nbgrader", *words, f"--CourseDirectory.root={folder}"]
    done = subprocess.run(command, env=env, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]


def main(hub):
    place = Path(tempfile.mkdtemp(prefix="hub-"))
    exchange, course = place / "exchange", place / "course"
    for folder in (exchange, course, place / "homes"):
        folder.mkdir()
    exchange.chmod(0o777)
    ports = [free_port() for _ in range(3)]
    url, password = f"http://127.0.0.1:{ports[0]}", secrets.token_hex(8)
    env = {
        **os.environ,
        "PATH": f"{hub / 'bin'}:{hub / 'node_modules/.bin'}:{os.environ['PATH']}",
        "PYTHONPATH": sysconfig.get_paths()["purelib"],
        "COURSE_PREFIX": sys.prefix,
        "COURSE_URL": url,
        "COURSE_TRIAL": str(place),
        "COURSE_EXCHANGE": str(exchange),
        "COURSE_PASSWORD": password,
        "COURSE_HUB_PORT": str(ports[1]),
        "COURSE_PROXY_API": f"http://127.0.0.1:{ports[2]}",
    }
    log = (place / "hub.log").open("wb")
    command = [hub / "bin" / "jupyterhub", "-f", CONFIG]
    process = inside(place, command, env, cwd=place, stdout=log, stderr=log)
    try:
        wait_for(url, process, place / "hub.log")
        print("the hub runs on 127.0.0.1")
        play(url, password, exchange, course)
    except BaseException:
        print((place / "hub.log").read_text()[-3000:])
        raise
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
        log.close()
        shutil.rmtree(place, ignore_errors=True)


def wait_for(url, process, log):
    for _ in range(240):
        try:
            if requests.get(f"{url}/hub/api/", timeout=2).ok:
                return
        except requests.ConnectionError:
            pass
        if process.poll() is not None:
            raise RuntimeError(f"the hub stopped: {log.read_text()[-2000:]}")
        time.sleep(0.5)
    raise TimeoutError("the hub does not answer")


def play(url, password, exchange, course):
    from course_utils.classroom.grade import grade
    from course_utils.classroom.gradebook import Course
    from course_utils.classroom.source import find_source

    made = Course(course)
    made.take_source(find_source(NAME))
    made.generate(NAME)
    teacher(course, exchange, "release_assignment", NAME)
    print(f"the teacher releases {NAME}")
    source = [c for c in json.loads(SOURCE.read_text())["cells"] if "nbgrader" in c["metadata"]]
    ids = [c["metadata"]["nbgrader"]["grade_id"] for c in source]
    ids = [i for i in ids if not i.endswith("-test")]
    shares = {"ada": set(ids), "bela": set(ids[: len(ids) // 2]), "chen": set()}
    people = [Person(url, name, password) for name in STUDENTS]
    for person in people:
        person.start()
        assert person.menu()
        print(f"{person.name} logs in; the list says {person.assignments()}")
    for person in people:
        person.do("fetch")
        path = f"api/contents/{NAME}/{NAME}.ipynb"
        notebook = person.ask("GET", path)["content"]
        assert "BEGIN SOLUTION" not in json.dumps(notebook)
        assert "BEGIN HIDDEN" not in json.dumps(notebook)
        notebook = answered(notebook, {"source": source, "answers": shares[person.name]})
        person.ask("PUT", path, json={"type": "notebook", "content": notebook})
        person.do("submit")
        print(f"{person.name} fetches, works and hands in; the list says {person.assignments()}")
    collected = course / "collected"
    teacher(course, exchange, "collect", NAME, "--CourseDirectory.submitted_directory=collected")
    print("the teacher collects:", sorted(path.name for path in collected.iterdir()))
    rows, _ = grade(collected, NAME, root=PROJECT / "notebooks" / "assignments", out=course)
    marks = {row.student: row.total for row in rows}
    assert marks["ada"] == 50, marks
    assert 0 < marks["bela"] < 50, marks
    assert marks["chen"] == 0, marks
    teacher(course, exchange, "release_feedback", NAME)
    for person in people:
        person.do("fetch_feedback")
        pages = person.ask("GET", f"api/contents/{NAME}/feedback")["content"]
        pages = person.ask("GET", "api/contents/" + pages[0]["path"])["content"]
        print(f"{person.name} reads {pages[0]['name']}")
        person.stop()


if __name__ == "__main__":
    main(Path(os.environ["HUB"]).resolve())

"""Run a submission in the sandbox, under watch, and bring its outputs and answers out."""

import asyncio
import atexit
import contextlib
import json
import os
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import zmq
import zmq.asyncio
from jupyter_client import AsyncKernelManager
from jupyter_client.kernelspec import KernelSpec
from nbclient import NotebookClient

from course_utils.classroom import sandbox
from course_utils.classroom.answers import MIME

WATCH_SECONDS = 0.25


class KernelStartError(RuntimeError):
    """The kernel did not start: a fault of the machine, no submission has run yet."""


@dataclass
class Outcome:
    """What came out of a run.

    answers: for each cell that ran, by its number, the recorded answers in the order they came;
    stopped: why the kernel was stopped before the end, None when it was not; stopped_in: the
    number of the cell then; slow: numbers of the cells that were interrupted.
    """

    answers: dict[int, list] = field(default_factory=dict)
    stopped: str | None = None
    stopped_in: int | None = None
    slow: list[int] = field(default_factory=list)


def run(notebook, files, limits, *, safe=True):
    """Run a notebook in place, with copies of `files` {name: Path} as its working directory.

    limits: Limits; safe: in the sandbox.  A cell that raises does not stop the others.
    Returns an Outcome.  Nothing that the submission does raises an error here.
    """
    with sandbox.box(files) as box:
        return asyncio.run(_Run(notebook, box, limits, safe).all())


class _Run(NotebookClient):
    """A notebook client that starts its kernel in a box, and counts and listens while it runs."""

    def __init__(self, notebook, box, limits, safe):
        super().__init__(
            notebook,
            km=_kernel_manager(box, limits, safe),
            allow_errors=True,
            timeout=None,  # the watch keeps the time: it also stops a loop that catches interrupts
            iopub_timeout=10,
            raise_on_iopub_timeout=True,
            startup_timeout=60,
            record_timing=False,
            shutdown_kernel="immediate",
            store_widget_state=False,
        )
        self.box, self.limits, self.safe = box, limits, safe
        self.outcome, self.bytes = Outcome(), 0
        self.stopping = False

    async def all(self):
        """Run every cell, until the end or until something stops the kernel."""
        log = self.box.wires.parent / "kernel.log"
        with log.open("wb") as stream:
            started = False
            try:
                options = {"env": sandbox.environment()} if self.safe else {}
                async with self.async_setup_kernel(stdout=stream, stderr=stream, **options):
                    started = True
                    await self._cells()
            except Exception as error:
                if not started:
                    raise KernelStartError(_last_line(log)) from error
            finally:
                atexit.unregister(self._cleanup_kernel)
        return self.outcome

    async def _cells(self):
        index, deadline = 0, asyncio.get_running_loop().time() + self.limits.total_seconds
        async with self._watched(deadline):
            try:
                for index, cell in enumerate(self.nb.cells):
                    with self._timed(index):
                        await self.async_execute_cell(cell, index)
            except Exception as error:  # a hostile kernel can send anything, or nothing
                self.outcome.stopped = self.outcome.stopped or _reason(error)
                self.outcome.stopped_in = index

    def process_message(self, msg, cell, cell_index):
        """Count a message; take an answer out; leave the rest to the notebook client."""
        self.bytes += _size(msg)
        if self.bytes > self.limits.output:
            self._stop(f"more than {self.limits.output >> 20} MB of output")
        data = msg["content"].get("data")
        if isinstance(data, dict) and MIME in data:
            self.outcome.answers.setdefault(cell_index, []).append(data[MIME])
            return None
        if self.stopping and msg["msg_type"] != "status":
            return None
        return super().process_message(msg, cell, cell_index)

    @contextlib.contextmanager
    def _timed(self, index):
        """Interrupt the cell when its time is over; a little later, stop the kernel."""
        loop, limits = asyncio.get_running_loop(), self.limits
        asked = loop.call_later(limits.cell_seconds, self._interrupt, index)
        killed = loop.call_later(
            limits.cell_seconds + limits.grace_seconds,
            self._stop,
            f"a cell ran longer than {limits.cell_seconds:g} s and could not be interrupted",
        )
        try:
            yield
        finally:
            asked.cancel()
            killed.cancel()

    def _interrupt(self, index):
        self.outcome.slow.append(index)
        self.task_interrupt = asyncio.ensure_future(self.km.interrupt_kernel())

    def _stop(self, why):
        """Kill the kernel and everything that it started; `why` of the first time counts."""
        if not self.stopping:
            self.stopping, self.outcome.stopped = True, why
            process = getattr(self.km.provisioner, "process", None)
            if process is not None:
                for child in _family(process.pid):
                    with contextlib.suppress(psutil.Error):
                        child.kill()

    @contextlib.asynccontextmanager
    async def _watched(self, deadline):
        task = asyncio.ensure_future(self._watch(deadline))
        try:
            yield
        finally:
            task.cancel()

    async def _watch(self, deadline):
        """Look at time, memory and disk again and again."""
        limits, clock = self.limits, asyncio.get_running_loop().time
        cuts = self.kc.iopub_channel.socket.get_monitor_socket(zmq.EVENT_DISCONNECTED)
        while not self.stopping:
            await asyncio.sleep(WATCH_SECONDS)
            if await cuts.poll(0) and await self._lives_on():
                self._stop(f"a message of more than {limits.message >> 20} MB")
            elif clock() > deadline:
                self._stop(f"longer than {limits.total_seconds:g} s in all")
            elif _memory(self.km.provisioner.process.pid) > limits.total_memory:
                self._stop(f"more than {limits.total_memory >> 20} MB of memory")
            elif psutil.virtual_memory().available < limits.machine_memory:
                self._stop("the machine ran out of memory")
            elif _disk(self.box.wires) > limits.file_size:
                self._stop("files where only sockets belong")

    async def _lives_on(self):
        """Does the kernel live on after its socket was cut, because of what it sent?"""
        await asyncio.sleep(1)
        return self.km is not None and await self.km.is_alive()


def _kernel_manager(box, limits, safe):
    """A manager whose kernel runs in the box and talks over sockets in a folder, not over a net."""
    context = zmq.asyncio.Context()
    context.setsockopt(zmq.MAXMSGSIZE, limits.message)
    context.setsockopt(zmq.RCVHWM, 100)
    context.setsockopt(zmq.LINGER, 0)
    manager = _Manager(
        transport="ipc",
        ip=str(box.wires / "k"),
        connection_file=str(box.wires / "k.json"),
        context=context,
        shutdown_wait_time=0.5,
    )
    manager._kernel_spec = KernelSpec(
        argv=sandbox.kernel_command(box, limits, safe=safe),
        display_name="Python 3",
        language="python",
        interrupt_mode="message",
    )
    manager.box = box
    return manager


class _Manager(AsyncKernelManager):
    """A kernel manager with its own context, and a second connection file for inside the box."""

    box = None

    def client(self, **options):
        return super().client(context=self.context, **options)

    def write_connection_file(self, **options):
        super().write_connection_file(**options)
        outside = Path(self.connection_file)
        inside = outside.with_name("inside.json")
        place = json.loads(outside.read_text(encoding="utf-8"))
        inside.write_text(json.dumps({**place, "ip": f"{sandbox.WIRES}/k"}), encoding="utf-8")
        inside.chmod(0o600)
        if self.box.uid is not None:
            os.chown(inside, self.box.uid, self.box.uid)


def _last_line(log):
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return f"the kernel did not start: {lines[-1][:300] if lines else 'no reason was given'}"


def _size(msg):
    """About how many bytes a message holds: texts and buffers, however deep."""
    total, stack = 200, [msg["content"], msg.get("buffers")]
    while stack:
        part = stack.pop()
        if isinstance(part, dict):
            stack.extend(part.keys())
            stack.extend(part.values())
        elif isinstance(part, (list, tuple)):
            stack.extend(part)
        elif isinstance(part, (str, bytes)):
            total += len(part)
        elif isinstance(part, memoryview):
            total += part.nbytes
        else:
            total += 8
    return total


def _reason(error):
    name = type(error).__name__
    return "the kernel died" if name == "DeadKernelError" else f"the kernel broke off ({name})"


def _family(pid):
    """A process and all its descendants; inside the box all of them have the box as ancestor."""
    with contextlib.suppress(psutil.Error):
        first = psutil.Process(pid)
        return [first, *first.children(recursive=True)]
    return []


def _memory(pid):
    total = 0
    for process in _family(pid):
        with contextlib.suppress(psutil.Error):
            total += process.memory_info().rss
    return total


def _disk(folder):
    """Bytes of all files below a folder; a file counts as 4 kB at least."""
    total = 0
    for place, folders, names in os.walk(folder):
        total += 4096 * len(folders)
        for name in names:
            with contextlib.suppress(OSError):
                total += max(4096, os.lstat(os.path.join(place, name)).st_size)
    return total

"""How much time and space a submission may take."""

from dataclasses import dataclass

MB = 1 << 20


@dataclass(frozen=True)
class Limits:
    """Limits of one submission; the largest that an honest notebook of the course needs, times ten.

    Seconds: of one cell, after the interrupt until the kill, of the whole notebook.
    Bytes: memory of a process, memory of all processes, each of the scratch folders, one file,
    all outputs, one message, the notebook file, the files beside it.
    """

    cell_seconds: float = 30
    grace_seconds: float = 3
    total_seconds: float = 240
    process_memory: int = 2048 * MB
    address_space: int = 8192 * MB
    total_memory: int = 3072 * MB
    machine_memory: int = 512 * MB  # below this much free memory of the machine, stop
    scratch: int = 256 * MB
    shared_memory: int = 64 * MB
    file_size: int = 128 * MB
    output: int = 16 * MB
    message: int = 8 * MB
    processes: int = 96
    open_files: int = 512
    notebook: int = 16 * MB
    other_files: int = 32 * MB

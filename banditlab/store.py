"""Finished shards on disk: content address, atomic write, verification on every read.

A shard lies in a folder named by the digest of its cell's description, so a study that is repeated, extended or
resumed finds what is already there. A file is a line of JSON (format, checksum, channels, description), then the
arrays. It is written to a temporary file, synced and renamed, so that it is either whole or absent; a file that fails
its checksum is set aside with a warning and computed again.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import uuid
import warnings
from pathlib import Path
from typing import Any

import numpy as np

FORMAT = 1


class Store:
    """Shards below a folder, which is created when the first one is written.

    Parameters
    ----------
    folder : str or Path
        Several processes may share it.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)

    def folder_of(self, description: dict[str, Any]) -> Path:
        """Folder of the shards of the cell with this description (JSON-able)."""
        key = hashlib.sha256(_canonical(description)).hexdigest()
        return self.folder / key[:2] / key[2:40]

    def path(self, description: dict[str, Any], start: int, stop: int) -> Path:
        """File of replications start, ..., stop - 1 of a cell."""
        return self.folder_of(description) / f"{start}-{stop}.shard"

    def blocks(self, description: dict[str, Any]) -> set[tuple[int, int]]:
        """The blocks (start, stop) of a cell that have a file."""
        found = set()
        for path in self.folder_of(description).glob("*.shard"):
            start, _, stop = path.stem.partition("-")
            if start.isdigit() and stop.isdigit():
                found.add((int(start), int(stop)))
        return found

    def read(self, description: dict[str, Any], start: int, stop: int) -> dict[str, np.ndarray] | None:
        """A shard's channels, each (stop - start, C); None where there is no sound file."""
        path = self.path(description, start, stop)
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            return None
        try:
            head, body = data.split(b"\n", 1)
            header = json.loads(head)
            if header["format"] != FORMAT or header["sha256"] != hashlib.sha256(body).hexdigest():
                raise ValueError("checksum")
            if header["description"] != json.loads(_canonical(_shard(description, start, stop))):
                raise ValueError("description")
            stacked = np.lib.format.read_array(io.BytesIO(body), allow_pickle=False)
            return {name: stacked[i] for i, name in enumerate(header["channels"])}
        except (ValueError, KeyError, TypeError):
            aside = path.with_suffix(".damaged")
            with contextlib.suppress(OSError):
                os.replace(path, aside)
            warnings.warn(f"stored shard is damaged, set aside as {aside}, computed again", stacklevel=2)
            return None

    def write(self, description: dict[str, Any], start: int, stop: int, channels: dict[str, np.ndarray]) -> Path:
        """Store a shard's channels, each (stop - start, C), atomically; returns its file."""
        path = self.path(description, start, stop)
        names = sorted(channels)
        body = io.BytesIO()
        np.lib.format.write_array(body, np.stack([channels[name] for name in names]), version=(1, 0))
        header = {
            "format": FORMAT,
            "sha256": hashlib.sha256(body.getvalue()).hexdigest(),
            "channels": names,
            "description": _shard(description, start, stop),
        }
        write_atomically(path, _canonical(header) + b"\n" + body.getvalue())
        return path

    def check_writable(self) -> None:
        """Create the folder and write into it.

        Raises
        ------
        OSError
            In one line, where that fails.
        """
        probe = self.folder / f".probe-{uuid.uuid4().hex}"
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            probe.write_bytes(b"")
            probe.unlink()
        except OSError as error:
            raise OSError(f"store: {self.folder} cannot be written ({error.strerror})") from None


def write_atomically(path: Path, data: bytes) -> None:
    """Write a file so that after a crash it is whole or as before; creates its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}")  # unique among all machines that share the folder
    try:
        with open(temporary, "wb") as f:
            f.write(data)
            f.flush()
            os.fsync(f.fileno())
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise


def _shard(description: dict[str, Any], start: int, stop: int) -> dict[str, Any]:
    return {**description, "replications": [start, stop]}


def _canonical(value: dict[str, Any]) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=True).encode()

"""Finished shards on disk: content address, atomic write, verification on every read.

A shard lies in a folder named by the digest of its cell's description, so a study that is repeated, extended or
resumed finds what is already there. A file is a line of JSON (format, checksum, channels, description), then the
arrays. It is written to a temporary file, synced and renamed, so that it is either whole or absent; a file that fails
its checksum is set aside with a warning and computed again.

Any number of processes, on any number of machines, may write into one store. A shard's bytes follow from its
description, so that of two writers of the same shard it does not matter who is last; and what is renamed into place is
whole. Nothing here reads a clock, but `Store.prune`, which spares the temporary files of the last hour.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import time
import uuid
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

FORMAT = 1

SHARD, DAMAGED = ".shard", ".damaged"
"""Endings of files: shards, and what was set aside."""

SPARED = 3600.0
"""Seconds for which `Store.prune` spares temporary files: another process may be writing them."""


class Stored(NamedTuple):
    """A file of a store, as `Store.files` finds it."""

    path: Path
    size: int  # bytes
    header: dict[str, Any]  # empty where it is no sound shard
    fault: str  # why not; empty for a sound one


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
        return self.folder_of(description) / f"{start}-{stop}{SHARD}"

    def blocks(self, description: dict[str, Any]) -> set[tuple[int, int]]:
        """The blocks (start, stop) of a cell that have a file."""
        found = set()
        for path in self.folder_of(description).glob(f"*{SHARD}"):
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
            header, body = _opened(data)
            if header["description"] != json.loads(_canonical(_shard(description, start, stop))):
                raise ValueError("it is another shard's")
            stacked = np.lib.format.read_array(io.BytesIO(body), allow_pickle=False)
            return {name: stacked[i] for i, name in enumerate(header["channels"])}
        except (ValueError, KeyError, TypeError):
            aside = path.with_suffix(DAMAGED)
            with contextlib.suppress(OSError):
                os.replace(path, aside)
            warnings.warn(f"stored shard is damaged, set aside as {aside}, computed again", stacklevel=2)
            return None

    def write(
        self,
        description: dict[str, Any],
        start: int,
        stop: int,
        channels: dict[str, np.ndarray],
        about: dict[str, Any] | None = None,
    ) -> Path:
        """Store a shard's channels, each (stop - start, C), atomically; returns its file.

        Parameters
        ----------
        description : dict
            JSON-able, what the numbers depend on.
        start, stop : int
            Replications.
        channels : dict of arrays
        about : dict, optional
            For people: the problem and the algorithm in words, a function of the description.

        Raises
        ------
        OSError
            In one line, where it cannot be written, such as on a full disk; there is then no new file.
        """
        path = self.path(description, start, stop)
        names = sorted(channels)
        body = io.BytesIO()
        np.lib.format.write_array(body, np.stack([channels[name] for name in names]), version=(1, 0))
        header = {
            "format": FORMAT,
            "sha256": hashlib.sha256(body.getvalue()).hexdigest(),
            "channels": names,
            "description": _shard(description, start, stop),
            "about": about or {},
        }
        try:
            write_atomically(path, _canonical(header) + b"\n" + body.getvalue())
        except OSError as error:
            raise OSError(
                f"store: {self.folder} cannot be written ({error.strerror or error}); finished shards are kept, and "
                "the same call resumes from them"
            ) from error
        return path

    def files(self) -> Iterator[Stored]:
        """Every shard of the store, in order of its path, its checksum verified; and every file set aside."""
        for path in sorted(self.folder.glob("??/*/*")):
            if path.name.startswith(".") or path.suffix not in (SHARD, DAMAGED):
                continue
            try:
                data = path.read_bytes()
            except OSError as error:  # removed meanwhile, or unreadable
                yield Stored(path, 0, {}, error.strerror or str(error))
                continue
            if path.suffix == DAMAGED:
                yield Stored(path, len(data), {}, "set aside")
                continue
            try:
                header, _ = _opened(data)
                start, stop = header["description"]["replications"]
                description = {k: v for k, v in header["description"].items() if k != "replications"}
                if self.path(description, start, stop) != path:
                    raise ValueError("it is another shard's")
            except (ValueError, KeyError, TypeError) as error:
                yield Stored(path, len(data), {}, str(error) or "unreadable")
                continue
            yield Stored(path, len(data), header, "")

    def temporaries(self) -> list[Path]:
        """Files that some process left unfinished, or is about to finish."""
        return sorted(p for p in self.folder.glob("??/*/.*") if p.is_file())

    def prune(self, sources: str | None = None, *, pretend: bool = False) -> list[Stored]:
        """Remove damaged files and abandoned temporary ones, and on request the shards of other sources.

        Parameters
        ----------
        sources : str, optional
            Keep only shards that were computed by the sources of this digest; by default all sound ones.
        pretend : bool
            Remove nothing.

        Returns
        -------
        list of Stored
            What was removed, or would be.
        """
        found = [
            file
            for file in self.files()
            if file.fault or (sources is not None and file.header["description"].get("sources") != sources)
        ]
        for path in self.temporaries():
            with contextlib.suppress(OSError):  # its writer was faster
                stat = path.stat()
                if abs(time.time() - stat.st_mtime) > SPARED:
                    found.append(Stored(path, stat.st_size, {}, "unfinished"))
        if not pretend:
            for file in found:
                file.path.unlink(missing_ok=True)
                with contextlib.suppress(OSError):  # not empty yet
                    file.path.parent.rmdir()
                    file.path.parent.parent.rmdir()
        return found

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
    with contextlib.suppress(OSError):  # where the file system can, the rename outlasts a loss of power
        descriptor = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _opened(data: bytes) -> tuple[dict[str, Any], bytes]:
    """Header and body of a shard's file.

    Raises
    ------
    ValueError, KeyError, TypeError
        Where it is none, or its checksum differs.
    """
    head, _, body = data.partition(b"\n")
    header = json.loads(head)
    if header["format"] != FORMAT:
        raise ValueError(f"format {header['format']}, this version reads {FORMAT}")
    if header["sha256"] != hashlib.sha256(body).hexdigest():
        raise ValueError("checksum")
    return header, body


def _shard(description: dict[str, Any], start: int, stop: int) -> dict[str, Any]:
    return {**description, "replications": [start, stop]}


def _canonical(value: dict[str, Any]) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=True).encode()

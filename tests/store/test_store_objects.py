"""An object is there whole or not at all, once, and any change of it shows."""

import hashlib
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from huodang.store import FolderObjects, ObjectAlteredError, ObjectMissingError


@pytest.fixture
def objects(tmp_path: Path) -> FolderObjects:
    return FolderObjects(tmp_path / "objects")


def the_file(tmp_path: Path) -> Path:
    (path,) = (path for path in (tmp_path / "objects").rglob("*") if path.is_file())
    return path


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=5000))
def test_what_is_put_can_be_got_by_its_sha256(objects: FolderObjects, data: bytes) -> None:
    digest = objects.put(data)
    assert digest == hashlib.sha256(data).hexdigest()
    assert objects.has(digest)
    assert objects.get(digest) == data


def test_the_same_bytes_are_kept_once(objects: FolderObjects, tmp_path: Path) -> None:
    assert objects.put(b"a volume") == objects.put(b"a volume")
    assert the_file(tmp_path).read_bytes() == b"a volume"


@pytest.mark.parametrize("digest", ["0" * 64, "../../etc/passwd", "", "ABC"])
def test_what_is_not_there_is_missing(objects: FolderObjects, digest: str) -> None:
    with pytest.raises(ObjectMissingError):
        objects.get(digest)


def test_an_altered_object_is_an_error_on_every_use(objects: FolderObjects, tmp_path: Path) -> None:
    digest = objects.put(b"born in 1965")
    the_file(tmp_path).write_bytes(b"born in 1960")
    with pytest.raises(ObjectAlteredError):
        objects.get(digest)
    with pytest.raises(ObjectAlteredError):
        objects.put(b"born in 1965")


def test_a_write_that_fails_leaves_no_trace(
    objects: FolderObjects, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def disk_is_full(_handle: int) -> None:
        raise OSError(28, "no space left")

    monkeypatch.setattr(os, "fsync", disk_is_full)
    with pytest.raises(OSError, match="no space"):
        objects.put(b"too much")
    assert [path for path in (tmp_path / "objects").rglob("*") if path.is_file()] == []


def test_a_process_killed_while_writing_leaves_only_whole_objects(tmp_path: Path) -> None:
    program = """
import sys
from huodang.store import FolderObjects
objects = FolderObjects(sys.argv[1])
print("ready", flush=True)
number = 0
while True:
    objects.put(str(number).encode() * 20000)
    number += 1
"""
    folder = tmp_path / "objects"
    process = subprocess.Popen([sys.executable, "-c", program, str(folder)], stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    time.sleep(0.3)
    process.kill()
    process.wait()
    process.stdout.close()
    kept = [path.name for path in folder.rglob("*") if path.is_file() and not path.name.endswith(".part")]
    assert kept
    for digest in kept:
        FolderObjects(folder).get(digest)

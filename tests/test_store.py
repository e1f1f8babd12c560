"""The store: what is written is read back, and nothing unsound is."""

import os

import numpy as np
import pytest

from banditlab.store import Store, write_atomically

DESCRIPTION = {"problem": "abc", "rounds": 8, "seed": 0}
CHANNELS = {
    "regret": np.array([[1.0, 2.5], [0.5, 0.75]]),
    "pseudo_regret": np.array([[3.0, 4.0], [5.0, 6.0]]),
}


def test_a_shard_is_read_back_bit_for_bit(tmp_path):
    store = Store(tmp_path)
    store.write(DESCRIPTION, 0, 2, CHANNELS)
    found = store.read(DESCRIPTION, 0, 2)
    assert found is not None and set(found) == set(CHANNELS)
    for name, x in CHANNELS.items():
        assert found[name].tobytes() == x.tobytes()


def test_it_tells_which_blocks_it_has(tmp_path):
    store = Store(tmp_path)
    assert store.blocks(DESCRIPTION) == set()
    store.write(DESCRIPTION, 0, 2, CHANNELS)
    store.write(DESCRIPTION, 4, 6, CHANNELS)
    assert store.blocks(DESCRIPTION) == {(0, 2), (4, 6)} and store.blocks({**DESCRIPTION, "seed": 1}) == set()
    assert store.read(DESCRIPTION, 2, 4) is None


def test_another_description_finds_nothing(tmp_path):
    store = Store(tmp_path)
    store.write(DESCRIPTION, 0, 2, CHANNELS)
    assert store.read({**DESCRIPTION, "seed": 1}, 0, 2) is None


def test_the_file_has_the_same_bytes_each_time(tmp_path):
    a, b = Store(tmp_path / "a"), Store(tmp_path / "b")
    assert a.write(DESCRIPTION, 0, 2, CHANNELS).read_bytes() == b.write(DESCRIPTION, 0, 2, CHANNELS).read_bytes()


@pytest.mark.parametrize("damage", ["half", "empty", "flipped", "foreign", "another's"])
def test_a_damaged_file_is_set_aside_with_a_warning(tmp_path, damage):
    store = Store(tmp_path)
    path = store.write(DESCRIPTION, 0, 2, CHANNELS)
    data = path.read_bytes()
    if damage == "another's":  # a sound file under the wrong name
        data = store.write({**DESCRIPTION, "seed": 1}, 0, 2, CHANNELS).read_bytes()
    path.write_bytes(
        {
            "half": data[: len(data) // 2],
            "empty": b"",
            "flipped": data[:-1] + bytes([data[-1] ^ 1]),
            "foreign": b"{}\n",
            "another's": data,
        }[damage]
    )
    with pytest.warns(UserWarning, match="damaged, set aside"):
        assert store.read(DESCRIPTION, 0, 2) is None
    assert not path.exists() and path.with_suffix(".damaged").exists()
    store.write(DESCRIPTION, 0, 2, CHANNELS)
    assert store.read(DESCRIPTION, 0, 2) is not None


def test_a_failed_write_leaves_the_old_file_and_no_rubbish(tmp_path, monkeypatch):
    path = tmp_path / "f"
    write_atomically(path, b"old")

    def no_space(fd):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", no_space)
    with pytest.raises(OSError, match="No space"):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old" and [p.name for p in tmp_path.iterdir()] == ["f"]


def test_an_unwritable_folder_is_a_one_line_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match=r"store: .* cannot be written") as error:
        Store(tmp_path / "file" / "store").check_writable()
    assert "\n" not in str(error.value)

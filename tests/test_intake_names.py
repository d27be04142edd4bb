"""Names in zips and on disks, in any encoding: no student is split, merged or renamed."""

import json
import os
import struct
import subprocess
import sys
import zipfile
import zlib
from pathlib import Path

import pytest

from autograder.intake import files
from autograder.intake.encodings import decoded

CLASSES = {
    "cp932": [
        "表 雅彦",
        "能登 麻美子",
        "曽根崎 ソフィア",
        "佐藤 健",
    ],  # the second byte of 表, 能, 曽, ソ is 0x5C
    "euc_jp": ["佐藤 健", "鈴木 花子", "能登 麻美子"],
    "cp950": ["許大明", "許小美", "王大明", "許功蓋", "育成"],  # that of 許, 功, 蓋, 育 as well
    "gbk": ["王伟", "李娜", "张敏", "赵强"],
    "cp949": ["김민수", "이영희", "박지훈"],
    "cp866": ["Иванов Иван", "Петрова Мария", "Ёлкин Пётр"],
    "cp1251": ["Иванов Иван", "Петрова Мария", "Ёлкин Пётр"],
    "cp850": ["Jürgen Groß", "Zoë Ångström", "José Núñez", "João Simões"],
    "cp1252": ["Jürgen Groß", "Zoë Schäfer", "Jörg Böhm"],
    "cp852": ["Łukasz Wiśniewski", "Jiří Dvořák", "Győző Szűcs"],
    "cp1250": ["Łukasz Wiśniewski", "Paweł Dąbrowski", "Michał Wójcik"],
    "cp1253": ["Μαρία Νικολάου", "Ελένη Παπαδοπούλου"],
    "cp862": ["דוד כהן", "שרה לוי"],
    "cp1256": ["محمد علي", "فاطمة حسن"],
    "cp874": ["สมชาย ใจดี", "สุดา รักไทย"],
    "utf-8": ["許大明", "Zoë Ng", "محمد علي", "김민수"],
}


def written(path, names, *, system=3, extra=None):
    """A zip with a member for each raw name, none of them flagged as UTF-8."""
    places = [bytes([ord("A") + index]) * len(name) for index, name in enumerate(names)]
    with zipfile.ZipFile(path, "w") as archive:
        for index, place in enumerate(places):
            member = zipfile.ZipInfo(place.decode())
            member.create_system = system
            member.extra = extra[index] if extra else b""
            archive.writestr(member, b"{}")
    data = path.read_bytes()
    for place, name in zip(places, names, strict=True):
        assert len(place) == len(name) and data.count(place) == 2
        data = data.replace(place, name)
    path.write_bytes(data)
    return path


def opened(path):
    with files.opened(path) as entries:
        return list(entries)


@pytest.mark.parametrize("encoding", CLASSES)
def test_a_zip_is_decoded_before_it_is_split(tmp_path, encoding):
    names = CLASSES[encoding]
    raw = [f"{name}/gridworld.ipynb".encode(encoding) for name in names]
    entries = opened(written(tmp_path / "class.zip", raw))
    assert sorted(entry.parts for entry in entries) == sorted((name, "gridworld.ipynb") for name in names)
    assert not any(entry.problem for entry in entries)


@pytest.mark.parametrize("encoding", CLASSES)
def test_so_is_a_folder_that_was_unpacked_without_decoding(tmp_path, encoding):
    for name in CLASSES[encoding]:
        folder = os.path.join(os.fsencode(tmp_path), name.encode(encoding))
        os.mkdir(folder)
        with open(os.path.join(folder, b"gridworld.ipynb"), "wb") as file:
            file.write(b"{}")
    found = [entry for entry in opened(tmp_path) if not entry.is_folder]
    assert sorted(entry.parts[0] for entry in found) == sorted(CLASSES[encoding])
    assert [entry.read() for entry in found] == [b"{}"] * len(found)


def test_names_that_can_be_read_in_two_ways_are_in_doubt():
    names = decoded(["Gyõzõ Kovács".encode("cp1252"), "László Szabó".encode("cp1252")])
    assert names.doubt == "'Gyõzõ Kovács' or 'Győző Kovács'"
    assert not decoded([name.encode("cp950") for name in CLASSES["cp950"]]).doubt


def test_bytes_that_are_no_names_stay_distinct():
    names = decoded([b"\xff\xfe\x81", b"\xff\xfe\x82", b"ada"])
    assert len(set(names.texts)) == 3 and names.doubt
    damaged = decoded(["Zoë Ng".encode(), "Jörg".encode(), b"Jos\xe9"])
    assert damaged.texts == ("Zoë Ng", "Jörg", "Jos%E9")
    assert "".join(damaged.texts).encode()


def unicode_path(raw, name, crc=None):
    body = struct.pack("<BL", 1, zlib.crc32(raw) if crc is None else crc) + name.encode()
    return struct.pack("<HH", 0x7075, len(body)) + body


def test_the_unicode_path_wins_where_it_belongs_to_the_name(tmp_path):
    raw = [b"???/gridworld.ipynb", b"Jos\x82/gridworld.ipynb"]
    extra = [unicode_path(raw[0], "許大明/gridworld.ipynb"), unicode_path(raw[1], "evil/x.ipynb", crc=1)]
    entries = opened(written(tmp_path / "class.zip", raw, extra=extra))
    assert sorted(entry.parts[0] for entry in entries) == ["José", "許大明"]
    broken = [b"\x75\x70\x05\x00\x01\x00\x00\x00\x00", b"\x75\x70\x00\x00"]
    entries = opened(written(tmp_path / "broken.zip", raw, extra=broken))
    assert sorted(entry.parts[0] for entry in entries) == ["???", "José"]


def test_a_backslash_separates_in_a_zip_from_windows_and_is_a_character_elsewhere(tmp_path):
    names = [b"ada\\gridworld.ipynb", b"ben\\gridworld.ipynb"]
    for system in (0, 3):  # a zip from Windows, and one in which nothing else separates
        entries = opened(written(tmp_path / "class.zip", names, system=system))
        assert [entry.parts for entry in entries] == [("ada", "gridworld.ipynb"), ("ben", "gridworld.ipynb")]
    mixed = opened(written(tmp_path / "mixed.zip", [b"AC\\DC/gridworld.ipynb", b"ben/gridworld.ipynb"]))
    assert [entry.parts[0] for entry in mixed] == ["AC\\DC", "ben"]


@pytest.fixture
def latin1(tmp_path):
    """The environment of a locale that has no letters but those of Western Europe."""
    made = subprocess.run(
        ["localedef", "-i", "en_US", "-f", "ISO-8859-1", str(tmp_path / "en_US.ISO-8859-1")],
        capture_output=True,
    )
    if made.returncode:
        pytest.skip("localedef cannot make a locale here: the sources of locales are not installed")
    return os.environ | {"LOCPATH": str(tmp_path), "LC_ALL": "en_US.ISO-8859-1", "PYTHONUTF8": "0"}


def test_a_name_that_the_locale_cannot_print_costs_nobody_anything(tmp_path, latin1):
    notebook = (Path(__file__).parents[1] / "assignments/gridworld/gridworld.ipynb").read_bytes()
    with zipfile.ZipFile(tmp_path / "class.zip", "w") as archive:
        archive.writestr("王小明_101_2001_gridworld.ipynb", notebook)
        archive.writestr("exada_102_2002_gridworld.ipynb", notebook)

    def run(*arguments):
        command = [sys.executable, "-m", "autograder.cli", *arguments, "--out", str(tmp_path / "out")]
        done = subprocess.run(command, capture_output=True, env=latin1)
        assert done.returncode == 0, done.stderr
        return done.stdout.decode("latin-1")

    printed = run("grade", "gridworld", str(tmp_path / "class.zip"), "--jobs", "1")
    assert r"\u738b\u5c0f\u660e_101" in printed
    grades = json.loads((tmp_path / "out/gridworld/grades.json").read_bytes())
    assert [row["student"] for row in grades["submissions"]] == ["exada_102", "王小明_101"]
    run("feedback", "gridworld")
    run("export", "gridworld", "--format", "csv")
    assert "王小明_101" in os.listdir(tmp_path / "out" / "autograded")
    assert "王小明_101.html" in os.listdir(tmp_path / "out" / "gridworld" / "feedback")

"""The file of users, its hashes and the commands that change it."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from filelock import FileLock
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner, Result

from assistant import users
from assistant.errors import InputInvalid
from assistant.users import (
    Cost,
    Secret,
    Watched,
    add_user,
    check_name,
    check_password,
    find_readers,
    fits,
    hash_password,
    read_users,
    remove_user,
    stand_in,
)
from tests.conftest import ROOT
from tests.login_fakes import CHEAP, write_users

WORD = "一个足够长的密码"


def test_a_password_fits_its_own_hash_and_no_other_one() -> None:
    secret = hash_password(WORD, CHEAP)
    assert fits(WORD, secret)
    assert not fits(WORD + "!", secret)
    assert not fits("", secret)
    assert WORD not in secret.write()


def test_two_hashes_of_one_password_share_nothing() -> None:
    one, other = hash_password(WORD, CHEAP), hash_password(WORD, CHEAP)
    assert one.salt != other.salt
    assert one.digest != other.digest


def test_the_cost_of_today_is_as_strong_as_owasp_asks_and_stands_in_the_hash() -> None:
    cost = Cost()
    # the sheet's equivalents of N=2^17, r=8, p=1: half the memory for as much more parallel work
    assert (cost.log_n, cost.block, cost.lanes) in {(17, 8, 1), (16, 8, 2), (15, 8, 3), (14, 8, 5), (13, 8, 10)}
    written = Secret(cost, b"s" * 16, b"d" * 32).write()
    assert written.startswith(f"$scrypt$ln={cost.log_n},r=8,p={cost.lanes}$")


def test_the_cost_is_read_from_the_hash_and_not_from_the_program(tmp_path: Path) -> None:
    read = read_users(write_users(tmp_path / "u", {"a": WORD}))["a"]
    assert read.cost == CHEAP != Cost()
    assert fits(WORD, read)


def test_a_password_typed_in_full_width_is_the_same(tmp_path: Path) -> None:
    secret = hash_password("ABCdef123", CHEAP)
    assert fits("ＡＢＣｄｅｆ１２３", secret)


def test_nothing_fits_the_stand_in_and_it_costs_what_others_do() -> None:
    strange = stand_in({"a": hash_password(WORD, CHEAP)})
    assert strange.cost == CHEAP
    assert not fits(WORD, strange)
    assert stand_in({}).cost == Cost()


@given(st.text(max_size=30))
def test_any_password_can_be_hashed_and_checked(word: str) -> None:
    assert fits(word, hash_password(word, Cost(10, 1, 1)))


@pytest.fixture
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hash at a cost that tests can afford; what is stored with the hash says so."""
    dear = users.hash_password
    monkeypatch.setattr(users, "hash_password", lambda word: dear(word, CHEAP))


@pytest.mark.usefixtures("cheap")
def test_users_are_added_changed_and_removed(tmp_path: Path) -> None:
    file = tmp_path / "users"
    add_user(file, "甲", WORD)
    add_user(file, "bob@example.org", "another password")
    first = read_users(file)
    assert list(first) == ["甲", "bob@example.org"]
    add_user(file, "甲", "ein neues Passwort", change=True)
    second = read_users(file)
    assert second["甲"] != first["甲"]
    assert second["bob@example.org"] == first["bob@example.org"]
    assert fits("ein neues Passwort", second["甲"])
    remove_user(file, "甲")
    assert list(read_users(file)) == ["bob@example.org"]


@pytest.mark.usefixtures("cheap")
def test_the_file_is_for_its_owner_alone_and_never_half_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "users"
    add_user(file, "a", WORD)
    assert file.stat().st_mode & 0o777 == 0o600
    before = file.read_bytes()

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        add_user(file, "b", WORD)
    assert file.read_bytes() == before
    assert {each.name for each in tmp_path.iterdir()} <= {"users", "users.lock"}


@pytest.mark.usefixtures("cheap")
def test_many_commands_at_once_lose_nobody(tmp_path: Path) -> None:
    file = tmp_path / "users"
    threads = [threading.Thread(target=add_user, args=(file, f"user{n}", WORD)) for n in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(read_users(file)) == {f"user{n}" for n in range(12)}


@pytest.mark.usefixtures("cheap")
def test_a_command_that_waits_for_another_too_long_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(users, "_PATIENCE", 0.01)
    with FileLock(f"{tmp_path / 'users'}.lock"), pytest.raises(InputInvalid, match="正在修改"):
        add_user(tmp_path / "users", "a", WORD)


@pytest.mark.usefixtures("cheap")
def test_what_is_there_is_not_replaced_by_chance_and_what_is_not_is_not_changed(tmp_path: Path) -> None:
    file = write_users(tmp_path / "users", {"a": WORD})
    with pytest.raises(InputInvalid, match="--change"):
        add_user(file, "a", "another password")
    with pytest.raises(InputInvalid, match="没有用户 b"):
        add_user(file, "b", "another password", change=True)
    with pytest.raises(InputInvalid, match="没有用户 b"):
        remove_user(file, "b")
    assert fits(WORD, read_users(file)["a"])


GOOD = Secret(CHEAP, b"s" * 16, b"d" * 32).write()  # the same in each process, as it names the tests


@pytest.mark.parametrize(
    "line",
    [
        "no colon",
        "a:plain password",
        "a:$scrypt$ln=10,r=8,p=1$AAAA",
        "a:$scrypt$ln=30,r=8,p=1$" + "$".join(GOOD.split("$")[3:]),  # a terabyte for one login
        "a:$scrypt$ln=10,r=0,p=1$" + "$".join(GOOD.split("$")[3:]),
        "a:$bcrypt$ln=10,r=8,p=1$" + "$".join(GOOD.split("$")[3:]),
        "a b:" + GOOD,
        ":" + GOOD,
        "Ａ:" + GOOD,
        "known:" + GOOD,
    ],
)
def test_a_line_that_is_no_user_is_named_by_its_number(tmp_path: Path, line: str) -> None:
    file = tmp_path / "users"
    file.write_text(f"# comment\n\nknown:{GOOD}\n{line}\n", encoding="utf-8")
    with pytest.raises(InputInvalid, match=r"第 4 行.*line 4"):
        read_users(file)
    file.write_text(f"# comment\n\nknown:{GOOD}\r\nother:{GOOD}\n", encoding="utf-8")
    assert list(read_users(file)) == ["known", "other"]


def test_a_file_that_is_missing_or_no_text_is_said_in_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(InputInvalid, match="assistant user add"):
        read_users(tmp_path / "none")
    (tmp_path / "bytes").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputInvalid, match="UTF-8"):
        read_users(tmp_path / "bytes")
    with pytest.raises(InputInvalid, match="读不了"):
        read_users(tmp_path)


@pytest.mark.parametrize("name", ["", " ", "a b", "a:b", "#a", "a\nb", "长" * 65, "<b>", "a/b"])
def test_a_name_that_would_break_the_file_is_refused(name: str) -> None:
    with pytest.raises(InputInvalid, match="用户名"):
        check_name(name)


@pytest.mark.parametrize(
    ("typed", "name"), [("张三", "张三"), (" bob ", "bob"), ("ｂｏｂ", "bob"), ("a.b-c@d", "a.b-c@d")]
)
def test_a_name_is_the_same_however_it_is_typed(typed: str, name: str) -> None:
    assert check_name(typed) == name


@pytest.mark.parametrize("word", ["", "1234567", "x" * 257, "aaaaaaaaaa", "administrator"])
def test_a_password_that_is_too_short_too_long_or_a_gift_is_refused(word: str) -> None:
    with pytest.raises(InputInvalid, match="密码"):
        check_password(word, "Administrator")
    assert check_password("12345678", "Administrator") == "12345678"


def test_a_change_of_the_file_is_seen_and_a_broken_one_lets_nobody_in(tmp_path: Path) -> None:
    file = write_users(tmp_path / "users", {"a": WORD})
    watched = Watched(file)
    assert list(watched.read()) == ["a"]
    write_users(file, {"a": WORD, "b": WORD})
    assert list(watched.read()) == ["a", "b"]
    file.write_text("broken line\n", encoding="utf-8")
    for _ in range(2):
        with pytest.raises(InputInvalid, match="第 1 行"):
            watched.read()
    file.unlink()
    with pytest.raises(InputInvalid, match="没有用户文件"):
        watched.read()
    write_users(file, {"c": WORD})
    assert list(watched.read()) == ["c"]


def test_a_file_without_users_does_not_start_a_page_that_nobody_can_open(tmp_path: Path) -> None:
    (tmp_path / "users").write_text("# nobody\n", encoding="utf-8")
    with pytest.raises(InputInvalid, match="还没有用户"):
        Watched(tmp_path / "users")


def test_a_file_that_others_can_open_is_said(tmp_path: Path) -> None:
    file = write_users(tmp_path / "users")
    file.chmod(0o644)
    assert "chmod 600" in str(find_readers(file))
    file.chmod(0o600)
    assert find_readers(file) is None


def call(*arguments: str, given: str = "") -> Result:
    from assistant.cli import app

    return CliRunner().invoke(app, ["user", *arguments], input=given)


@pytest.mark.usefixtures("cheap")
def test_the_commands_add_list_change_and_remove(tmp_path: Path) -> None:
    file = str(tmp_path / "users")
    assert "已添加" in call("add", "甲", "--auth-file", file, "--password-stdin", given=f"{WORD}\n").output
    assert call("list", "--auth-file", file).output == "甲\n"
    changed = call("add", "甲", "--auth-file", file, "--change", "--password-stdin", given="ein neues Passwort\r\n")
    assert "已换密码" in changed.output
    assert fits("ein neues Passwort", read_users(tmp_path / "users")["甲"])
    assert "对话保留" in call("remove", "甲", "--auth-file", file).output
    assert call("list", "--auth-file", file).output == ""


def test_without_a_terminal_the_password_is_not_asked_for(tmp_path: Path) -> None:
    done = call("add", "甲", "--auth-file", str(tmp_path / "users"), given=f"{WORD}\n{WORD}\n")
    assert isinstance(done.exception, InputInvalid)
    assert "--password-stdin" in str(done.exception)


@pytest.mark.usefixtures("tmp_data")
def test_removing_a_user_with_the_history_leaves_other_peoples_conversations(tmp_path: Path, tmp_data: Path) -> None:
    from assistant.page.memory import Memory
    from assistant.users import name_owner
    from tests.page_fakes import FakeAssistant
    from tests.test_page_memory import talk_of

    memory = Memory(tmp_data)
    for name in ("a", "b"):
        talk_of(memory, FakeAssistant(), "问", owner=name_owner(name))
    file = write_users(tmp_path / "users", {"a": WORD, "b": WORD})
    assert "删除对话 1 个" in call("remove", "a", "--auth-file", str(file), "--history").output
    assert [len(memory.list(name_owner(name), "")) for name in ("a", "b")] == [0, 1]


@pytest.mark.parametrize(("again", "status"), [(WORD, 0), ("something else", 1)])
def test_in_a_terminal_the_password_is_asked_for_twice_and_not_shown(tmp_path: Path, again: str, status: int) -> None:
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "assistant", "user", "add", "甲", "--auth-file", str(tmp_path / "users")]
    process = subprocess.Popen(command, cwd=ROOT, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True)
    os.close(theirs)
    shown, typed = b"", [WORD, again]
    while typed:
        shown += os.read(ours, 1000)
        if len(re.findall(rb"(?:Password|Once more): ", shown)) > 2 - len(typed):
            os.write(ours, f"{typed.pop(0)}\n".encode())
    if status:  # it asks from the beginning; leaving is all right
        while b"not match" not in shown:
            shown += os.read(ours, 1000)
        process.kill()
        process.wait(20)
    else:
        assert process.wait(20) == 0
    os.close(ours)
    assert WORD.encode() not in shown
    assert (tmp_path / "users").exists() is (status == 0)

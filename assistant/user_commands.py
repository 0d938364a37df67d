"""``assistant user …``: who may log in to the page. Errors become words in ``assistant.cli``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from assistant.errors import InputInvalid
from assistant.settings import read_settings

user_app = typer.Typer(help="谁可以登录网页。 Who may log in to the page.", no_args_is_help=True)

AuthFile = Annotated[Path, typer.Option("--auth-file", help="用户文件。 The file of users.", dir_okay=False)]


@user_app.command("add")
def user_add(
    name: Annotated[str, typer.Argument(help="用户名。 The user's name.")],
    auth_file: AuthFile,
    change: Annotated[
        bool, typer.Option("--change", help="给已有的用户换密码。 A new password for a known user.")
    ] = False,
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="从标准输入读密码。 Read the password from standard input.")
    ] = False,
) -> None:
    """添加用户，或换密码。 Add a user, or set a new password."""
    from assistant.users import add_user, check_user

    known = check_user(auth_file, name, change=change)  # before anybody types a password for nothing
    if password_stdin:
        password = sys.stdin.readline().rstrip("\r\n")
    elif sys.stdin.isatty():
        password = typer.prompt("密码 Password", hide_input=True, confirmation_prompt="再输入一次 Once more")
    else:
        raise InputInvalid(
            "没有终端可输入密码，请用 --password-stdin。 There is no terminal to ask; use --password-stdin."
        )
    add_user(auth_file, known, password, change=change)
    typer.echo(
        f"用户 {known} 已{'换密码' if change else '添加'}。 {known}: {'password changed' if change else 'added'}."
    )


@user_app.command("list")
def user_list(auth_file: AuthFile) -> None:
    """列出用户。 List the users."""
    from assistant.users import read_users

    for name in read_users(auth_file):
        typer.echo(name)


@user_app.command("remove")
def user_remove(
    name: Annotated[str, typer.Argument(help="用户名。 The user's name.")],
    auth_file: AuthFile,
    history: Annotated[
        bool, typer.Option("--history", help="同时删除其对话。 Delete their conversations, too.")
    ] = False,
) -> None:
    """删除用户，其登录立即失效。 Remove a user; what they have open ends at once."""
    from assistant.conversations.history import History
    from assistant.users import clean_name, name_owner, remove_user

    remove_user(auth_file, name)
    gone = History(read_settings().data).delete(name_owner(clean_name(name))) if history else 0
    kept = (
        f"删除对话 {gone} 个。 {gone} conversations deleted."
        if history
        else "其对话保留。 Their conversations are kept."
    )
    typer.echo(f"用户 {name} 已删除。 {name}: removed. {kept}")

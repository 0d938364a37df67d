"""Command line in, exit status out: 0 done, 1 a problem of input or environment, 2 wrong usage, 3 a missed gate.

Only this module and the page turn errors into words. What a command needs is imported when it runs, so that ``--help`` is quick.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from assistant.errors import AssistantError, InputInvalid
from assistant.settings import Settings, read_settings
from assistant.user_commands import user_app
from vectorstore.errors import StoreError

if TYPE_CHECKING:
    from rich.console import Console

    from assistant.answer import Assistant
    from assistant.llm.download import Progress
    from assistant.llm.pull import Pulled
    from assistant.types import Turn

app = typer.Typer(
    name="assistant",
    help="就政策文件提问，每句回答都有出处并经过核对。 Ask about policy documents; every sentence is cited and checked.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
model_app = typer.Typer(help="由哪个语言模型回答。 Which language model answers.", no_args_is_help=True)
app.add_typer(model_app, name="model")

app.add_typer(user_app, name="user")

Paths = Annotated[
    list[Path] | None, typer.Argument(help="文件或文件夹，默认 seeds/。 Files or folders; seeds/ by default.")
]


def run() -> None:
    """Run a command; errors that a user can act on become one line on stderr, never a traceback."""
    try:
        app()
    except (AssistantError, StoreError) as error:
        _fail(str(error))
    except KeyboardInterrupt:
        sys.stderr.write("\n")
        raise SystemExit(130) from None
    except BrokenPipeError:
        sys.stderr.close()  # the reader of a pipe has gone, as with `| head`
        raise SystemExit(0) from None
    except OSError as error:
        where = f"：{error.filename}" if error.filename else ""
        _fail(
            f"操作系统报错{where}：{error.strerror}，请检查磁盘空间和权限。 The system says: {error.strerror}; check space and rights."
        )


def _fail(message: str) -> None:
    sys.stderr.write(f"{message}\n")
    raise SystemExit(1)


def _console() -> Console:
    from rich.console import Console

    return Console(soft_wrap=True)


def _note(message: str) -> None:
    sys.stderr.write(f"{message}\n")


@app.command()
def index(
    paths: Paths = None,
    skip_unreadable: Annotated[
        bool, typer.Option("--skip-unreadable", help="跳过读不了的文件。 Skip files that cannot be read.")
    ] = False,
) -> None:
    """建立检索索引，列出各部分及其标签和理由。 Build the search index; lists sections with labels and reasons."""
    from assistant.library.amend import index_given
    from assistant.terminal import show_report

    settings = read_settings()
    given = list(paths or [settings.seeds])
    report, notes = index_given(given, settings.data, settings.embedder, skip_unreadable=skip_unreadable)
    show_report(_console(), report)
    for note in notes:
        _note(note)


@app.command()
def ask(
    question: Annotated[str, typer.Argument(help="问题。 The question.")],
    as_json: Annotated[bool, typer.Option("--json", help="以 JSON 输出。 Print JSON.")] = False,
    history: Annotated[
        Path | None, typer.Option(help="此前的对话(JSON)。 The conversation before, as JSON.", show_default=False)
    ] = None,
) -> None:
    """回答一个问题。 Answer one question."""
    turns = read_history(history) if history else ()
    with _assistant(read_settings()) as assistant:
        answer = assistant.ask(question, turns)
    if as_json:
        typer.echo(json.dumps(answer.to_json(), ensure_ascii=False, indent=2))
    else:
        from assistant.terminal import show_answer

        show_answer(_console(), answer)


@app.command()
def chat() -> None:
    """在终端里对话；Ctrl-C 停止当前回答。 Talk in the terminal; Ctrl-C stops the answer, not the program."""
    from assistant.chat import talk

    with _assistant(read_settings()) as assistant:
        talk(assistant, _console())


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="地址。 Address.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="端口。 Port.", min=1, max=65535)] = 7860,
    auth_file: Annotated[
        Path | None, typer.Option(help="用户文件，需要登录。 File of users: everybody logs in.", show_default=False)
    ] = None,
    trusted_host: Annotated[
        list[str] | None, typer.Option(help="允许的主机名。 A host name by which the page may be called.")
    ] = None,
    trusted_proxy: Annotated[
        list[str] | None, typer.Option(help="可信的反向代理地址。 Address of a proxy whose X-Forwarded-* count.")
    ] = None,
    allow_model_change: Annotated[
        bool, typer.Option("--allow-model-change", help="登录的人可以换模型。 Who logs in may change the model.")
    ] = False,
) -> None:
    """打开网页。 Serve the web page."""
    from assistant.page.reach import Reach, check_reach
    from assistant.users import Watched, find_readers

    reach = Reach(host, port, tuple(trusted_host or ()), tuple(trusted_proxy or ()))
    users = Watched(auth_file) if auth_file else None
    for warning in (check_reach(reach, login=users is not None), find_readers(auth_file) if auth_file else None):
        if warning:
            _note(warning)

    from assistant.evaluation.background import Evaluations
    from assistant.evaluation.bench import measure_running
    from assistant.library.background import Builder
    from assistant.open import open_models
    from assistant.page.app import serve as serve_page

    settings = read_settings()
    with _assistant(settings) as assistant:
        serve_page(
            assistant,
            home=settings.data,
            evaluations=Evaluations(
                Path("reports"), settings.seeds / "questions.jsonl", lambda: measure_running(assistant)
            ),
            builder=Builder(settings.data, settings.embedder, lambda: assistant.index),
            models=open_models(settings, assistant.held, may_change=users is None or allow_model_change),
            users=users,
            reach=reach,
            on_ready=lambda address: typer.echo(f"网页已就绪：{address}  按 Ctrl-C 结束。 Ready; Ctrl-C ends it."),
        )


@app.command("eval")
def evaluate(
    questions: Annotated[
        Path | None, typer.Option(help="题目文件(JSON Lines、CSV、Excel、SQuAD)。 Question file.", show_default=False)
    ] = None,
    out: Annotated[Path | None, typer.Option(help="结果文件夹。 Folder for the results.", show_default=False)] = None,
    baseline: Annotated[
        Path | None, typer.Option(help="与此前一次比较。 Folder of a run to compare with.", show_default=False)
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="接着做完。 Go on with a stopped run.")] = False,
    jobs: Annotated[int, typer.Option(help="同时问几题。 Questions under way at once.", min=1)] = 1,
    file_format: Annotated[str, typer.Option("--format", help="auto | squad")] = "auto",
    corpus: Annotated[str, typer.Option(help="SQuAD: own | all")] = "all",
    template: Annotated[
        Path | None, typer.Option(help="写一份题目模板。 Write a question template and end.", show_default=False)
    ] = None,
    review: Annotated[
        bool, typer.Option("--review", help="逐条审阅用户反馈，收入 --questions。 Review feedback into --questions.")
    ] = False,
    min_correct: Annotated[float | None, typer.Option(min=0, max=1, show_default=False)] = None,
    min_key_points: Annotated[float | None, typer.Option(min=0, max=1, show_default=False)] = None,
    min_citation_recall: Annotated[float | None, typer.Option(min=0, max=1, show_default=False)] = None,
    min_citation_precision: Annotated[float | None, typer.Option(min=0, max=1, show_default=False)] = None,
    min_support: Annotated[float | None, typer.Option(min=0, max=1, show_default=False)] = None,
    min_valid_citations: Annotated[float | None, typer.Option(min=0, max=1, show_default=False)] = None,
    min_leakage: Annotated[float | None, typer.Option(min=0, max=1, show_default=False)] = None,
    min_refusal: Annotated[float | None, typer.Option(min=0, max=1, show_default=False)] = None,
) -> None:
    """批量评测：回答对了多少。 Batch evaluation: how often is it right? Status 3 where a --min-… was missed."""
    from assistant.evaluation.evaluate import Order
    from assistant.evaluation.measure import measure, review_feedback, write_questions

    if template is not None:
        typer.echo(write_questions(template))
        return
    if review:
        typer.echo(review_feedback(read_settings(), questions))
        return
    asked = {
        "correct": min_correct,
        "key_points": min_key_points,
        "citation_recall": min_citation_recall,
        "citation_precision": min_citation_precision,
        "support": min_support,
        "valid_citations": min_valid_citations,
        "leakage": min_leakage,
        "refusal": min_refusal,
    }
    minimums = {name: least for name, least in asked.items() if least is not None}
    order = Order(questions, out, baseline, resume, minimums, jobs, file_format, corpus)
    outcome = measure(read_settings(), order)
    typer.echo(outcome.text)
    raise typer.Exit(outcome.status)


@model_app.command("list")
def model_list() -> None:
    """列出可用的和可下载的模型。 List the models that are there and those that can be fetched."""
    from assistant.llm.shelf import list_shelf

    for line in list_shelf(read_settings().data):
        typer.echo(line)


@model_app.command("pull")
def model_pull(
    name: Annotated[str, typer.Argument(help="model list 里的名称。 A name of `model list`.")],
    source: Annotated[str, typer.Option(help="hf | hf-mirror | modelscope | 地址 address")] = "hf",
) -> None:
    """下载一个模型；中断后再运行会接着下载。 Fetch a model; run it again to go on after a break."""
    from assistant.llm.pull import describe, pull

    settings = read_settings()
    on_terminal = sys.stderr.isatty()

    def report(progress: Progress) -> None:
        if on_terminal:
            sys.stderr.write(f"\r\x1b[K{name}  {describe(progress)}")
            sys.stderr.flush()

    _note(f"{name} ← {source}")
    try:
        pulled = pull(name, settings.data, source=source, endpoint=settings.hub, report=report)
    except KeyboardInterrupt:
        _note("\n已暂停，下载的部分已保留；再运行一次会接着下载。 Paused; what came is kept, run it again to go on.")
        raise
    finally:
        if on_terminal:
            sys.stderr.write("\n")
    typer.echo(_tell_pulled(pulled))


def _tell_pulled(pulled: Pulled) -> str:
    from assistant.llm.offers import Use

    told = [f"{pulled.offer.name}:{pulled.path}  sha256 {pulled.sha256}"]
    if not pulled.verified:
        told.append(
            "此前不知道这个文件的校验和，已记下上面这个，以后按它核对；请与发布页对照。 Its checksum was not known before; the one "
            "above is recorded and held against from now on. Compare it with the publisher's page."
        )
    following = {
        Use.INSTRUCT: f"下一步 next: assistant model use {pulled.offer.name}",
        Use.EMBEDDING: f"下一步 next: ASSISTANT_EMBEDDER={pulled.path} assistant index",
        Use.RERANKER: "本程序尚不使用重排模型。 This program does not use a reranker yet.",
    }
    return "\n".join([*told, following[pulled.offer.kind]])


@model_app.command("use")
def model_use(
    name: Annotated[str, typer.Argument(help="名称或 GGUF 文件。 A name, or a GGUF file.")],
    template: Annotated[
        str | None, typer.Option(help="对话模板。 Chat template, where it cannot be told from the file.")
    ] = None,
) -> None:
    """选择模型。 Choose the model."""
    from assistant.llm.catalog import use_model

    spec = use_model(read_settings().data, name, template)
    typer.echo(f"现在由 {spec.name}({spec.quantization})回答。 {spec.name} answers from now on. sha256 {spec.sha256}")


@model_app.command("verify")
def model_verify() -> None:
    """核对模型文件的校验和。 Check the model file against its checksum."""
    from assistant.llm.catalog import current_model, verify_model

    spec = current_model(read_settings().data)
    verify_model(spec)  # in full: this is what the command is for
    typer.echo(f"{spec.name}：文件完整。 The file is what it should be. sha256 {spec.sha256}")


@app.command()
def doctor() -> None:
    """检查安装、索引和模型。 Check the installation, the index and the model."""
    from assistant.doctor import examine

    healthy = True
    for finding in examine(read_settings()):
        healthy &= finding.healthy
        typer.echo(f"{finding.mark} {finding.text}")
    raise typer.Exit(0 if healthy else 1)


def read_history(path: Path) -> tuple[Turn, ...]:
    """Read a conversation: a JSON list of ``{"role": "user" | "assistant", "content": "…"}``, oldest first."""
    from assistant.types import Role, Turn

    form = '[{"role": "user", "content": "…"}, {"role": "assistant", "content": "…"}]'
    try:
        data: Any = json.loads(path.read_text(encoding="utf-8-sig"))
        return tuple(Turn(Role(turn["role"]), str(turn["content"])) for turn in data)
    except OSError as error:
        raise InputInvalid(f"读不了 {path}：{error.strerror}。 {path} cannot be read.") from error
    except (ValueError, KeyError, TypeError) as error:
        raise InputInvalid(f"{path} 不是对话记录，应为 {form}。 {path} is not a conversation of that form.") from error


@contextmanager
def _assistant(settings: Settings) -> Iterator[Assistant]:
    from assistant.open import open_assistant

    assistant = open_assistant(settings, on_build=lambda: _note("正在建立索引… Building the index…"))
    try:
        yield assistant
    finally:
        assistant.close()

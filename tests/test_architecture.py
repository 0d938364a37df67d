"""Which module may know what. Each rule reads the source; a planted violation of each is found, so none is asleep.

The rules speak of packages and of names with wildcards, so that modules may come and go.
"""

from __future__ import annotations

import ast
import json
import re
import sys
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatch
from functools import cached_property
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = (
    "prompts",
    "vectorstore",
    "assistant",
)  # each may import those before it, except that the store knows no words
NEIGHBOURS = ("tests", "benchmarks", "training", "scripts")  # beside the product; it never imports them

# The stages of an answer, each with those that it may know. What joins them stands above them, in `assistant` itself.
STAGES: Mapping[str, frozenset[str]] = {
    "reading": frozenset(),
    "question": frozenset({"reading"}),
    "checking": frozenset({"reading"}),
    "finding": frozenset({"reading", "question"}),
    "writing": frozenset({"reading", "question", "checking"}),
    "answering": frozenset({"reading", "question", "checking", "finding", "writing"}),
}
BELOW_THE_STAGES = frozenset({"errors", "llm", "types"})  # modules of `assistant` that every stage may know

# A framework is known to the modules that adapt it and to no other.
_PAGE = ("assistant.page", "assistant.page.*")
_TERMINAL = (
    "assistant.__main__",
    "assistant.chat",
    "assistant.cli",
    "assistant.evaluation.measure",
    "assistant.terminal",
    "assistant.user_commands",
)
HOMES: Mapping[str, tuple[str, ...]] = {
    "bm25s": ("vectorstore.lexical",),
    "chromadb": ("vectorstore.dense",),
    "click": _TERMINAL,
    "fastapi": _PAGE,
    "gradio": _PAGE,
    "langchain": ("assistant.langchain", "assistant.writing.prompt"),
    "langchain_core": ("assistant.langchain", "assistant.writing.prompt"),
    "llama_cpp": ("assistant.llm.worker", "vectorstore.gguf_embed"),
    "pydantic": ("assistant.langchain",),
    "rich": _TERMINAL,
    "starlette": _PAGE,
    "typer": _TERMINAL,
    "uvicorn": _PAGE,
}
EVERYWHERE = frozenset({"filelock", "numpy"})
# They load code or gigabytes, or run what they read.
FORBIDDEN = frozenset(
    {"cloudpickle", "dill", "joblib", "marshal", "pickle", "shelve", "torch", "transformers"}
    | {"langchain_classic", "langchain_community"}
)
# They take long to import; `assistant --help` needs none of them.
HEAVY = frozenset(
    {"bm25s", "chromadb", "fastapi", "gradio", "langchain", "langchain_core", "llama_cpp"}
    | {"opencc", "openpyxl", "pydantic", "rjieba", "uvicorn"}
)
# The last two only say how the threads of llama.cpp are to wait, which has to be said before it is loaded.
READERS_OF_THE_ENVIRONMENT = frozenset({"assistant.environment", "assistant.settings", *HOMES["llama_cpp"]})
VAGUE_NAMES = frozenset({"base", "common", "core", "helper", "helpers", "manager", "misc", "service", "util", "utils"})

LONGEST_MODULE = 400
LONGEST_FUNCTION = 60


@dataclass(frozen=True)
class Import:
    """One imported name."""

    target: str  # a module, dotted
    line: int
    lazy: bool  # inside a function
    typing: bool  # under TYPE_CHECKING, so never run


@dataclass(frozen=True)
class Module:
    """One source file of the product."""

    name: str
    text: str
    siblings: frozenset[str]  # the names of all modules of the product

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text)

    @cached_property
    def imports(self) -> tuple[Import, ...]:
        return tuple(self._find_imports(self.tree, lazy=False, typing=False))

    def _find_imports(self, node: ast.AST, *, lazy: bool, typing: bool) -> Iterator[Import]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.Import):
                yield from (Import(alias.name, child.lineno, lazy, typing) for alias in child.names)
            elif isinstance(child, ast.ImportFrom):
                yield from (Import(target, child.lineno, lazy, typing) for target in self._targets(child))
            else:
                inside = lazy or isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
                for_types = typing or (isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test))
                yield from self._find_imports(child, lazy=inside, typing=for_types)

    def _targets(self, statement: ast.ImportFrom) -> Iterator[str]:
        base = statement.module or ""
        if statement.level:
            package = self.name.split(".")[: -statement.level] if self.name not in PACKAGES else [self.name]
            base = ".".join([*package, base] if base else package)
        for alias in statement.names:
            whole = f"{base}.{alias.name}"
            yield whole if whole in self.siblings else base


Product = Mapping[str, Module]
Rule = Callable[[Product], Iterable[str]]


def read_product() -> Product:
    """Read all modules of the product."""
    files = [file for package in PACKAGES for file in (ROOT / package).rglob("*.py") if "__pycache__" not in file.parts]
    return parse_product({_dotted(file.relative_to(ROOT)): file.read_text(encoding="utf-8") for file in files})


def parse_product(sources: Mapping[str, str]) -> Product:
    """Make modules of names and sources."""
    return {name: Module(name, text, frozenset(sources)) for name, text in sources.items()}


def _dotted(path: Path) -> str:
    parts = path.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def top(name: str) -> str:
    """Give the top-level package of a dotted name."""
    return name.split(".")[0]


def keep_layers(product: Product) -> Iterator[str]:
    """The store knows neither prompts nor the assistant, the prompts know nobody, and nobody knows the neighbours."""
    allowed = {"prompts": {"prompts"}, "vectorstore": {"vectorstore"}, "assistant": set(PACKAGES)}
    for module in product.values():
        for found in module.imports:
            package = top(found.target)
            if package in NEIGHBOURS or (package in PACKAGES and package not in allowed[top(module.name)]):
                yield f"{module.name}:{found.line} imports {found.target}, which its layer must not know"


def keep_stages(product: Product) -> Iterator[str]:
    """A stage knows the stages before it, and nothing of what joins them or shows their work."""
    for module in product.values():
        stage = _part(module.name)
        for found in module.imports if stage in STAGES else ():
            other = _part(found.target)
            if top(found.target) == "assistant" and other not in STAGES[stage] | BELOW_THE_STAGES | {stage}:
                yield f"{module.name}:{found.line} imports {found.target}, which is no stage before {stage}"


def _part(name: str) -> str:
    return (name + ".").split(".")[1] if top(name) == "assistant" else ""


def keep_frameworks_at_home(product: Product) -> Iterator[str]:
    """A framework with a home is imported there only; any other third-party package by one module only."""
    users: dict[str, set[str]] = {}
    for module in product.values():
        for found in module.imports:
            package = top(found.target)
            if package in PACKAGES or package in sys.stdlib_module_names or package in EVERYWHERE:
                continue
            users.setdefault(package, set()).add(module.name)
            if package in HOMES and not any(fnmatch(module.name, home) for home in HOMES[package]):
                yield f"{module.name}:{found.line} imports {found.target}; only {', '.join(HOMES[package])} may"
    for package, names in users.items():
        if package not in HOMES and len(names) > 1:
            yield f"{', '.join(sorted(names))} all import {package}; put it behind one of them"


def forbid_dangerous_packages(product: Product) -> Iterator[str]:
    """Nothing that runs what it reads, and no training library."""
    for module in product.values():
        for found in module.imports:
            if top(found.target) in FORBIDDEN:
                yield f"{module.name}:{found.line} imports {found.target}, which no product code may"


def declare_dependencies(product: Product) -> Iterator[str]:
    """What is imported is asked for in pyproject.toml, and not had by chance through something else."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    declared = {
        re.split(r"[^A-Za-z0-9_.-]", d)[0].lower().replace("-", "_") for d in settings["project"]["dependencies"]
    }
    declared |= {"llama_cpp"} if "llama_cpp_python" in declared else set()
    declared |= {"langchain_core"} if "langchain" in declared else set()  # what langchain itself is made of
    for module in product.values():
        for package in sorted({top(found.target) for found in module.imports}):
            ours = package in PACKAGES or package in NEIGHBOURS or package == "__future__"
            if not ours and package not in sys.stdlib_module_names and package not in declared:
                yield f"{module.name} imports {package}, which pyproject.toml does not ask for"


def have_no_cycles(product: Product) -> Iterator[str]:
    """No module imports itself by way of others; neither lazily nor for its types alone."""
    graph = {name: {f.target for f in module.imports if f.target in product} for name, module in product.items()}
    done: set[str] = set()

    def walk(name: str, path: tuple[str, ...]) -> Iterator[str]:
        if name in path:
            yield "cycle: " + " -> ".join([*path[path.index(name) :], name])
        elif name not in done:
            for target in sorted(graph[name]):
                yield from walk(target, (*path, name))
            done.add(name)

    for name in sorted(graph):
        yield from walk(name, ())


def start_cheaply(product: Product) -> Iterator[str]:
    """What the command line imports before it knows the command reaches no heavy package."""
    waiting = [(name, (name,)) for name in ("assistant.__main__", "assistant.cli") if name in product]
    seen = set()
    while waiting:
        name, path = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        for found in product[name].imports:
            if found.lazy or found.typing:
                continue
            if top(found.target) in HEAVY:
                yield f"{' -> '.join(path)} imports {found.target} at its top; import it where it is used"
            if found.target in product:
                waiting.append((found.target, (*path, found.target)))


def read_environment_at_the_edge(product: Product) -> Iterator[str]:
    """Only the modules at the edge read environment variables."""
    for module in product.values():
        if module.name in READERS_OF_THE_ENVIRONMENT:
            continue
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Attribute) and node.attr in {"environ", "getenv", "putenv"}:
                yield f"{module.name}:{node.lineno} reads the environment; take the value as an argument"


def stay_small(product: Product) -> Iterator[str]:
    """Modules and functions stay short enough to be read at once."""
    for module in product.values():
        lines = module.text.count("\n")
        if lines > LONGEST_MODULE:
            yield f"{module.name} has {lines} lines; at most {LONGEST_MODULE}"
        for node in ast.walk(module.tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = (node.end_lineno or node.lineno) - node.lineno + 1
                if length > LONGEST_FUNCTION:
                    yield f"{module.name}.{node.name} has {length} lines; at most {LONGEST_FUNCTION}"


def explain_public_names(product: Product) -> Iterator[str]:
    """Every module and every public class, function and method says what it is for."""
    for module in product.values():
        if not ast.get_docstring(module.tree):
            yield f"{module.name} has no docstring"
        yield from _unexplained(module.name, module.tree)


def _unexplained(owner: str, node: ast.Module | ast.ClassDef) -> Iterator[str]:
    for child in node.body:
        if isinstance(child, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and not child.name.startswith("_"):
            overload = any("overload" in ast.unparse(decorator) for decorator in child.decorator_list)
            if not overload and not ast.get_docstring(child):
                yield f"{owner}.{child.name} has no docstring"
            if isinstance(child, ast.ClassDef):
                yield from _unexplained(f"{owner}.{child.name}", child)


def name_modules_for_what_they_do(product: Product) -> Iterator[str]:
    """No module is a place for what has no place."""
    for name in product:
        if VAGUE_NAMES & set(re.split(r"[._]", name)):
            yield f"{name} does not say what it does"


RULES: tuple[Rule, ...] = (
    keep_layers,
    keep_stages,
    keep_frameworks_at_home,
    forbid_dangerous_packages,
    declare_dependencies,
    have_no_cycles,
    start_cheaply,
    read_environment_at_the_edge,
    stay_small,
    explain_public_names,
    name_modules_for_what_they_do,
)


@pytest.fixture(scope="module")
def product() -> Product:
    return read_product()


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_product_keeps_the_rule(rule: Rule, product: Product) -> None:
    assert list(rule(product)) == []


def test_the_rules_see_the_whole_product(product: Product) -> None:
    assert {"assistant.__main__", "assistant.types", "vectorstore.types", "prompts"} <= set(product)
    assert sum(len(module.imports) for module in product.values()) > 50


PLANTED: tuple[tuple[Rule, Mapping[str, str], str], ...] = (
    (keep_layers, {"vectorstore.build": "from assistant.types import Turn"}, "vectorstore.build:1 imports assistant"),
    (keep_layers, {"vectorstore.build": "def f():\n    import prompts"}, "imports prompts"),
    (keep_layers, {"vectorstore.build": "from importlib import resources\nfrom ..assistant import x"}, "assistant"),
    (keep_layers, {"assistant.answer": "from tests.fakes import FakeEngine"}, "imports tests.fakes"),
    (
        keep_stages,
        {"assistant.reading.pairs": "from assistant.finding.gate import decide"},
        "is no stage before reading",
    ),
    (keep_stages, {"assistant.answering.say": "from assistant.answer import Assistant"}, "imports assistant.answer"),
    (keep_frameworks_at_home, {"assistant.answer": "import llama_cpp.llama_grammar"}, "only assistant.llm.worker"),
    (
        keep_frameworks_at_home,
        {"assistant.view.conversation": "def f():\n    import gradio as gr"},
        "only assistant.page",
    ),
    (keep_frameworks_at_home, {"assistant.a": "import yaml", "assistant.b": "import yaml"}, "all import yaml"),
    (forbid_dangerous_packages, {"vectorstore.codec": "import pickle"}, "vectorstore.codec:1 imports pickle"),
    (forbid_dangerous_packages, {"assistant.llm.reader": "def f():\n    from torch import nn"}, "imports torch"),
    (declare_dependencies, {"assistant.fetch": "import aiohttp"}, "assistant.fetch imports aiohttp"),
    (have_no_cycles, {"assistant.a": "import assistant.b", "assistant.b": "import assistant.a"}, "a -> assistant.b"),
    (
        have_no_cycles,
        {"assistant.a": "from assistant import b", "assistant.b": "def f():\n    from assistant.a import g"},
        "assistant.b -> assistant.a",
    ),
    (
        start_cheaply,
        {"assistant.cli": "import assistant.view.conversation", "assistant.view.conversation": "import gradio"},
        "assistant.view.conversation",
    ),
    (
        read_environment_at_the_edge,
        {"assistant.finding.gate": "import os\nx = os.environ['GATE']"},
        "assistant.finding.gate:2",
    ),
    (stay_small, {"assistant.answer": "\n" * 401}, "401 lines"),
    (stay_small, {"assistant.answer": "def run():\n" + "    x = 1\n" * 60}, "assistant.answer.run has 61 lines"),
    (explain_public_names, {"assistant.answer": '"""Docs."""\ndef run():\n    pass'}, "assistant.answer.run has no"),
    (explain_public_names, {"assistant.answer": "x = 1"}, "assistant.answer has no docstring"),
    (name_modules_for_what_they_do, {"assistant.text_utils": ""}, "assistant.text_utils"),
)


@pytest.mark.parametrize(("rule", "sources", "complaint"), PLANTED, ids=lambda value: getattr(value, "__name__", ""))
def test_a_planted_violation_is_found(rule: Rule, sources: Mapping[str, str], complaint: str) -> None:
    found = list(rule(parse_product(sources)))
    assert any(complaint in text for text in found), found


ALLOWED: tuple[tuple[Rule, Mapping[str, str]], ...] = (
    (keep_layers, {"assistant.answer": "from vectorstore.types import Hit\nimport prompts"}),
    (keep_stages, {"assistant.answering.say": "from assistant.checking.check import check\nimport vectorstore.types"}),
    (keep_stages, {"assistant.answer": "from assistant.answering import say"}),
    (keep_frameworks_at_home, {"assistant.page.talk": "import gradio", "assistant.page.app": "import gradio"}),
    (have_no_cycles, {"assistant": "", "assistant.a": "from assistant import b", "assistant.b": "import assistant"}),
    (
        start_cheaply,
        {"assistant.cli": "def serve():\n    import assistant.page.app", "assistant.page.app": "import gradio"},
    ),
    (read_environment_at_the_edge, {"assistant.settings": "import os\nx = os.environ['DATA']"}),
    (stay_small, {"assistant.answer": "def run():\n" + "    x = 1\n" * 59}),
    (explain_public_names, {"assistant.answer": '"""Docs."""\ndef _run():\n    pass'}),
)


@pytest.mark.parametrize(("rule", "sources"), ALLOWED, ids=lambda value: getattr(value, "__name__", ""))
def test_what_is_allowed_is_not_complained_about(rule: Rule, sources: Mapping[str, str]) -> None:
    assert list(rule(parse_product(sources))) == []


def find_remembered(text: str, seeds: Mapping[str, str], questions: Iterable[str]) -> set[str]:
    """Give what a text holds of the seeds: a file's name, a whole question, or eight characters in a row."""
    names = {name for name in seeds if Path(name).stem in text}
    runs = {run for seed in seeds.values() for run in _runs(seed)}
    return names | {question for question in questions if question in text} | (set(_runs(text)) & runs)


def _runs(text: str, length: int = 8) -> Iterator[str]:
    for stretch in re.findall(r"[0-9\u4e00-\u9fff]+", text):
        yield from (stretch[i : i + length] for i in range(len(stretch) - length + 1))


def read_seeds() -> tuple[Mapping[str, str], frozenset[str]]:
    """Read the documents by their names, and what is asked about them."""
    seeds = {file.name: file.read_text(encoding="utf-8") for file in (ROOT / "seeds").glob("*.txt")}
    rows = [json.loads(line) for line in (ROOT / "seeds" / "questions.jsonl").read_text(encoding="utf-8").splitlines()]
    return seeds, frozenset(turn for row in rows for turn in row["turns"] if len(turn) >= 6)


def test_neither_code_nor_prompts_know_the_documents_or_the_questions_that_measure_them() -> None:
    seeds, questions = read_seeds()
    files = [file for package in PACKAGES for suffix in ("*.py", "*.toml") for file in (ROOT / package).rglob(suffix)]
    remembered = {file.name: find_remembered(file.read_text(encoding="utf-8"), seeds, questions) for file in files}
    assert {name: found for name, found in remembered.items() if found} == {}


def test_a_remembered_document_or_question_is_found() -> None:
    seeds, questions = read_seeds()
    name, seed = next(iter(seeds.items()))
    stretch = next(_runs(seed, 12))
    assert find_remembered(f"if source == {name!r}:", seeds, questions)
    assert find_remembered(f"例如“{stretch}”", seeds, questions)
    assert find_remembered(f"if text == {next(iter(questions))!r}:", seeds, questions)
    assert not find_remembered("本市今年将修缮三十七处老旧码头的护栏", seeds, questions)

"""Labelled questions in, a table out: this program beside the plain way that tutorials teach, scored alike.

The plain way: LangChain's recursive splitter with its defaults (500 characters, 50 overlapping), Chroma over the same embedder as ours,
the four nearest chunks, and

- ``best chunk``: no generator; the nearest chunk is the answer and its own citation. It never refuses.
- ``four chunks``: the same with all four: an upper bound for the key points that any generator could take from them.
- ``stuff prompt``: the chunks and the conversation in one prompt, free text from the same GGUF, citing the chunks that it was given.
  Only with ``--model`` and an instruct GGUF, or a server of ``ASSISTANT_LLM_URL``; the bundled reader does not write.

Where the plain way has no answer of its own, it is given the kinder one: a chunk has the labels of the part that most of it stands in,
a follow-up is searched for together with the turns before it (with a chat model: as the model rewrites it, as tutorials do), and any
of the usual words for not knowing counts as a refusal. What was asked for is read by our own stage, for the score alone.

``.venv/bin/python benchmarks/peers.py [--questions FILE] [--model GGUF] [--embedder GGUF] [--limit N] [--out DIR] [--json]``
"""

from __future__ import annotations

from assistant.environment import make_offline

make_offline()  # before LangChain and Chroma are imported

import argparse  # noqa: E402
import json  # noqa: E402
import sys  # noqa: E402
import tempfile  # noqa: E402
from collections import Counter  # noqa: E402
from collections.abc import Iterator, Mapping, Sequence  # noqa: E402
from contextlib import ExitStack, contextmanager  # noqa: E402
from dataclasses import dataclass, replace  # noqa: E402
from pathlib import Path  # noqa: E402
from time import perf_counter  # noqa: E402
from typing import Any, Protocol, cast  # noqa: E402

import chromadb  # noqa: E402
from chromadb.config import Settings as ChromaSettings  # noqa: E402
from langchain_text_splitters import RecursiveCharacterTextSplitter  # noqa: E402

from assistant.answer import Assistant  # noqa: E402
from assistant.checking.check import check_claim  # noqa: E402
from assistant.errors import AssistantError  # noqa: E402
from assistant.evaluation.bench import open_bench  # noqa: E402
from assistant.evaluation.evaluate import run_evaluation  # noqa: E402
from assistant.evaluation.questions import check_evidence, read_questions  # noqa: E402
from assistant.evaluation.results import RESULTS, read_results  # noqa: E402
from assistant.evaluation.run import Answerer, Bench, Progress  # noqa: E402
from assistant.evaluation.score import Sample  # noqa: E402
from assistant.evaluation.statistics import Mean, estimate_mean  # noqa: E402
from assistant.evaluation.summary import Summary, compare_runs  # noqa: E402
from assistant.llm.catalog import Form, use_model  # noqa: E402
from assistant.llm.engine import LanguageModel  # noqa: E402
from assistant.llm.template import apply_template  # noqa: E402
from assistant.open import open_model  # noqa: E402
from assistant.question.follow import understand  # noqa: E402
from assistant.question.understand import Corpus, describe_corpus  # noqa: E402
from assistant.settings import Settings, read_settings  # noqa: E402
from assistant.types import Answer, Citation, Claim, Question, Refusal, Role, Seconds, Turn  # noqa: E402
from vectorstore.embed import embed_query, open_embedder  # noqa: E402
from vectorstore.errors import StoreError  # noqa: E402
from vectorstore.types import Embedder, Labels, ParsedDocument, Sentence  # noqa: E402

CHUNK, OVERLAP, TOP = 500, 50, 4
OURS = "this program"
_MEASURES = ("correct", "key_points", "citation_precision", "citation_recall", "support", "leakage")
_TOKENS = 256

# Word for word in the spirit of the tutorials: what there is, then the question, and leave to say that one does not know.
_SYSTEM = "你是问答助手。根据下面的资料回答问题。如果资料里没有答案，就说不知道，不要编造。回答要简洁。"
_PROMPT = "资料：\n{context}\n\n{conversation}问题：{question}\n回答："
_REWRITE = "把最后一个问题改写成不看对话也能读懂的问题，不要回答，只写改写后的问题。"
_UNKNOWING = (
    "不知道",
    "没有提到",
    "没有提及",
    "未提及",
    "未提到",
    "无法回答",
    "没有相关",
    "无法确定",
    "没有答案",
    "don't know",
)


class Generator(Protocol):
    """What writes on after a prompt."""

    def write(self, system: str, user: str) -> str:
        """Give the whole text."""
        ...


@dataclass(frozen=True, slots=True)
class Writer:
    """An instruct GGUF in llama.cpp, greedy, without a grammar."""

    engine: LanguageModel
    template: str

    def write(self, system: str, user: str) -> str:
        """Give the whole text."""
        return "".join(self.engine.generate(apply_template(self.template, system, user), max_tokens=_TOKENS)).strip()


class Chunks:
    """The documents in chunks of a fixed length, in Chroma."""

    def __init__(self, documents: Sequence[ParsedDocument], embedder: Embedder, folder: Path) -> None:
        self._embedder = embedder
        self._chunks = [chunk for parsed in documents for chunk in cut(parsed)]
        self._client: Any = chromadb.PersistentClient(str(folder), settings=ChromaSettings(anonymized_telemetry=False))
        self._collection = self._client.create_collection("chunks", embedding_function=None)
        self._collection.add(
            ids=[str(n) for n in range(len(self._chunks))],
            embeddings=embedder.embed([chunk.quote for chunk in self._chunks]),
        )

    def find(self, text: str, count: int) -> list[Sentence]:
        """Give the nearest chunks, nearest first."""
        found = self._collection.query(query_embeddings=[cast(Any, embed_query(self._embedder, text))], n_results=count)
        return [self._chunks[int(name)] for name in found["ids"][0]]

    def close(self) -> None:
        """Let go of the files."""
        self._client.close()


def cut(parsed: ParsedDocument) -> list[Sentence]:
    """Cut a document as tutorials do; a chunk has the labels of the part that most of it stands in."""
    splitter = RecursiveCharacterTextSplitter(chunk_size=CHUNK, chunk_overlap=OVERLAP, add_start_index=True)
    source = parsed.document.source
    chunks: list[Sentence] = []
    for piece in splitter.create_documents([parsed.document.text]):
        start, text = piece.metadata["start_index"], piece.page_content
        labels = _label(parsed, start, start + len(text))
        chunks.append(Sentence(source, start, start + len(text), text, text, 0, 0, labels))
    return chunks


def _label(parsed: ParsedDocument, start: int, end: int) -> Labels:
    shares: Counter[Labels] = Counter()
    for sentence in parsed.sentences:
        shares[sentence.labels] += max(0, min(end, sentence.end) - max(start, sentence.start))
    return shares.most_common(1)[0][0] if shares.total() else Labels()


@dataclass(frozen=True, slots=True)
class Peer:
    """Answers in the plain way. Without a writer the chunks themselves are the answer."""

    chunks: Chunks
    corpus: Corpus
    bench: Bench  # for what an answer says of model and index
    count: int = TOP
    writer: Generator | None = None

    def ask(self, question: str, history: Sequence[Turn] = ()) -> Answer:
        """Answer the question."""
        started = perf_counter()
        found = self.chunks.find(self._query(question, history), self.count)
        retrieved = perf_counter()
        text = self.writer.write(_SYSTEM, _fill(found, question, history)) if self.writer else None
        done = perf_counter()
        seconds = Seconds(retrieve=retrieved - started, generate=done - retrieved, total=done - started)
        asked = understand(question, history, self.corpus)  # for the score alone, so not on the clock
        citations = tuple(Citation(n, chunk, chunk.source) for n, chunk in enumerate(found, 1))
        if text is not None and is_unknowing(text):
            return self._make(asked, text, (), (), seconds, Refusal.NOT_IN_CORPUS)
        said = [(text, citations)] if text is not None else [(c.sentence.quote, (c,)) for c in citations]
        claims = tuple(_claim(words, cited) for words, cited in said)
        marked = [words + "".join(f"[{c.n}]" for c in cited) for words, cited in said]
        return self._make(asked, "\n".join(marked), claims, citations, seconds, None)

    def _query(self, question: str, history: Sequence[Turn]) -> str:
        """A follow-up alone finds nothing: tutorials let the model rewrite it; without one, the turns before are searched for too."""
        if not history:
            return question
        if self.writer is None:
            return "\n".join([*(turn.content for turn in history if turn.role is Role.USER), question])
        return self.writer.write(_REWRITE, f"{_converse(history)}问题：{question}")

    def _make(
        self,
        asked: Question,
        text: str,
        claims: tuple[Claim, ...],
        citations: tuple[Citation, ...],
        seconds: Seconds,
        refusal: Refusal | None,
    ) -> Answer:
        facts = self.bench.facts
        return Answer(asked, text, claims, citations, facts.model, facts.index, refusal, seconds=seconds)


def _claim(text: str, cited: Sequence[Citation]) -> Claim:
    finding = check_claim(text, [citation.sentence for citation in cited])
    return Claim(text, finding.verdict, finding.reason, tuple(citation.n for citation in cited))


def _fill(found: Sequence[Sentence], question: str, history: Sequence[Turn]) -> str:
    context = "\n\n".join(chunk.quote for chunk in found)
    return _PROMPT.format(context=context, conversation=_converse(history), question=question)


def _converse(history: Sequence[Turn]) -> str:
    names = {Role.USER: "用户", Role.ASSISTANT: "助手"}
    lines = [f"{names[turn.role]}：{turn.content}" for turn in history]
    return "对话：\n" + "\n".join(lines) + "\n\n" if lines else ""


def is_unknowing(text: str) -> bool:
    """Whether a text says, in its first sentence, that it does not know; an empty one does too."""
    first = text.split("。")[0].casefold()
    return not first.strip() or any(words in first for words in _UNKNOWING)


@dataclass(frozen=True, slots=True)
class Measured:
    """What came of one way."""

    name: str
    summary: Summary
    answerable: Mean  # correct, over the questions that the documents answer: what refusing everything else cannot win
    against_ours: Mapping[str, Mean]  # paired, question by question; empty for ours itself

    def to_json(self) -> dict[str, Any]:
        """Give the public form."""
        differences = {name: mean.to_json() for name, mean in self.against_ours.items()}
        answerable = self.answerable.to_json()
        return {
            "name": self.name,
            **self.summary.to_json(),
            "correct_answerable": answerable,
            "against_ours": differences,
        }


@contextmanager
def open_ways(settings: Settings) -> Iterator[tuple[Bench, dict[str, Answerer]]]:
    """Open this program and its peers over the same documents and the same model, ours first."""
    with ExitStack() as stack:
        bench = stack.enter_context(open_bench(settings, None))
        if not isinstance(bench.answerer, Assistant):
            raise TypeError(f"ours is an Assistant, not {type(bench.answerer).__name__}")
        documents = bench.answerer.documents
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="peers-")))
        chunks = Chunks(documents, open_embedder(settings.embedder), folder)
        stack.callback(chunks.close)
        corpus = describe_corpus(documents)
        ways: dict[str, Answerer] = {
            OURS: bench.answerer,
            "best chunk": Peer(chunks, corpus, bench, count=1),
            "four chunks": Peer(chunks, corpus, bench),
        }
        if bench.answerer.model.form is Form.INSTRUCT:
            spec, engine = open_model(settings)
            stack.callback(engine.close)
            ways["stuff prompt"] = Peer(chunks, corpus, bench, writer=Writer(engine, spec.template or "chatml"))
        yield bench, ways


def measure_ways(settings: Settings, questions: Path, out: Path, limit: int | None = None) -> list[Measured]:
    """Ask every way every question, one way after the other; what came of each lies below ``out``."""
    samples = read_questions(questions)[:limit]
    measured: list[Measured] = []
    with open_ways(settings) as (bench, ways):
        check_evidence(samples, bench.corpus, questions.name)
        for name, way in ways.items():
            folder = out / name.replace(" ", "-")
            summary = _measure(name, way, samples, bench, folder)
            results, ours = read_results(folder / RESULTS), read_results(out / OURS.replace(" ", "-") / RESULTS)
            against = {} if name == OURS else compare_runs(ours, results, name).differences
            answerable = {sample.id for sample in samples if sample.answerable}
            correct = estimate_mean([result.correct for result in results if result.id in answerable])
            measured.append(Measured(name, summary, correct, against))
            if not summary.complete:  # Ctrl-C
                break
    return measured


def _measure(name: str, way: Answerer, samples: Sequence[Sample], bench: Bench, folder: Path) -> Summary:
    def show(reached: Progress) -> None:
        if sys.stderr.isatty():
            sys.stderr.write(f"\r{name}: {reached.done} / {reached.total}\033[K")

    summary = run_evaluation(samples, way, folder, facts=bench.facts, corpus=bench.corpus, on_result=show)
    if sys.stderr.isatty():
        sys.stderr.write("\n")
    return summary


def as_table(measured: Sequence[Measured]) -> str:
    """Give a Markdown table, a row for each measure, with 95% intervals; and how far ours is ahead, question by question."""
    head = ["", *(one.name for one in measured)]
    rows = [[name, *(_show(one.summary.all.scores[name]) for one in measured)] for name in _MEASURES]
    rows.insert(1, ["correct, of the answerable", *(_show(one.answerable) for one in measured)])
    groups = [one.summary.all for one in measured]
    rows.append(["false answers", *(f"{g.false_answers.count} of {g.false_answers.of}" for g in groups)])
    rows.append(["false refusals", *(f"{g.false_refusals.count} of {g.false_refusals.of}" for g in groups)])
    rows.append(["answer, characters", *(_show(g.scores["answer_characters"], 0) for g in groups)])
    rows.append(["seconds, median", *("—" if g.p50 is None else f"{g.p50:.3f}" for g in groups)])
    rows.append(["ours ahead in correct by", *(_show(o.against_ours.get("correct", Mean(None, 0))) for o in measured)])
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def _show(mean: Mean, digits: int = 2) -> str:
    if mean.value is None:
        return "—"
    interval = "" if mean.low is None else f" [{mean.low:.{digits}f}, {mean.high:.{digits}f}]"
    return f"{mean.value:.{digits}f}{interval}"


def main() -> int:
    """Measure and print; 1 where something cannot be used."""
    parser = argparse.ArgumentParser(description="Compare this program with the plain way, on labelled questions.")
    parser.add_argument("--questions", type=Path, default=Settings().seeds / "questions.jsonl")
    parser.add_argument("--model", help="an instruct GGUF for all ways; the bundled reader where it is not given")
    parser.add_argument("--template", help="its chat template, where it cannot be told from the file")
    parser.add_argument("--embedder", help="an embedding GGUF for all ways; ours where it is not given")
    parser.add_argument("--limit", type=int, help="only so many questions")
    parser.add_argument("--out", type=Path, help="keep the reports of all ways there")
    parser.add_argument("--json", action="store_true", help="machine-readable")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="peers-") as scratch:
        data = Path(scratch) / "data"  # an index and a choice of model of its own; the user's stay as they are
        settings = replace(read_settings(), data=data)
        if options.embedder:
            settings = replace(settings, embedder=options.embedder)
        try:
            if options.model:
                use_model(data, options.model, options.template)
            measured = measure_ways(settings, options.questions, options.out or Path(scratch) / "out", options.limit)
        except (AssistantError, StoreError) as error:
            sys.stderr.write(f"{error}\n")
            return 1
    text = json.dumps([one.to_json() for one in measured], ensure_ascii=False, indent=1) + "\n"
    sys.stdout.write(text if options.json else as_table(measured) + _describe(measured[0].summary))
    return 0


def _describe(ours: Summary) -> str:
    """Say what was run, below the table."""
    model, index = ours.run.model, ours.run.index
    return f"\n{ours.all.n} questions, model {model.name} {model.quantization}, index {index.generation}\n"


if __name__ == "__main__":
    sys.exit(main())

"""Parsed documents -> a new current generation.

Embed, write, check, publish. Nothing is current until all of it is whole.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Sequence
from hashlib import sha256
from pathlib import Path

import numpy as np

from vectorstore import dense, generation
from vectorstore.alike import embed_texts, find_alike, group_alike
from vectorstore.codec import parsed_to_json
from vectorstore.dense import DenseIndex
from vectorstore.errors import EmbedderUnusable, SourceUnreadable
from vectorstore.index import ALIKE, DENSE, DOCUMENTS, LEXICAL, VECTORS, Index, choose_canary, finds_itself
from vectorstore.lexical import LexicalIndex
from vectorstore.types import BuildReport, Embedder, Manifest, ParsedDocument, Sentence, Vectors

Progress = Callable[[str, int, int], None]
"""Told of a stage ("read", "embed", "write", "check"), how many steps of it are done, and of how many."""

_UNIT = 1e-3  # how far from 1 the length of a vector may be


def write_parsed(
    parsed: Sequence[ParsedDocument],
    *,
    data: Path,
    embedder: Embedder,
    progress: Progress,
    skipped: tuple[tuple[str, str], ...] = (),
    began: float | None = None,
) -> BuildReport:
    """Write and publish a generation, while holding the right to write; the documents are kept ordered by name.

    Raises ``SourceUnreadable`` where there is nothing to search or two documents have one name, ``EmbedderUnusable``
    where what the embedder gives is no vector.
    """
    began = time.perf_counter() if began is None else began
    documents = tuple(sorted(parsed, key=lambda p: p.document.source))
    sentences = [sentence for p in documents for sentence in p.sentences]
    _check_documents(documents, sentences)
    corpus = hash_corpus(documents)
    vectors = _embed_all(embedder, [s.plain for s in sentences], progress)
    directory = generation.begin(data, corpus)
    try:
        canary = _write_parts(directory, documents, sentences, vectors, progress)
        pointer = generation.finish(directory, _describe(directory, corpus, documents, sentences, canary, embedder))
        progress("check", 0, 1)
        Index.open_generation(data, pointer, embedder).close()
    except BaseException:
        generation.remove(directory)
        raise
    generation.publish(data, pointer)
    progress("check", 1, 1)
    return BuildReport(
        manifest=generation.read_manifest(data, pointer),
        documents=documents,
        skipped=skipped,
        seconds=time.perf_counter() - began,
    )


def _describe(
    directory: Path,
    corpus: str,
    documents: Sequence[ParsedDocument],
    sentences: Sequence[Sentence],
    canary: Sentence,
    embedder: Embedder,
) -> Manifest:
    return Manifest(
        generation=directory.name,
        program=generation.PROGRAM,
        chromadb=dense.VERSION,
        embedder=embedder.name,
        dimensions=embedder.dimensions,
        corpus_sha256=corpus,
        documents=len(documents),
        sections=sum(len(p.sections) for p in documents),
        sentences=len(sentences),
        files=generation.list_files(directory),
        canary=canary.id,
    )


def hash_corpus(documents: Sequence[ParsedDocument]) -> str:
    """Give the SHA-256 of the names and contents of all files.

    Of the lines that ``sha256sum`` prints, in the order of the names.
    """
    lines = sorted((p.document.source, p.document.sha256) for p in documents)
    return sha256("".join(f"{digest}  {source}\n" for source, digest in lines).encode()).hexdigest()


def _check_documents(documents: Sequence[ParsedDocument], sentences: Sequence[Sentence]) -> None:
    for source, times in Counter(p.document.source for p in documents).items():
        if times > 1:
            raise SourceUnreadable(
                f"有 {times} 份文件同名：{source}。请改名，或给出它们共同的上级文件夹。 "
                f"{times} files are called {source}; rename them, or give the folder that holds them all."
            )
    if not sentences:
        raise SourceUnreadable(
            "给出的文件里没有可检索的句子。请检查文件内容。 "
            "The given files hold no sentence to search; check what is in them."
        )
    if len({s.id for s in sentences}) != len(sentences):
        twice = next(name for name, times in Counter(s.id for s in sentences).items() if times > 1)
        raise ValueError(f"two sentences have the place {twice}")


def _embed_all(embedder: Embedder, texts: Sequence[str], progress: Progress) -> Vectors:
    vectors = embed_texts(embedder, texts, lambda done, of: progress("embed", done, of))
    lengths = np.linalg.norm(vectors, axis=1)
    if not (np.abs(lengths - 1.0) < _UNIT).all():  # a NaN fails this as well
        raise EmbedderUnusable(
            f"向量模型 {embedder.name} 给出了无效的向量。请换一个模型。 "
            f"The embedder {embedder.name} gives vectors that are not of unit length; use another one."
        )
    return vectors


def _write_parts(
    directory: Path,
    documents: Sequence[ParsedDocument],
    sentences: Sequence[Sentence],
    vectors: Vectors,
    progress: Progress,
) -> Sentence:
    """Write all files but the manifest, and give the canary."""
    progress("write", 0, 3)
    with (directory / DOCUMENTS).open("wb") as lines:
        for parsed in documents:
            lines.write(json.dumps(parsed_to_json(parsed), ensure_ascii=False).encode() + b"\n")
    alike = find_alike(vectors)
    np.save(directory / VECTORS, vectors, allow_pickle=False)
    np.save(directory / ALIKE, alike, allow_pickle=False)
    progress("write", 1, 3)
    LexicalIndex.build([s.plain for s in sentences]).save(directory / LEXICAL)
    progress("write", 2, 3)
    groups = [[sentences[p] for p in group] for group in group_alike(alike).values()]
    canary = _write_dense(directory / DENSE, groups, vectors[np.unique(alike)])
    progress("write", 3, 3)
    return canary


def _write_dense(directory: Path, groups: Sequence[Sequence[Sentence]], vectors: Vectors) -> Sentence:
    """Enter every vector once, under the first of the sentences that share it; give the canary."""
    index = DenseIndex.create(directory)
    try:
        firsts = [group[0] for group in groups]
        index.add([s.id for s in firsts], vectors, groups)
        return firsts[choose_canary(firsts, vectors, lambda position: finds_itself(index, vectors[position]))]
    finally:
        index.close()

"""The Python interface: in memory, over the index, and every example of its page."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from assistant import Assistant
from assistant.errors import InputInvalid
from assistant.types import Role, Turn
from tests.answer_fakes import FakeEngine
from tests.conftest import ROOT
from tests.test_answer import READER
from vectorstore.embed import HashingEmbedder
from vectorstore.errors import SourceUnreadable
from vectorstore.index import Index
from vectorstore.memory import MemoryIndex
from vectorstore.types import Scope

PLAN = "2024年主要任务\n\n上海将新建公园120座,新增绿地1000公顷。\n新建1万个电动汽车公共充电桩。\n"
QUERIES = ("新建公园", "公共充电桩", "低碳城市试点", "绿色贸易", "海上风电", "water", "推动", "")


@pytest.fixture(scope="module")
def over_seeds(seed_index: Index) -> MemoryIndex:
    return MemoryIndex(seed_index.documents, HashingEmbedder())


def test_a_search_in_memory_finds_what_the_index_on_disk_finds(seed_index: Index, over_seeds: MemoryIndex) -> None:
    for query in QUERIES:
        for scope in (Scope(), Scope(regions=frozenset({"上海"})), Scope(years=frozenset({2023}))):
            here, there = over_seeds.search(query, 10, scope), seed_index.search(query, 10, scope)
            assert [hit.sentence.id for hit in here] == [hit.sentence.id for hit in there], (query, scope)
            assert [hit.score for hit in here] == pytest.approx([hit.score for hit in there])
    for term in ("公园", "充电桩", "没有的词"):
        assert over_seeds.holds(term) == seed_index.holds(term)
        assert over_seeds.rarity(term) == seed_index.rarity(term)


def test_the_manifest_in_memory_names_the_same_corpus(seed_index: Index, over_seeds: MemoryIndex) -> None:
    assert over_seeds.manifest.corpus_sha256 == seed_index.manifest.corpus_sha256
    assert over_seeds.manifest.sentences == seed_index.manifest.sentences
    assert over_seeds.sentence(seed_index.sentences[3].id) == seed_index.sentences[3]
    with pytest.raises(KeyError):
        over_seeds.sentence("none")


def test_the_answer_in_memory_is_the_answer_over_the_index(seed_index: Index, over_seeds: MemoryIndex) -> None:
    for question in ("上海2024年新建公园多少座？", "江苏2024年有哪些绿色贸易任务？", "火星有什么？"):
        here, there = (Assistant(index, READER, FakeEngine()).ask(question) for index in (over_seeds, seed_index))
        assert here.text == there.text and here.citations == there.citations


def test_texts_files_and_names_become_sources(tmp_path: Path) -> None:
    file = tmp_path / "b.txt"
    file.write_text(PLAN, encoding="utf-8")
    with Assistant.over([PLAN, file]) as assistant:
        assert {p.document.source for p in assistant.documents} == {"text-1", "b.txt"}
        named = Assistant.over({"甲": PLAN, "乙": file}, model=assistant)
        assert {p.document.source for p in named.documents} == {"甲", "乙"}
        with_folder = Assistant.over([tmp_path], model=assistant)
        assert {p.document.source for p in with_folder.documents} == {"b.txt"}
    assert sorted(p.name for p in tmp_path.iterdir()) == ["b.txt"]


def test_what_a_person_corrected_beside_the_files_counts_in_memory_too(tmp_path: Path) -> None:
    (tmp_path / "b.txt").write_text(PLAN, encoding="utf-8")
    with Assistant.over([tmp_path]) as assistant:
        (before,) = assistant.documents
        facts = '["b.txt"]\ntitle = "某市计划"\n[["b.txt".correct]]\nafter = "2024年主要任务"\nyear = 2023\n'
        (tmp_path / "sources.toml").write_text(facts, encoding="utf-8")
        for given in ([tmp_path], [tmp_path / "b.txt"], {"甲": tmp_path / "b.txt"}):
            (after,) = Assistant.over(given, model=assistant).documents
            assert after.document.title == "某市计划" != before.document.title
            assert {s.labels.year for s in after.sentences} == {2023} != {s.labels.year for s in before.sentences}


def test_what_cannot_be_searched_is_said(tmp_path: Path) -> None:
    file = tmp_path / "b.txt"
    file.write_text(PLAN, encoding="utf-8")
    with pytest.raises(InputInvalid, match="Path"):
        Assistant.over([str(file)])
    with pytest.raises(InputInvalid, match="list"):
        Assistant.over(PLAN)
    with pytest.raises(SourceUnreadable):
        Assistant.over([""])
    with pytest.raises(SourceUnreadable):
        Assistant.over([])
    with pytest.raises(SourceUnreadable, match=r"b\.txt"):
        Assistant.over([file, tmp_path / "." / "b.txt", file])
    with pytest.raises(SourceUnreadable):
        Assistant.over([tmp_path / "gone.txt"])


def test_a_shared_model_outlives_those_who_borrow_it(over_seeds: MemoryIndex) -> None:
    class Counting(FakeEngine):
        closed = 0

        def close(self) -> None:
            self.closed += 1

    engine = Counting()
    owner = Assistant(over_seeds, READER, engine)
    with Assistant.over([PLAN], model=owner) as borrower:
        assert borrower.ask("上海新建公园多少座？").citations
    assert engine.closed == 0
    owner.close()
    assert engine.closed == 1


def test_a_conversation_may_be_turns_or_dictionaries(over_seeds: MemoryIndex) -> None:
    assistant = Assistant(over_seeds, READER, FakeEngine())
    turns = [Turn(Role.USER, "上海2024年要新建多少公共充电桩？"), Turn(Role.ASSISTANT, "1万个。")]
    said = [{"role": turn.role.value, "content": turn.content} for turn in turns]
    assert assistant.ask("那公园呢？", turns).text == assistant.ask("那公园呢？", said).text
    for wrong in ({"role": "system", "content": "x"}, {"content": "x"}, "x"):
        with pytest.raises(InputInvalid, match="role"):
            assistant.ask("那公园呢？", [wrong])


def test_the_interface_is_imported_only_when_it_is_asked_for() -> None:
    code = "import sys, assistant\nprint('assistant.api' in sys.modules)\nassistant.Assistant\nprint('chromadb' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.split() == ["False", "False"]
    with pytest.raises(ImportError):
        from assistant import Nonesuch  # noqa: F401


def test_nothing_is_written_while_documents_in_memory_are_asked(tmp_path: Path) -> None:
    data = tmp_path / "data"
    code = (
        "from assistant import Assistant\n"
        f"with Assistant.over([{PLAN!r}]) as assistant:\n    print(assistant.ask('上海新建公园多少座？').text)"
    )
    environment = {**os.environ, "ASSISTANT_DATA": str(data), "TMPDIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT, env=environment
    )
    assert done.stdout.startswith("120座。")
    assert not data.exists()


def examples(page: str) -> str:
    return "\n".join(
        re.findall(r"^```python\n(.*?)^```", (ROOT / "docs" / page).read_text(encoding="utf-8"), re.S | re.M)
    )


@pytest.mark.slow
def test_every_example_of_the_page_runs() -> None:
    done = subprocess.run(
        [sys.executable, "-c", examples("python.md")], capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "120座" in done.stdout

"""The edges to LangChain: the assistant as a chat model, its index as a retriever, both for anyone's chain.

The answer's citations travel as LangChain's standard ``citation`` annotations; the verdicts and all else stand in
``response_metadata["answer"]``, the public JSON form. Streaming a chat model yields the checked answer in one piece: what is not
checked yet is not handed on.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Protocol

from langchain_core.callbacks import CallbackManagerForLLMRun, CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.language_models.chat_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, HumanMessage
from langchain_core.messages.content import create_citation, create_text_block
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.retrievers import BaseRetriever
from pydantic import ConfigDict

from assistant.errors import InputInvalid
from assistant.retrieve import Searchable
from assistant.types import Answer, Role, Turn
from vectorstore.types import Hit


class Answerer(Protocol):
    """What can answer: ``assistant.answer.Assistant``."""

    def ask(self, question: str, history: tuple[Turn, ...] = ...) -> Answer:
        """Answer one question."""
        ...


class ChatPolicyAssistant(BaseChatModel):
    """A chat model whose every sentence is cited and checked. System messages are not obeyed: nobody may give it orders."""

    model_config = ConfigDict(arbitrary_types_allowed=True)
    assistant: Any  # an Answerer; pydantic cannot check a protocol

    @property
    def _llm_type(self) -> str:
        return "policy-assistant"

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        answer = _ask(self.assistant, messages)
        message = AIMessage(content=_blocks(answer), response_metadata={"answer": answer.to_json()})
        return ChatResult(generations=[ChatGeneration(message=message)])

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        answer = _ask(self.assistant, messages)
        message = AIMessageChunk(content=_blocks(answer), response_metadata={"answer": answer.to_json()})
        yield ChatGenerationChunk(message=message)


class PolicyRetriever(BaseRetriever):
    """The index as a retriever: one document for each sentence, its place and labels in the metadata."""

    model_config = ConfigDict(arbitrary_types_allowed=True)
    index: Any  # a Searchable
    k: int = 8

    def _get_relevant_documents(self, query: str, *, run_manager: CallbackManagerForRetrieverRun) -> list[Document]:
        index: Searchable = self.index
        return [_document(hit) for hit in index.search(query, self.k)]


def _ask(assistant: Answerer, messages: list[BaseMessage]) -> Answer:
    turns = [
        Turn(Role.USER if isinstance(message, HumanMessage) else Role.ASSISTANT, message.text)
        for message in messages
        if isinstance(message, HumanMessage | AIMessage)
    ]
    if not turns or turns[-1].role is not Role.USER:
        raise InputInvalid("最后一条消息应是用户的问题。 The last message has to be the user's question.")
    return assistant.ask(turns[-1].content, tuple(turns[:-1]))


def _blocks(answer: Answer) -> list[str | dict[str, Any]]:
    """The text with one annotation for each marker: where it stands in the answer, and what it quotes."""
    by_number = {citation.n: citation for citation in answer.citations}
    annotations = [
        create_citation(
            start_index=marker.start(),
            end_index=marker.end(),
            cited_text=by_number[int(marker[1])].sentence.quote,
            title=by_number[int(marker[1])].title,
            url=by_number[int(marker[1])].sentence.id,
        )
        for marker in re.finditer(r"\[(\d+)\]", answer.text)
    ]
    return [dict(create_text_block(answer.text, annotations=list(annotations)))]


def _document(hit: Hit) -> Document:
    sentence = hit.sentence
    return Document(
        id=sentence.id,
        page_content=sentence.plain,
        metadata={
            "source": sentence.source,
            "start": sentence.start,
            "end": sentence.end,
            "region": sentence.labels.region,
            "year": sentence.labels.year,
            "part": sentence.labels.part.value if sentence.labels.part else None,
            "score": hit.score,
        },
    )

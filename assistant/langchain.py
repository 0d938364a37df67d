"""The edges to LangChain: the assistant as a chat model and a chain, its index as a retriever, all for anyone's pipeline.

The answer's citations travel as LangChain's standard ``citation`` annotations; the verdicts and all else stand in
``response_metadata["answer"]``, the public JSON form. A stream yields the checked answer line by line: what is not checked yet
is not handed on, only empty chunks that say that the model works.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from langchain_core.callbacks import CallbackManagerForLLMRun, CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.language_models.chat_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, HumanMessage
from langchain_core.messages.content import create_citation, create_text_block
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.prompt_values import PromptValue
from langchain_core.retrievers import BaseRetriever
from langchain_core.runnables import Runnable, RunnableConfig
from pydantic import ConfigDict

from assistant.environment import make_offline
from assistant.errors import InputInvalid
from assistant.question.weigh import Searchable
from assistant.types import Answer, Finished, Piece, Role, Turn
from vectorstore.types import Hit


class ChatPolicyAssistant(BaseChatModel):
    """A chat model whose every sentence is cited and checked. System messages are not obeyed: nobody may give it orders."""

    model_config = ConfigDict(arbitrary_types_allowed=True)
    assistant: Any  # an assistant.answer.Assistant; a fake will do, too

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
        answer = self.assistant.ask(*_read_messages(messages))
        message = AIMessage(content=_blocks(answer, answer.text), response_metadata={"answer": answer.to_json()})
        return ChatResult(generations=[ChatGeneration(message=message)])

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        halt = threading.Event()
        try:
            for event in self.assistant.stream(*_read_messages(messages), stop=halt):
                if isinstance(event, Finished):
                    yield from _chunks(event.answer)
                elif isinstance(event, Piece):  # says that work goes on, so that the reader can end it; shows nothing
                    yield ChatGenerationChunk(message=AIMessageChunk(content=""))
        finally:
            halt.set()  # the stream was closed: the model is free at once


class PolicyChain(Runnable[Any, BaseMessage]):
    """Question in, cited message out, for use in anyone's chain; streams can be closed at any time.

    The input is a question, ``{"question": …, "history": [messages]}``, or messages. (A sequence of a prompt and a model would
    wait for the model's last word when its stream is closed, so this is one runnable.)
    """

    def __init__(self, model: ChatPolicyAssistant) -> None:
        self.model = model

    def invoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> BaseMessage:
        """Answer one question."""
        return self.model.invoke(_to_messages(input), config)

    def stream(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Iterator[BaseMessage]:
        """Answer in lines that are checked; closing the iterator stops the model."""
        yield from self.model.stream(_to_messages(input), config)

    def close(self) -> None:
        """Stop the model and release the index."""
        self.model.assistant.close()


class PolicyRetriever(BaseRetriever):
    """The index as a retriever: one document for each sentence, its place and labels in the metadata."""

    model_config = ConfigDict(arbitrary_types_allowed=True)
    index: Any  # a Searchable
    k: int = 8

    def _get_relevant_documents(self, query: str, *, run_manager: CallbackManagerForRetrieverRun) -> list[Document]:
        index: Searchable = self.index
        return [_document(hit) for hit in index.search(query, self.k)]


def open_chain(documents: Sequence[str | Path] | None = None) -> PolicyChain:
    """A chain over documents in memory, or over the index where none are given."""
    make_offline()  # before the first run of anything: LangChain would trace it where the shell asks for that
    from assistant.api import Assistant

    assistant = Assistant.open() if documents is None else Assistant.over(documents)
    return PolicyChain(ChatPolicyAssistant(assistant=assistant))


def open_retriever(chain: PolicyChain, k: int = 8) -> PolicyRetriever:
    """A retriever over the documents that a chain answers from."""
    return PolicyRetriever(index=chain.model.assistant.index, k=k)


def _to_messages(given: Any) -> list[BaseMessage]:
    if isinstance(given, str):
        return [HumanMessage(given)]
    if isinstance(given, Mapping):
        return [*given.get("history", ()), HumanMessage(str(given["question"]))]
    return list(given.to_messages() if isinstance(given, PromptValue) else given)


def _read_messages(messages: Sequence[BaseMessage]) -> tuple[str, tuple[Turn, ...]]:
    turns = [
        Turn(Role.USER if isinstance(message, HumanMessage) else Role.ASSISTANT, message.text)
        for message in messages
        if isinstance(message, HumanMessage | AIMessage)
    ]
    if not turns or turns[-1].role is not Role.USER:
        raise InputInvalid("最后一条消息应是用户的问题。 The last message has to be the user's question.")
    return turns[-1].content, tuple(turns[:-1])


def _chunks(answer: Answer) -> Iterator[ChatGenerationChunk]:
    """The checked answer line by line, each with its citations; the last carries all that is known of it."""
    lines = answer.text.splitlines(keepends=True)
    for n, line in enumerate(lines, 1):
        last = n == len(lines)
        metadata = {"answer": answer.to_json()} if last else {}
        yield ChatGenerationChunk(
            message=AIMessageChunk(
                content=_blocks(answer, line), response_metadata=metadata, chunk_position="last" if last else None
            )
        )


def _blocks(answer: Answer, text: str) -> list[str | dict[str, Any]]:
    """A piece of the answer with one annotation for each marker: where it stands in the piece, and what it quotes."""
    by_number = {citation.n: citation for citation in answer.citations}
    annotations = [
        create_citation(
            start_index=marker.start(),
            end_index=marker.end(),
            cited_text=by_number[int(marker[1])].sentence.quote,
            title=by_number[int(marker[1])].title,
            url=by_number[int(marker[1])].sentence.id,
        )
        for marker in re.finditer(r"\[(\d+)\]", text)
    ]
    return [dict(create_text_block(text, annotations=list(annotations)))]


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

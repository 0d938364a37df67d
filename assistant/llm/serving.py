"""requests on standard input -> replies on standard output: the process that owns llama.cpp.

Started by :mod:`assistant.llm.process`; both ways one JSON object a line. The first request is ``load``; one request is served at
a time, only ``stop`` is heard meanwhile.

==============  ==============================================================  =======================================
request         further keys                                                    replies
==============  ==============================================================  =======================================
load            path, context, threads                                          done
score           question, candidates                                            done: answers, none
short_answer    question, candidates, chosen                                    done: found (text, probability) or null
generate        segments, stops, grammar, max_tokens, temperature, seed         piece (many): text; then done
                fixed (how many segments), state (a file for their reading)
count           texts, control                                                  done: counts
stop            (of the request with this id)                                   the request then ends with done
==============  ==============================================================  =======================================

Every request and reply has an ``id``. A request that cannot be served is answered with ``failed``: error, message.
"""

from __future__ import annotations

import json
import os
import queue
import signal
import sys
import threading
import time
from dataclasses import asdict
from typing import Any, BinaryIO

from assistant.errors import AssistantError, ModelUnusable
from assistant.llm.decode import Sampling, generate_text
from assistant.llm.reader import score_candidates
from assistant.llm.spans import find_short_answer
from assistant.llm.worker import Runtime, Stopped, prompt_tokens


class Worker:
    """Serves one request after the other."""

    def __init__(self, requests: BinaryIO, replies: BinaryIO) -> None:
        self._requests = requests
        self._replies = replies
        self._waiting: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        self._runtime: Runtime | None = None
        self._current = self._stopped = -1  # ids of requests

    def run(self) -> None:
        """Serve until standard input ends, which ends the process."""
        threading.Thread(target=self._listen, daemon=True).start()
        while True:
            request = self._waiting.get()
            self._current = request["id"]
            try:
                result = self._serve(request)
            except Stopped:
                result = {}
            except AssistantError as error:
                self._reply("failed", error=type(error).__name__, message=str(error))
                continue
            self._reply("done", **result)

    def _listen(self) -> None:
        for line in self._requests:
            request = json.loads(line)
            if request["op"] == "stop":
                self._stopped = request["id"]
            else:
                self._waiting.put(request)
        os._exit(0)  # the parent is gone, and llama.cpp may be computing in the main thread

    def _stopping(self) -> bool:
        return self._stopped == self._current

    def _serve(self, request: dict[str, Any]) -> dict[str, Any]:
        if request["op"] == "load":
            self._runtime = Runtime(request["path"], request["context"], request["threads"], self._stopping)
            return {}
        if self._runtime is None:
            raise ModelUnusable("没有载入模型。 No model is loaded.")
        if request["op"] == "count":
            tokenise = self._runtime.control_tokens if request["control"] else self._runtime.plain_tokens
            return {"counts": [len(tokenise(text)) for text in request["texts"]]}
        if request["op"] == "score":
            return asdict(score_candidates(self._runtime, request["question"], request["candidates"]))
        if request["op"] == "short_answer":
            found = find_short_answer(self._runtime, request["question"], request["candidates"], request["chosen"])
            return {"found": found}
        self._generate(self._runtime, request)
        return {}

    def _generate(self, runtime: Runtime, request: dict[str, Any]) -> None:
        tokens = prompt_tokens(runtime, request["segments"])
        if request["state"]:
            fixed = prompt_tokens(runtime, request["segments"][: request["fixed"]])
            if len(fixed) < min(len(tokens), runtime.context):
                runtime.read_fixed(fixed, request["state"])
        room = runtime.context - len(tokens)
        sampling = Sampling(
            min(request["max_tokens"], room), request["temperature"], request["seed"], tuple(request["stops"])
        )
        grammar = runtime.start_grammar(request["grammar"]) if request["grammar"] is not None else None
        try:
            for piece in generate_text(runtime, tokens, sampling, grammar):
                self._reply("piece", text=piece)
        finally:
            if grammar is not None:
                grammar.close()

    def _reply(self, kind: str, **values: Any) -> None:
        self._replies.write(json.dumps({"id": self._current, "kind": kind, **values}).encode() + b"\n")
        self._replies.flush()


def _watch_parent(parent: int) -> None:
    """End with the parent also where another process still holds the other end of our standard input."""
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(0)


def main() -> None:
    """Keep standard output for replies alone, and serve."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in the terminal stops the answer, not the model
    threading.Thread(target=_watch_parent, args=(int(sys.argv[1]),), daemon=True).start()
    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    Worker(sys.stdin.buffer, replies).run()


if __name__ == "__main__":
    main()

"""Token files -> a checkpoint: the training loop, the same on a processor and a graphics card. Needs torch.

A run that was stopped goes on from its last checkpoint with the same batches in the same order: which batch comes at
which step follows from the seed alone.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from numpy.typing import NDArray
from torch import Tensor

from assistant.llm.spans import choose_piece
from training.model import Reader, Shape
from training.sequences import Target, Tokenizer, next_tokens
from training.shards import Shard, load_shards, plan_batches, shorten_all

# How much a position counts. A yes is rarer than a no; text only keeps the language alive.
LOSS_WEIGHTS = {Target.TEXT: 0.08, Target.NO: 1.0, Target.YES: 2.5, Target.POINTER: 3.0, Target.ANSWER: 0.1}
# In their own batches: the others' weights do not matter there, only how the two stand to each other.
LOSS_WEIGHTS |= {Target.OUTSIDE: 1.0, Target.INSIDE: 1.5}
_SHARE_WITH_LOSS = 3  # one position in so many is given to the output weights
_WARM_UP = 40  # steps
_LAST_RATE = 0.03  # of the highest, at the end
_HELD = 0.35  # share of the run at the highest rate
_LOG_EVERY = 20


@dataclass(frozen=True, slots=True)
class Run:
    """All that decides a run. ``minutes`` or ``steps`` ends it; the schedule follows the one that is given."""

    parts: Path
    out: Path
    device: str
    width: int
    layers: int
    heads: int
    feed_forward: int
    context: int
    buckets: tuple[int, ...]
    batch_tokens: int
    rate: float
    muon: bool
    minutes: float
    steps: int
    threads: int
    seed: int
    warm_start: Path | None
    compile: bool
    checkpoint_minutes: float
    validate_minutes: float


@dataclass(frozen=True, slots=True)
class Batch:
    """Inputs of shape ``(rows, length)``; where there is loss, as places in the flattened inputs, and for what."""

    inputs: Tensor
    places: Tensor
    wanted: Tensor
    kinds: Tensor  # which Target each is


@dataclass(slots=True)
class State:
    """What a checkpoint holds beside the weights."""

    step: int = 0
    tokens: int = 0
    seconds: float = 0.0
    best: float = -1.0


def train(run: Run) -> None:
    """Train until the budget is used up; writes ``last.pt``, ``best.pt``, ``log.jsonl`` and ``weights-16.pt``."""
    if not run.minutes and not run.steps:
        raise ValueError("give --minutes or --steps")
    torch.set_num_threads(run.threads)
    torch.manual_seed(run.seed)
    run.out.mkdir(parents=True, exist_ok=True)
    tokenizer = Tokenizer()
    files = sorted(run.parts.glob("*.npz"))
    data = shorten_all(load_shards(f for f in files if not f.name.startswith("validation")), max(run.buckets) + 1)
    held_out = load_shards(f for f in files if f.name.startswith("validation"))
    model = Reader(_shape(run, tokenizer)).to(run.device)
    optimizers = make_optimizers(model, run)
    state = _resume(run, model, optimizers)
    log = Log(run.out / "log.jsonl")
    log.write(
        event="start",
        parameters=sum(p.numel() for p in model.parameters()),
        sequences=len(data.lengths),
        tokens=len(data.tokens),
    )
    _loop(run, model, optimizers, state, make_batches(data, run, tokenizer, state.step), held_out, tokenizer, log)


def make_optimizers(model: Reader, run: Run) -> tuple[torch.optim.Optimizer, ...]:
    """AdamW for all weights; or for embeddings and norms only, and Muon (Jordan 2024) for the matrices of the blocks."""
    matrices = [p for p in model.blocks.parameters() if p.dim() == 2] if run.muon else []
    taken = {id(p) for p in matrices}
    others = [p for p in model.parameters() if id(p) not in taken]
    adam = torch.optim.AdamW(others, lr=run.rate, betas=(0.9, 0.95), weight_decay=0.05, fused=True)
    if not matrices:
        return (adam,)
    # The rate means the same for both: Muon's steps are scaled to the size of AdamW's.
    return adam, torch.optim.Muon(matrices, lr=run.rate, weight_decay=0.05, adjust_lr_fn="match_rms_adamw")


def _loop(
    run: Run,
    model: Reader,
    optimizers: Sequence[torch.optim.Optimizer],
    state: State,
    batches: Iterator[Batch],
    held_out: Shard,
    tokenizer: Tokenizer,
    log: Log,
) -> None:
    compute = make_loss(model, run)
    sums = torch.zeros(len(Target) * 2, device=run.device)
    began = time.monotonic() - state.seconds
    saved = validated = state.seconds
    while (progress := _progress(run, state)) < 1:
        batch = next(batches)
        for group in (g for o in optimizers for g in o.param_groups):
            group["lr"] = run.rate * schedule(state.step, progress)
        loss, parts = compute(batch)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for optimizer in optimizers:
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        state.step += 1
        state.tokens += batch.inputs.numel()
        state.seconds = time.monotonic() - began
        sums += parts
        if state.step % _LOG_EVERY == 0:
            log.write(event="train", **asdict(state), losses=_mean_losses(sums.cpu().numpy()))
            sums.zero_()
        if state.seconds - validated > 60 * run.validate_minutes:
            _validate(run, model, state, held_out, tokenizer, log)
            validated = saved = state.seconds = time.monotonic() - began
        elif state.seconds - saved > 60 * run.checkpoint_minutes:
            save_checkpoint(run.out / "last.pt", model, optimizers, state)
            saved = state.seconds
    _validate(run, model, state, held_out, tokenizer, log)
    save_checkpoint(run.out / "last.pt", model, optimizers, state)


def make_loss(model: Reader, run: Run) -> Callable[[Batch], tuple[Tensor, Tensor]]:
    """The weighted loss of a batch, and per target its sum and count; compiled once for each length."""
    table = torch.zeros(len(Target), device=run.device)
    for target, weight in LOSS_WEIGHTS.items():
        table[target] = weight

    def compute(inputs: Tensor, places: Tensor, wanted: Tensor, kinds: Tensor) -> tuple[Tensor, Tensor]:
        with torch.autocast(run.device.split(":")[0], torch.bfloat16):
            states = model(inputs).reshape(-1, model.shape.width)[places]
            logits = model.logits(states)
        each = F.cross_entropy(logits.float(), wanted, reduction="none")
        weights = table[kinds]
        return (each * weights).sum() / weights.sum(), each.detach()

    compiled = torch.compile(compute, dynamic=False) if run.compile else compute

    def loss(batch: Batch) -> tuple[Tensor, Tensor]:
        total, each = compiled(batch.inputs, batch.places, batch.wanted, batch.kinds)
        of_kind = F.one_hot(batch.kinds, len(Target)).float()
        return total, torch.stack([each @ of_kind, of_kind.sum(0)], 1).reshape(-1)

    return loss


def make_batches(data: Shard, run: Run, tokenizer: Tokenizer, start: int) -> Iterator[Batch]:
    """The batches from step ``start`` on, without end; each depends on the seed and its step only."""
    yes, no = tokenizer.special_token("<y>"), tokenizer.special_token("<n>")
    starts, step, epoch = data.starts, 0, 0
    while True:
        planned = plan_batches(data.lengths, run.buckets, run.batch_tokens, run.seed, epoch)
        if not planned:
            raise ValueError("there is not enough data for one batch")
        for length, rows in planned:
            if step >= start:
                yield _fill(data, starts, length, rows, yes, no, np.random.default_rng([run.seed, step]), run.device)
            step += 1
        epoch += 1


def _fill(
    data: Shard,
    starts: NDArray[np.int64],
    length: int,
    rows: NDArray[np.int64],
    yes: int,
    no: int,
    rng: np.random.Generator,
    device: str,
) -> Batch:
    inputs = np.zeros((len(rows), length), np.int64)
    targets = np.zeros((len(rows), length), np.uint8)
    wanted = np.zeros((len(rows), length), np.int64)
    for r, i in enumerate(rows):
        begin, size = starts[i], int(data.lengths[i]) - 1
        inputs[r, :size] = data.tokens[begin : begin + size]
        targets[r, :size] = data.targets[begin : begin + size]
        wanted[r, :size] = next_tokens(
            data.tokens[begin : begin + size + 1], data.targets[begin : begin + size + 1], yes, no
        )[:size]
    places = choose_places(targets.reshape(-1), len(rows) * length // _SHARE_WITH_LOSS, rng)
    arrays = (inputs, places, wanted.reshape(-1)[places], targets.reshape(-1)[places].astype(np.int64))
    return Batch(*(torch.from_numpy(np.ascontiguousarray(a)).to(device) for a in arrays))


def choose_places(targets: NDArray[np.uint8], count: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Exactly ``count`` places: all labels, pointers and answers first (drawn where they are more), then some of the text."""
    telling = np.flatnonzero(targets > Target.TEXT)
    telling = np.sort(rng.choice(telling, count, replace=False)) if len(telling) > count else telling
    text = np.flatnonzero(targets == Target.TEXT)
    missing = count - len(telling)
    filler = rng.choice(text, missing, replace=len(text) < missing) if len(text) else np.zeros(missing, np.int64)
    return np.concatenate([telling, filler]).astype(np.int64)


def schedule(step: int, progress: float) -> float:
    """Share of the highest learning rate: up, held, then down in a half cosine."""
    warm = min(1.0, (step + 1) / _WARM_UP)
    if progress <= _HELD:
        return warm
    falling = (progress - _HELD) / (1 - _HELD)
    return warm * (_LAST_RATE + (1 - _LAST_RATE) * 0.5 * (1 + math.cos(math.pi * min(1.0, falling))))


def _progress(run: Run, state: State) -> float:
    return state.step / run.steps if run.steps else state.seconds / (60 * run.minutes)


def _validate(run: Run, model: Reader, state: State, held_out: Shard, tokenizer: Tokenizer, log: Log) -> None:
    figures = validate(model, held_out, run, tokenizer)
    log.write(event="validate", **asdict(state), **figures)
    score = (
        float(figures["human"]["label"])
        + float(figures["policy"]["label"])
        + float(figures["asked"]["label"])
        + float(figures["auroc"])
        + float(figures["span"])
    )
    if score >= state.best:
        state.best = score
        save_weights(run.out / "best.pt", model, torch.float32)
        save_weights(run.out / "weights-16.pt", model, torch.bfloat16)


@torch.no_grad()
def validate(model: Reader, held_out: Shard, run: Run, tokenizer: Tokenizer, most: int = 400) -> dict[str, Any]:
    """Held-out figures: how often the answering sentence has the highest label, the pointer is right, and AUROC."""
    model.eval()
    yes, no = tokenizer.special_token("<y>"), tokenizer.special_token("<n>")
    starts = held_out.starts
    right: dict[str, list[tuple[bool, bool]]] = {"human": [], "policy": [], "asked": []}
    heights: dict[bool, list[float]] = {True: [], False: []}
    spans: list[float | None] = []
    step = max(1, len(held_out.lengths) // (3 * most))
    for i in range(0, len(held_out.lengths), step):
        tokens = held_out.tokens[starts[i] : starts[i] + held_out.lengths[i]].astype(np.int64)
        targets = held_out.targets[starts[i] : starts[i] + held_out.lengths[i]]
        if not (targets == Target.POINTER).any():
            spans.append(_span_f1(model, tokens, targets, run.device, (yes, no)))
            continue
        labels, pointer = (
            np.flatnonzero(np.isin(targets, (Target.NO, Target.YES))),
            np.flatnonzero(targets == Target.POINTER)[0],
        )
        with torch.autocast(run.device.split(":")[0], torch.bfloat16):
            states = model(torch.from_numpy(tokens[None, : pointer + 1]).to(run.device))[0]
            rows = (
                model.logits(states[torch.from_numpy(np.append(labels, pointer)).to(run.device)]).float().cpu().numpy()
            )
        difference = rows[:-1, yes] - rows[:-1, no]
        answered = bool((targets[labels] == Target.YES).any())
        heights[answered].append(float(difference.max()))
        if answered:
            name = held_out.names[held_out.kinds[i]].split("-")[0]
            kind = name if name in right else "policy"
            pointed = int(rows[-1, tokens[labels]].argmax())
            right[kind].append(
                (targets[labels][int(difference.argmax())] == Target.YES, targets[labels][pointed] == Target.YES)
            )
    model.train()
    shares = {
        k: {"label": _share([a for a, _ in v]), "pointer": _share([b for _, b in v]), "n": len(v)}
        for k, v in right.items()
    }
    found = [f for f in spans if f is not None]
    return {**shares, "auroc": auroc(heights[True], heights[False]), "span": float(np.mean(found)) if found else 0.0}


def _span_f1(
    model: Reader, tokens: NDArray[np.int64], targets: NDArray[np.uint8], device: str, verdicts: tuple[int, int]
) -> float | None:
    """F1 over tokens of the run with the highest sum; ``None`` where the candidate does not answer."""
    places = np.flatnonzero(targets >= Target.OUTSIDE)
    wanted = targets[places] == Target.INSIDE
    if not wanted.any():
        return None
    with torch.autocast(device.split(":")[0], torch.bfloat16):
        states = model(torch.from_numpy(tokens[None]).to(device))[0]
        rows = model.logits(states[torch.from_numpy(places).to(device)]).float().cpu().numpy().astype(np.float64)
    best = choose_piece(rows[:, verdicts[0]] - rows[:, verdicts[1]], {i: i for i in range(len(places) + 1)})
    given = np.zeros(len(places), bool)
    if best is not None:
        given[best.start : best.stop] = True
    return 2 * float((given & wanted).sum()) / float(given.sum() + wanted.sum())


def auroc(higher: list[float], lower: list[float]) -> float:
    """How often one of the first list is above one of the second; 0.5 where either is empty."""
    if not higher or not lower:
        return 0.5
    one, other = np.array(higher)[:, None], np.array(lower)[None, :]
    return float(((one > other) + 0.5 * (one == other)).mean())


def save_checkpoint(file: Path, model: Reader, optimizers: Sequence[torch.optim.Optimizer], state: State) -> None:
    """Write all that is needed to go on; whole or not at all."""
    content = {
        "weights": model.state_dict(),
        "optimizers": [optimizer.state_dict() for optimizer in optimizers],
        "state": asdict(state),
        "shape": asdict(model.shape),
    }
    _save(content, file)


def save_weights(file: Path, model: Reader, kind: torch.dtype) -> None:
    """Write weights alone."""
    _save({"weights": {k: v.to(kind) for k, v in model.state_dict().items()}, "shape": asdict(model.shape)}, file)


def _save(content: dict[str, Any], file: Path) -> None:
    temporary = file.with_name(file.name + ".unfinished")
    torch.save(content, temporary)
    temporary.replace(file)


def _resume(run: Run, model: Reader, optimizers: Sequence[torch.optim.Optimizer]) -> State:
    file = run.out / "last.pt"
    if file.exists():
        content = torch.load(file, map_location=run.device, weights_only=True)
        model.load_state_dict(content["weights"])
        for optimizer, kept in zip(optimizers, content["optimizers"], strict=True):
            optimizer.load_state_dict(kept)
        return State(**content["state"])
    if run.warm_start:
        weights = deepen(_starting_weights(run.warm_start), run.layers)
        model.load_state_dict({k: torch.from_numpy(v) for k, v in weights.items()})
    return State()


def _starting_weights(file: Path) -> dict[str, NDArray[np.float32]]:
    if file.suffix == ".gguf":
        from training.export import read_gguf  # needs gguf, which training from scratch does not

        return read_gguf(file)[0]
    content = torch.load(file, map_location="cpu", weights_only=True)
    return {k: v.float().numpy() for k, v in content["weights"].items()}


def deepen(weights: Mapping[str, NDArray[np.float32]], layers: int) -> dict[str, NDArray[np.float32]]:
    """Weights for ``layers`` blocks that compute what those of fewer blocks do, to go on training with more of them.

    The new blocks are spread among the old ones, each a copy of the one before it that adds nothing yet (its two last
    matrices are zero). ``ValueError`` where the weights have more blocks than that.
    """
    had = 1 + max(int(name.split(".")[1]) for name in weights if name.startswith("blocks."))
    if layers < had:
        raise ValueError(f"the weights to start from have {had} layers, more than {layers}")
    # Old block i comes to place i * layers / had, rounded up; the places between are new.
    source = [at * had // layers for at in range(layers)]
    deeper = {name: value for name, value in weights.items() if not name.startswith("blocks.")}
    for at, block in enumerate(source):
        copy = at > 0 and source[at - 1] == block
        for name, value in weights.items():
            if name.startswith(f"blocks.{block}."):
                rest = name.split(".", 2)[2]
                silent = copy and rest in ("out.weight", "down.weight")
                deeper[f"blocks.{at}.{rest}"] = np.zeros_like(value) if silent else value
    return deeper


def _shape(run: Run, tokenizer: Tokenizer) -> Shape:
    return Shape(tokenizer.size, run.width, run.layers, run.heads, run.feed_forward, run.context)


def _mean_losses(sums: NDArray[np.float32]) -> dict[str, float]:
    pairs = sums.reshape(-1, 2)
    return {t.name.lower(): round(float(pairs[t][0] / pairs[t][1]), 4) for t in Target if pairs[t][1]}


def _share(found: list[bool]) -> float:
    return float(np.mean(found)) if found else 0.0


class Log:
    """Appends JSON lines to a file."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def write(self, **facts: Any) -> None:
        """Append one line."""
        with self._file.open("a", encoding="utf-8") as out:
            out.write(json.dumps({"at": time.strftime("%H:%M:%S"), **facts}, ensure_ascii=False) + "\n")

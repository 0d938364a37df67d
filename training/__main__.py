"""The command line: ``python -m training build|show|train|export|all``. See README.md beside this file."""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from pathlib import Path
from random import Random

OUT = Path("build/training")


def main(arguments: list[str] | None = None) -> None:
    """Run one step."""
    given = _parser().parse_args(arguments)
    given.run(given)


def build(given: argparse.Namespace) -> None:
    """Raw data -> token files."""
    from training.build import build_parts, plan_parts, read_sources

    sources = read_sources(given.data, given.out)
    parts = plan_parts(
        sources,
        given.human_rounds,
        given.policy_rounds,
        given.span_rounds,
        given.longest,
        asked_rounds=given.asked_rounds,
    )
    build_parts(sources, parts, given.out / "parts", given.seed, given.workers)


def show(given: argparse.Namespace) -> None:
    """Some random examples of each kind, for reading."""
    from training.build import make_examples, plan_parts, read_sources
    from training.types import Example

    sources = read_sources(given.data, given.out)
    parts = plan_parts(sources, 1, 1, asked_rounds=1)
    rng = Random(given.seed)
    kinds: dict[str, list[Example]] = defaultdict(list)
    looked_at = {"human": 1, "asked": 2, "policy": 3}
    for part in (p for kind, n in looked_at.items() for p in rng.sample([p for p in parts if kind in p.name], n)):
        for example in make_examples(sources, part, given.seed):
            kinds[example.kind].append(example)
    for kind, found in sorted(kinds.items()):
        sys.stdout.write(f"\n## {kind} ({len(found)})\n")
        for e in rng.sample(found, min(given.count, len(found))):
            sys.stdout.write(f"- {e.question} | {e.answer} | of {len(e.candidates)}\n")
            for g in e.gold or (0,):
                sys.stdout.write(f"    {'+' if e.gold else '-'} {e.candidates[g][:120]}\n")


def train(given: argparse.Namespace) -> None:
    """Token files -> checkpoint."""
    from training.train import Run
    from training.train import train as run

    run(
        Run(
            parts=given.out / "parts",
            out=given.out / given.name,
            device=given.device,
            width=given.width,
            layers=given.layers,
            heads=given.heads,
            feed_forward=given.feed_forward,
            context=given.context,
            buckets=tuple(int(b) for b in given.buckets.split(",")),
            batch_tokens=given.batch_tokens,
            rate=given.rate,
            muon=given.muon,
            minutes=given.minutes,
            steps=given.steps,
            threads=given.threads,
            seed=given.seed,
            warm_start=given.warm_start,
            compile=not given.eager,
            checkpoint_minutes=given.checkpoint_minutes,
            validate_minutes=given.validate_minutes,
        )
    )


def export(given: argparse.Namespace) -> None:
    """Checkpoint -> GGUF files."""
    from training.export import export_all

    for file in export_all(given.out / given.name, given.to or given.out, given.model_name, given.kinds.split(",")):
        sys.stdout.write(f"{file} {file.stat().st_size}\n")


def everything(given: argparse.Namespace) -> None:
    """All steps one after the other; each goes on where it stopped."""
    for step in (build, train, export):
        step(given)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m training", description=__doc__)
    commands = parser.add_subparsers(required=True)
    for name, run in (("build", build), ("show", show), ("train", train), ("export", export), ("all", everything)):
        command = commands.add_parser(name, help=run.__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
        command.set_defaults(run=run)
        command.add_argument("--out", type=Path, default=OUT, help="where everything made goes")
        command.add_argument("--seed", type=int, default=0)
        if name in ("build", "show", "all"):
            _add_data(command)
        if name in ("train", "export", "all"):
            command.add_argument("--name", default="run", help="folder of this run below --out")
        if name in ("train", "all"):
            _add_training(command)
        if name in ("export", "all"):
            command.add_argument("--to", type=Path, help="folder of the GGUF files; --out where not given")
            command.add_argument("--kinds", default="f32,q8_0,q4_k_m", help="forms to write; the last needs the first")
            command.add_argument("--model-name", default="reader-v1")
        if name == "show":
            command.add_argument("--count", type=int, default=20)
    return parser


def _add_data(command: argparse.ArgumentParser) -> None:
    command.add_argument("data", type=Path, help="folder that holds qa/ and text/")
    command.add_argument(
        "--human-rounds",
        type=int,
        default=3,
        help="times that people's questions are used, each with other distractors",
    )
    command.add_argument(
        "--policy-rounds", type=int, default=3, help="times that questions are made of the official texts"
    )
    command.add_argument(
        "--asked-rounds",
        type=int,
        default=3,
        help="times that the questions written about the official texts are used, each with other distractors",
    )
    command.add_argument(
        "--span-rounds", type=int, default=0, help="the same for their short answers; as --human-rounds where not given"
    )
    command.add_argument("--longest", type=int, default=704, help="tokens of a sequence")
    command.add_argument("--workers", type=int, default=1)


def _add_training(command: argparse.ArgumentParser) -> None:
    command.add_argument("--device", default="cpu", help="cpu or cuda")
    command.add_argument("--width", type=int, default=256)
    command.add_argument("--layers", type=int, default=5)
    command.add_argument("--heads", type=int, default=4)
    command.add_argument("--feed-forward", type=int, default=704)
    command.add_argument("--context", type=int, default=1024)
    command.add_argument("--buckets", default="256,384,512,704", help="lengths of the batches; each is compiled once")
    command.add_argument("--batch-tokens", type=int, default=8192)
    command.add_argument("--rate", type=float, default=2e-3, help="highest learning rate")
    command.add_argument("--muon", action="store_true", help="Muon for the matrices, AdamW for the rest")
    command.add_argument("--minutes", type=float, default=0.0, help="time budget, which the schedule follows")
    command.add_argument("--steps", type=int, default=0, help="step budget; deterministic, unlike a time budget")
    command.add_argument("--threads", type=int, default=2)
    command.add_argument(
        "--warm-start",
        type=Path,
        help="a GGUF or 16-bit weights to start from; of the same shape, or with fewer layers",
    )
    command.add_argument("--eager", action="store_true", help="do not compile")
    command.add_argument("--checkpoint-minutes", type=float, default=4.0)
    command.add_argument("--validate-minutes", type=float, default=12.0)


if __name__ == "__main__":
    main()

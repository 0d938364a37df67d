"""A model's first word with and without the kept reading of the prompt's rules, in seconds; each from a fresh process.

Without ``--model`` a model with random weights is made up (its text is noise, its speed is that of its size).
Needs gguf and sentencepiece for that: `.venv/bin/python benchmarks/prefix.py [--model FILE.gguf --template chatml] [--runs 5]`.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
from contextlib import closing
from pathlib import Path
from time import perf_counter

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from assistant.llm.catalog import Form, ModelSpec, hash_file
from assistant.llm.engine import Engine
from assistant.llm.prefix import FOLDER
from assistant.llm.template import apply_template
from assistant.writing.prompt import load_prompt

QUESTIONS = ("上海2024年新建公园多少座？", "江苏2024年有哪些绿色贸易任务？", "低碳城市试点有哪些？")
PASSAGES = "\n".join(f"[{n}] 推动第{n}批重点项目建设,新建公共充电桩{n}万个。" for n in range(1, 13))


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description="Measure the time to the first token with and without the kept prefix."
    )
    parser.add_argument("--model", type=Path, help="a GGUF file (default: random weights)")
    parser.add_argument("--template", default="chatml")
    parser.add_argument("--width", type=int, default=512, help="of the random model")
    parser.add_argument("--layers", type=int, default=12, help="of the random model")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = options.model or make_random(Path(folder) / "random.gguf", options.width, options.layers)
        spec = ModelSpec("measured", path, hash_file(path), "", Form.INSTRUCT, options.template, 4096)
        rows = measure(spec, options.threads, options.runs, Path(folder))
    if options.json:
        print(json.dumps(rows, indent=1))
        return 0
    for name, seconds in rows.items():
        print(f"{name:42}{seconds:8.3f}")
    return 0


def measure(spec: ModelSpec, threads: int, runs: int, folder: Path) -> dict[str, float]:
    """Medians over the runs; loading the model is not counted."""
    without, written, kept, warm = [], [], [], []
    rules = 0
    for run in range(runs):
        home = folder / f"home-{run}"
        without.append(first_words(spec, threads, None)[0])
        cold = first_words(spec, threads, home)
        written.append(cold[0])
        warm += cold[1:]
        kept.append(first_words(spec, threads, home)[0])
        rules = sum(path.stat().st_size for path in (home / FOLDER).glob("*.state"))
    return {
        "first question, nothing kept [s]": statistics.median(without),
        "first question, writes the state [s]": statistics.median(written),
        "first question, reads the state [s]": statistics.median(kept),
        "later questions, same process [s]": statistics.median(warm),
        "size of the state [MB]": rules / 1e6,
    }


def first_words(spec: ModelSpec, threads: int, home: Path | None) -> list[float]:
    """Seconds from each question to its first token, in one process that has loaded the model already."""
    system = load_prompt().system
    seconds = []
    with closing(Engine(spec, threads=threads, home=home)) as engine:
        engine.count(["a"])  # waits until the model is loaded
        for question in QUESTIONS:
            prompt = apply_template(spec.template or "chatml", system, f"资料:\n{PASSAGES}\n问题:{question}")
            began = perf_counter()
            list(engine.generate(prompt, max_tokens=1))
            seconds.append(perf_counter() - began)
    return seconds


def make_random(path: Path, width: int, layers: int) -> Path:
    """A llama model of a size, with weights from a normal distribution, in two bytes each."""
    import gguf
    import numpy as np

    from tests import tiny_gguf as tiny

    heads, inner = width // 64, 3 * width
    lines = [
        line for file in sorted(tiny._SEEDS.glob("*.txt")) for line in file.read_text("utf-8").splitlines() if line
    ]
    vocabulary = tiny._train_vocabulary(iter(lines))
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_context_length(4096)
    writer.add_embedding_length(width)
    writer.add_block_count(layers)
    writer.add_feed_forward_length(inner)
    writer.add_head_count(heads)
    writer.add_head_count_kv(heads)
    writer.add_rope_dimension_count(64)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_F16)
    tiny._add_vocabulary(writer, vocabulary)
    random = np.random.default_rng(0)
    tokens = vocabulary.get_piece_size()
    shapes = {"token_embd.weight": (tokens, width), "output_norm.weight": (width,), "output.weight": (tokens, width)}
    for n in range(layers):
        shapes |= {f"blk.{n}.{name}.weight": (width, width) for name in ("attn_q", "attn_k", "attn_v", "attn_output")}
        shapes |= {f"blk.{n}.{name}.weight": (inner, width) for name in ("ffn_gate", "ffn_up")}
        shapes |= {f"blk.{n}.ffn_down.weight": (width, inner)}
        shapes |= {f"blk.{n}.{name}.weight": (width,) for name in ("attn_norm", "ffn_norm")}
    for name, shape in shapes.items():
        weights = random.normal(0, width**-0.5, shape)
        writer.add_tensor(name, np.ones(shape, np.float32) if len(shape) == 1 else weights.astype(np.float16))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


if __name__ == "__main__":
    sys.exit(main())

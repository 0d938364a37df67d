"""Token ids -> logits: a llama-form decoder with tied embeddings, small enough to read in one look. Needs torch."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

ROPE_BASE = 10_000.0
EPSILON = 1e-5
_SCALE = 0.04  # standard deviation of fresh weights


@dataclass(frozen=True, slots=True)
class Shape:
    """What decides the sizes of all weights. ``width`` is a multiple of ``heads``, both sizes of 32 for Q8_0."""

    vocabulary: int
    width: int = 256
    layers: int = 5
    heads: int = 4
    feed_forward: int = 704
    context: int = 1024


class Block(nn.Module):
    """Attention and feed-forward, each behind a norm and added to the stream."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        width = shape.width
        self.heads = shape.heads
        self.attention_norm = nn.RMSNorm(width, EPSILON)
        self.feed_norm = nn.RMSNorm(width, EPSILON)
        self.attend = nn.Linear(width, 3 * width, bias=False)  # queries, keys, values
        self.out = nn.Linear(width, width, bias=False)
        self.gate_up = nn.Linear(width, 2 * shape.feed_forward, bias=False)
        self.down = nn.Linear(shape.feed_forward, width, bias=False)

    def forward(self, x: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
        """Shapes: ``(batch, length, width)`` in and out."""
        batch, length, width = x.shape
        parts = self.attend(self.attention_norm(x)).view(batch, length, 3, self.heads, width // self.heads)
        query, key, value = parts.permute(2, 0, 3, 1, 4)
        mixed = F.scaled_dot_product_attention(
            rotate(query, cosine, sine), rotate(key, cosine, sine), value, is_causal=True
        )
        x = x + self.out(mixed.transpose(1, 2).reshape(batch, length, width))
        gate, up = self.gate_up(self.feed_norm(x)).chunk(2, -1)
        fed: Tensor = self.down(F.silu(gate) * up)
        return x + fed


class Reader(nn.Module):
    """The whole decoder up to its last norm; the embeddings are the output weights too."""

    cosine: Tensor
    sine: Tensor

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        self.embedding = nn.Embedding(shape.vocabulary, shape.width)
        self.blocks = nn.ModuleList(Block(shape) for _ in range(shape.layers))
        self.norm = nn.RMSNorm(shape.width, EPSILON)
        self._start()
        half = torch.arange(0, shape.width // shape.heads, 2) / (shape.width // shape.heads)
        angles = torch.outer(torch.arange(shape.context, dtype=torch.float64), ROPE_BASE ** -half.double())
        self.register_buffer("cosine", angles.cos().float(), persistent=False)
        self.register_buffer("sine", angles.sin().float(), persistent=False)

    def _start(self) -> None:
        for weight in self.parameters():
            if weight.dim() > 1:
                nn.init.normal_(weight, std=_SCALE)
        for block in self._layers():
            for layer in (block.out, block.down):
                layer.weight.data /= math.sqrt(2 * self.shape.layers)

    def _layers(self) -> list[Block]:
        return [block for block in self.blocks if isinstance(block, Block)]

    def forward(self, tokens: Tensor) -> Tensor:
        """Give the states behind each token: ``(batch, length)`` in, ``(batch, length, width)`` out."""
        x = self.embedding(tokens)
        length = tokens.shape[1]
        kind = (
            torch.get_autocast_dtype(tokens.device.type) if torch.is_autocast_enabled(tokens.device.type) else x.dtype
        )
        cosine, sine = self.cosine[:length].to(kind), self.sine[:length].to(kind)
        for block in self.blocks:
            x = block(x, cosine, sine)
        normed: Tensor = self.norm(x)
        return normed

    def logits(self, states: Tensor) -> Tensor:
        """``(..., width)`` in, ``(..., vocabulary)`` out."""
        return states @ self.embedding.weight.T


def rotate(x: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
    """Turn pairs ``(i, i + size / 2)`` by their position: the halves form of rotary embeddings."""
    one, other = x.chunk(2, -1)
    return torch.cat((one * cosine - other * sine, other * cosine + one * sine), -1)

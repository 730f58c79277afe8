"""What is asked, what the upstream makes of it, and what that costs. All of it is drawn from the name of the request
and a seed, so the upstream needs to be told nothing and a run can be drawn again."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

# Micro-dollars per million tokens, which is pico-dollars a token. Odd ones, so that most amounts are rounded.
RATES = {"input": 2_500_037, "cache_read": 1_250_011, "output": 10_000_019}
PRICES = {
    "version": 1,
    "prices": [
        {
            "id": "race/*@2024-01-01",
            "model": "race/*",
            "valid_from": "2024-01-01",
            "unit": "usd_micro_per_mtok",
            **RATES,
            "context_window": 128000,
            "max_output_tokens": 4096,
            "reasoning": False,
            "source": "nominal: the upstream of the race",
            "checked": "2026-11-24",
        }
    ],
}
UNIFORM, REALISTIC = "uniform", "realistic"
# The kinds of a realistic mix: weight, bytes of the prompt, max_tokens, median of the tokens answered.
KINDS = {
    "chat": (5, (200, 2_000), 1_024, 150),
    "extraction": (3, (2_000, 8_000), 512, 60),
    "agent": (2, (4_000, 16_000), 4_096, 300),
}


@dataclass(frozen=True)
class Usage:
    """Tokens as OpenAI counts them: the cached ones are part of the prompt."""

    prompt: int
    cached: int
    completion: int

    def cost(self) -> int:
        """Nano-dollars: summed in pico-dollars, rounded up once."""
        uncached = self.prompt - self.cached
        pico = uncached * RATES["input"] + self.cached * RATES["cache_read"] + self.completion * RATES["output"]
        return -(-pico // 1000)


def request(mix: str, name: str, level: int, stream: bool) -> dict[str, Any]:
    """The body of the request `name`. Each level is half as large as the one before, down to the smallest there is."""
    draw = random.Random(f"request {name}")
    if mix == REALISTIC:
        kind = draw.choices(list(KINDS), [weight for weight, *_ in KINDS.values()])[0]
        _, (fewest, most), limit, _ = KINDS[kind]
        size = draw.randint(fewest, most)
    else:
        size, limit = draw.randint(60, 2_000), draw.randint(1, 400)
    size, limit = max(size >> level, 1), max(limit >> level, 1)
    return {
        "model": f"race/{mix}",
        "messages": [{"role": "user", "content": f"{name} {'x' * size}"}],
        "max_tokens": limit,
        "user": name,
        "stream": stream,
    } | ({"stream_options": {"include_usage": True}} if stream else {})


def usage(mix: str, name: str, size: int, limit: int) -> Usage:
    """What the upstream counts for `size` bytes of prompt and at most `limit` tokens of answer."""
    draw = random.Random(f"usage {name}")
    if mix == REALISTIC:
        kind = min(KINDS, key=lambda kind: abs(KINDS[kind][2] - limit))
        prompt = max(1, round(size / draw.uniform(3.5, 4.5)))
        completion = min(limit, max(1, round(draw.lognormvariate(0, 0.8) * KINDS[kind][3])))
        return Usage(prompt, draw.choice((0, 0, prompt // 2)), completion)
    if draw.random() < 0.1:
        # As dear as the hold allows for: a token a byte, none cached, every token of the answer used.
        return Usage(size, 0, limit)
    prompt = draw.randint(1, size)
    return Usage(prompt, draw.randint(0, prompt), draw.randint(1, limit))

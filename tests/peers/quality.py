"""Topics of BERTopic, TriTopic, EVoC and topicframe from the same vectors, scored in one table.

    cargo build --release --example bench_quality
    python tests/peers/quality.py --vectors V.npy --texts T.tsv --text COLUMN --labels COLUMN \\
        --methods bertopic,tritopic,evoc,topicframe --seeds 1,2,3 --resamples 2 --out results.jsonl

V.npy has a vector for each row of T; rows without one (not finite, or all 0) are left out. Labels are used only for
scores. A method may be followed by options: `topicframe --clusterer hdbscan` passes them to the program, which is the
example bench_quality or the command topicframe (`--program`). Each fit is a process of its own, with as many threads as
the method uses by itself, and is not repeated if results.jsonl has it already, so that a run can be continued. Labels
are kept beside results.jsonl, as .npy.

| column | meaning |
|---|---|
| outliers | share of the rows without a topic |
| NMI, AMI, ARI | with the labels; of all rows with the outliers as one topic, then of the rows in topics |
| purity | share of the rows in topics whose label is the most frequent one of their topic |
| hit | the same share of all rows: an outlier is a miss |
| NPMI | of ten words per topic as gensim's c_npmi: windows of 10 words, no stop words; a phrase is its words |
| NPMI, phrases | the same with phrases as they are |
| diversity | share of distinct ones among all topics' words or phrases |
| seeds | mean ARI between the topics of two seeds, all rows |
| resampled | mean ARI between fits of two random 80 % of the rows, of the rows in both |
| s | seconds of the fit, after imports and, for Python, compilation |
| MB | peak memory of the process |

EVoC has no words: those of BERTopic's class-based TF-IDF are taken. Words that NPMI's texts lack (stop words of
scikit-learn's list, single letters) are not scored.
"""

import argparse
import csv
import gc
import gzip
import itertools
import json
import os
import re
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).parent
BUILT = Path(os.environ.get("CARGO_TARGET_DIR", HERE.parent.parent / "target")) / "release"
WORDS, WINDOW, SHARE = 10, 10, 0.8
KEYS = ("method", "seed", "sample")
EPSILON = 1e-12


# --- The fit of one method, in its own process: only there are the libraries imported.


def random_vectors(dimensions):
    """Enough rows around 50 centers for the code path of real data."""
    import numpy as np

    random = np.random.default_rng(0)
    centers = random.normal(size=(50, dimensions))
    return (centers[random.integers(0, 50, 5000)] + random.normal(size=(5000, dimensions))).astype(np.float32)


def compile_umap(dimensions):
    from umap import UMAP

    UMAP(n_neighbors=15, n_components=5, min_dist=0.0, metric="cosine", n_epochs=5).fit(random_vectors(dimensions))
    forget_peak()


def compile_evoc(dimensions):
    from evoc import EVoC

    EVoC().fit_predict(random_vectors(dimensions))
    forget_peak()


def forget_peak():
    """The peak memory counts from here, where the system allows it: compilation needs more than some fits."""
    gc.collect()
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        pass


def bertopic(texts, vectors, seed, warm):
    import numpy as np
    from bertopic import BERTopic
    from sklearn.feature_extraction.text import CountVectorizer

    if warm:
        compile_umap(vectors.shape[1])
    # BERTopic's UMAP has no seed by default, and runs on all threads: a seed of its own would change that.
    np.random.seed(seed)
    started = time.perf_counter()
    model = BERTopic(embedding_model=None, vectorizer_model=CountVectorizer(stop_words="english"))
    topics, _ = model.fit_transform(texts, vectors)
    seconds = time.perf_counter() - started
    words = {topic: [word for word, _ in words] for topic, words in model.get_topics().items()}
    return topics, words, seconds


def tritopic(texts, vectors, seed, warm):
    from tritopic import TriTopic

    if warm:
        compile_umap(vectors.shape[1])
    started = time.perf_counter()
    model = TriTopic(random_state=seed, verbose=False).fit(texts, embeddings=vectors)
    seconds = time.perf_counter() - started
    return model.labels_, {topic.topic_id: topic.keywords for topic in model.topics_}, seconds


def evoc(texts, vectors, seed, warm):
    import numpy as np
    from evoc import EVoC

    if warm:
        compile_evoc(vectors.shape[1])
    np.random.seed(seed)
    started = time.perf_counter()
    topics = EVoC().fit_predict(vectors)
    seconds = time.perf_counter() - started
    return topics, {}, seconds


def fit(method, folder, seed, warm):
    """Reads vectors.npy and texts.json of `folder`, and writes result.json there."""
    import numpy as np

    vectors = np.load(folder / "vectors.npy")
    texts = json.loads((folder / "texts.json").read_text(encoding="utf-8"))
    methods = {"bertopic": bertopic, "tritopic": tritopic, "evoc": evoc}
    topics, words, seconds = methods[method](texts, vectors, seed, warm)
    words = {int(topic): list(words) for topic, words in words.items()}
    result = {"topics": [int(topic) for topic in topics], "words": words, "seconds": seconds}
    (folder / "result.json").write_text(json.dumps(result), encoding="utf-8")


def measure(command):
    """Runs a command; its peak memory in MB and wall time are the last line printed. This process has nothing in its
    memory: the peak of a new process is at least that of the process it was forked from."""
    started = time.perf_counter()
    done = subprocess.run(command)
    wall = time.perf_counter() - started
    unit = 1 if sys.platform == "darwin" else 1024
    print(json.dumps({"wall": wall, "peak": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * unit / 1e6}))
    sys.exit(done.returncode)


# --- All fits.


def read_table(path, columns):
    csv.field_size_limit(sys.maxsize)
    tabs = path.name.removesuffix(".gz").endswith(".tsv")
    style = {"delimiter": "\t", "quoting": csv.QUOTE_NONE} if tabs else {}
    with (gzip.open if path.suffix == ".gz" else open)(path, "rt", encoding="utf-8", newline="") as table:
        rows = [[row[column] or "" for column in columns] for row in csv.DictReader(table, **style)]
    return [list(column) for column in zip(*rows)]


def write_input(folder, texts, vectors):
    import numpy as np
    import polars as pl

    np.save(folder / "vectors.npy", vectors)
    (folder / "texts.json").write_text(json.dumps(texts), encoding="utf-8")
    embedding = pl.Series(vectors, dtype=pl.Array(pl.Float32, vectors.shape[1]))
    pl.DataFrame({"text": texts, "embedding": embedding}).write_ipc(folder / "frame.arrow")


def run(method, folder, seed, warm, program):
    """The topics of the rows, the words of the topics, seconds and peak memory."""
    name, *options = method.split()
    if name != "topicframe":
        command = [sys.executable, __file__, "--fit", name, folder, str(seed), "warm" if warm else "cold"]
    elif Path(program).stem == "bench_quality":
        frame = [folder / "frame.arrow", "--text", "text", "--embeddings", "embedding"]
        command = [program, *frame, "--seed", str(seed), "--out", folder / "rows.jsonl", *options]
    else:
        frame = [folder / "frame.arrow", "--text", "text", "--embeddings", "embedding"]
        tables = ["--documents", folder / "documents.arrow", "--topics", folder / "topics.arrow"]
        command = [program, "fit", *frame, "--seed", str(seed), *tables, *options]
    measured = [sys.executable, "-S", __file__, "--measure", *command]
    done = subprocess.run([str(part) for part in measured], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{method} failed:\n{done.stdout}{done.stderr}")
    lines = done.stdout.strip().splitlines()
    cost = json.loads(lines[-1])
    if name != "topicframe":
        result = json.loads((folder / "result.json").read_text(encoding="utf-8"))
    elif Path(program).stem == "bench_quality":
        result = result_of_bench(folder / "rows.jsonl")
    else:
        result = result_of_command(folder, cost["wall"])
    return result | cost


def json_lines(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def result_of_bench(path):
    """The first line has seconds and each topic's words, and every other one the topic of a row."""
    first, *rows = json_lines(path)
    words = {topic["Topic"]: topic["Words"] for topic in first["topics"]}
    return {"topics": [row["Topic"] for row in rows], "words": words, "seconds": first["seconds"]}


def result_of_command(folder, wall):
    """The command prints no seconds: those of the whole process are taken."""
    import polars as pl

    topics = pl.read_ipc(folder / "topics.arrow")
    words = dict(zip(topics["Topic"].to_list(), topics["Representation"].to_list()))
    rows = pl.read_ipc(folder / "documents.arrow")
    return {"topics": rows["Topic"].to_list(), "words": words, "seconds": wall}


# --- Scores.


def tokens_of(texts):
    """The words of each text, lowercase, at least two letters long, without stop words."""
    from sklearn.feature_extraction.text import CountVectorizer

    analyze = CountVectorizer(stop_words="english").build_analyzer()
    return [analyze(text) for text in texts], lambda term: tuple(analyze(term))


class Windows:
    """Counts in how many windows of ten words terms occur, alone and together: as gensim's WordOccurrenceAccumulator,
    which takes a word as gone when its first occurrence leaves the window, although another may still be in it."""

    def __init__(self, tokens):
        import numpy as np

        self.vocabulary = {}
        ids = [[self.vocabulary.setdefault(word, len(self.vocabulary)) for word in text] for text in tokens]
        lengths = np.array([len(text) for text in ids])
        self.tokens = np.array([word for text in ids for word in text] + [-1] * WINDOW)
        ends = np.cumsum(lengths)
        # For each place in all texts, its text's first window, end, and last window: a window is its first place.
        self.first = np.repeat(ends - lengths, lengths)
        self.end = np.repeat(ends, lengths)
        self.last = np.maximum(self.end - WINDOW, self.first)
        self.count = int(np.maximum(lengths - WINDOW + 1, 1).sum())
        self.places = np.argsort(self.tokens[: len(self.first)], kind="stable")
        self.starts = np.searchsorted(self.tokens[self.places], np.arange(len(self.vocabulary) + 1))

    def windows_of(self, term):
        """The windows of a term: a word, or several that follow each other."""
        import numpy as np

        words = [self.vocabulary.get(word) for word in term]
        if not words or None in words:
            return np.empty(0, int)
        places = self.places[self.starts[words[0]] : self.starts[words[0] + 1]]
        for after, word in enumerate(words[1:], 1):
            places = places[(self.tokens[places + after] == word) & (places + after < self.end[places])]
        enters = np.maximum(places + len(words) - WINDOW, self.first[places])
        leaves = places[np.searchsorted(places, enters)] if len(places) else places
        leaves = np.minimum(leaves, self.last[places])
        counts = np.maximum(leaves - enters + 1, 0)
        offsets = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
        return np.unique(np.repeat(enters, counts) + offsets)

    def npmi(self, topics):
        """The mean of each topic's mean over all pairs of its terms."""
        import numpy as np
        from scipy.sparse import csr_matrix

        terms = {term: number for number, term in enumerate(dict.fromkeys(term for topic in topics for term in topic))}
        found = [self.windows_of(term) for term in terms]
        sizes = np.array([len(windows) for windows in found])
        places = (np.repeat(np.arange(len(terms)), sizes), np.concatenate(found))
        occurs = csr_matrix((np.ones(len(places[0])), places), shape=(len(terms), len(self.tokens)))
        alone, together = sizes / self.count, occurs @ occurs.T
        means = []
        for topic in topics:
            pairs = list(itertools.combinations([terms[term] for term in topic], 2))
            values = []
            for a, b in pairs:
                both = together[a, b] / self.count
                values.append(np.log((both + EPSILON) / (alone[a] * alone[b])) / -np.log(both + EPSILON))
            if values:
                means.append(np.mean(values))
        return float(np.mean(means)) if means else None


def gensim_npmi(topics, tokens):
    from gensim.corpora import Dictionary
    from gensim.models.coherencemodel import CoherenceModel

    texts = {"texts": tokens, "dictionary": Dictionary(tokens), "window_size": WINDOW, "processes": 1}
    return CoherenceModel(topics=topics, coherence="c_npmi", **texts).get_coherence()


def class_tf_idf(texts, topics):
    """Ten words for each topic by BERTopic's formula: the share of the topic's words, times ln(1 + mean words of a
    topic / count of the word)."""
    import numpy as np
    from scipy.sparse import csr_matrix
    from sklearn.feature_extraction.text import CountVectorizer

    vectorizer = CountVectorizer(stop_words="english")
    counts = vectorizer.fit_transform(texts)
    found, place = np.unique(topics, return_inverse=True)
    members = csr_matrix((np.ones(len(topics)), (place, np.arange(len(topics)))), shape=(len(found), len(topics)))
    counts = (members @ counts).toarray()
    shares = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    weights = shares * np.log1p(counts.sum() / len(found) / np.maximum(counts.sum(0), 1))
    names = vectorizer.get_feature_names_out()
    best = np.argsort(-weights, axis=1, kind="stable")[:, :WORDS]
    return {int(topic): [names[i] for i in row] for topic, row in zip(found, best)}


def word_scores(words, windows, analyze, checked):
    """NPMI with phrases as their words, NPMI with phrases as they are, and diversity. With the tokens in `checked`, the
    first is compared with gensim's."""
    words = [[word for word in words if word][:WORDS] for topic, words in sorted(words.items()) if topic >= 0]
    known = [[term for term in map(analyze, topic) if windows.vocabulary.keys() >= set(term)] for topic in words]
    phrases = [list(dict.fromkeys(term for term in topic if term)) for topic in known]
    single = [list(dict.fromkeys((part,) for term in topic for part in term))[:WORDS] for topic in known]
    single = [topic for topic in single if len(topic) > 1]
    plain = [[word for word, in topic] for topic in single]
    if checked and abs(windows.npmi(single) - gensim_npmi(plain, checked)) > 1e-9:
        sys.exit("NPMI differs from gensim's")
    everything = [word for topic in words for word in topic]
    diversity = len(set(everything)) / len(everything) if everything else None
    return {"npmi": windows.npmi(single), "npmi_phrases": windows.npmi(phrases), "diversity": diversity}


def label_scores(topics, labels):
    import numpy as np
    from sklearn.metrics import adjusted_mutual_info_score, adjusted_rand_score, normalized_mutual_info_score
    from sklearn.metrics.cluster import contingency_matrix

    measures = {"nmi": normalized_mutual_info_score, "ami": adjusted_mutual_info_score, "ari": adjusted_rand_score}
    inside = topics >= 0
    scores = {name: float(measure(labels, topics)) for name, measure in measures.items()}
    if inside.any():
        scores |= {f"{name}_in": float(measure(labels[inside], topics[inside])) for name, measure in measures.items()}
        hits = contingency_matrix(labels[inside], topics[inside]).max(axis=0).sum()
        scores |= {"purity": float(hits / inside.sum()), "hit": float(hits / len(topics))}
    return scores


def mean_ari(pairs):
    import numpy as np
    from sklearn.metrics import adjusted_rand_score

    values = [adjusted_rand_score(a, b) for a, b in pairs]
    return float(np.mean(values)) if values else None


# --- The table.

COLUMNS = {
    "topics": ("topics", "{:.0f}"),
    "outliers": ("outliers", "{:.1%}"),
    "nmi": ("NMI", "{:.3f}"),
    "ami": ("AMI", "{:.3f}"),
    "ari": ("ARI", "{:.3f}"),
    "nmi_in": ("NMI, in topics", "{:.3f}"),
    "ami_in": ("AMI, in topics", "{:.3f}"),
    "ari_in": ("ARI, in topics", "{:.3f}"),
    "purity": ("purity", "{:.3f}"),
    "hit": ("hit", "{:.3f}"),
    "npmi": ("NPMI", "{:.3f}"),
    "npmi_phrases": ("NPMI, phrases", "{:.3f}"),
    "diversity": ("diversity", "{:.3f}"),
    "seeds": ("seeds", "{:.3f}"),
    "resampled": ("resampled", "{:.3f}"),
    "seconds": ("s", "{:.1f}"),
    "peak": ("MB", "{:.0f}"),
}


def stability(runs, labels_of):
    """Mean agreement between seeds, and between samples of the rows."""
    import numpy as np

    whole = [labels_of(run) for run in runs if run["sample"] is None]
    pairs = []
    for a, b in itertools.combinations([run for run in runs if run["sample"] is not None], 2):
        rows_a, rows_b = sample(a["rows"], a["sample"]), sample(b["rows"], b["sample"])
        both = np.intersect1d(rows_a, rows_b)
        pairs.append([labels_of(run)[np.searchsorted(rows, both)] for run, rows in ((a, rows_a), (b, rows_b))])
    return {"seeds": mean_ari(itertools.combinations(whole, 2)), "resampled": mean_ari(pairs)}


def table(results, methods, labels_of):
    shown = ["| method | " + " | ".join(name for name, _ in COLUMNS.values()) + " |", "|---" * (len(COLUMNS) + 1) + "|"]
    for method in methods:
        runs = [result for result in results if result["method"] == method]
        whole = [run for run in runs if run["sample"] is None]
        means = stability(runs, labels_of)
        for key in COLUMNS.keys() - means.keys():
            values = [run[key] for run in whole if run.get(key) is not None]
            means[key] = sum(values) / len(values) if values else None
        cells = [form.format(means[key]) if means[key] is not None else "" for key, (_, form) in COLUMNS.items()]
        shown.append(f"| {method} | " + " | ".join(cells) + " |")
    return "\n".join(shown)


def sample(rows, number):
    """The ascending numbers of a random 80 % of the rows: the same for all methods."""
    import numpy as np

    return np.sort(np.random.default_rng(number).choice(rows, int(rows * SHARE), replace=False))


def labels_path(out, method, seed, number):
    name = re.sub(r"\W+", "_", method).strip("_")
    part = "" if number is None else f".sample{number}"
    return out.with_name(f"{out.stem}.{name}.seed{seed}{part}.npy")


def compare(arguments):
    import numpy as np

    columns = [arguments.text] + ([arguments.labels] if arguments.labels else [])
    texts, *labels = read_table(arguments.texts, columns)
    vectors = np.load(arguments.vectors)
    if len(vectors) != len(texts):
        sys.exit(f"{len(vectors)} vectors, but {len(texts)} texts")
    usable = np.flatnonzero(np.isfinite(vectors).all(1) & (vectors != 0).any(1))
    vectors = np.ascontiguousarray(vectors[usable], np.float32)
    texts = [texts[row] for row in usable]
    labels = np.array(labels[0])[usable] if labels else None
    results = json_lines(arguments.out) if arguments.out.exists() else []
    done = {tuple(result[key] for key in KEYS) for result in results}
    methods = [method.strip() for method in arguments.methods.split(",")]
    seeds = [int(seed) for seed in arguments.seeds.split(",")]
    fits = [(method, seed, None) for method in methods for seed in seeds]
    fits += [(method, seeds[0], number) for method in methods for number in range(arguments.resamples)]
    tokens, analyze = tokens_of(texts)
    windows = Windows(tokens)
    for method, seed, number in fits:
        if (method, seed, number) in done:
            continue
        rows = np.arange(len(texts)) if number is None else sample(len(texts), number)
        with tempfile.TemporaryDirectory() as folder:
            write_input(Path(folder), [texts[row] for row in rows], vectors[rows])
            found = run(method, Path(folder), seed, number is None, arguments.program)
        topics = np.array(found["topics"])
        np.save(labels_path(arguments.out, method, seed, number), topics)
        result = {"method": method, "seed": seed, "sample": number, "rows": len(texts)}
        result |= {"topics": len(set(topics[topics >= 0].tolist())), "outliers": float((topics < 0).mean())}
        result |= {key: found[key] for key in ("seconds", "wall", "peak")}
        if number is None:
            result |= label_scores(topics, labels) if labels is not None else {}
            words = {int(topic): words for topic, words in found["words"].items()} or class_tf_idf(texts, topics)
            result |= word_scores(words, windows, analyze, tokens if arguments.check else None)
            result["words"] = words
        results.append(result)
        with arguments.out.open("a", encoding="utf-8") as file:
            file.write(json.dumps(result, ensure_ascii=False) + "\n")
        shown = {key: value for key, value in result.items() if key != "words"}
        print(json.dumps(shown), file=sys.stderr, flush=True)
    print(table(results, methods, lambda run: np.load(labels_path(arguments.out, *(run[key] for key in KEYS)))))


def main():
    if sys.argv[1:2] == ["--measure"]:
        return measure(sys.argv[2:])
    if sys.argv[1:2] == ["--fit"]:
        return fit(sys.argv[2], Path(sys.argv[3]), int(sys.argv[4]), sys.argv[5] == "warm")
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--vectors", type=Path, required=True, help="a matrix as .npy")
    parser.add_argument("--texts", type=Path, required=True, help="a .tsv or .csv file, or .gz")
    parser.add_argument("--text", required=True, help="the column of the texts")
    parser.add_argument("--labels", help="a column of labels, for scores")
    parser.add_argument("--methods", default="bertopic,tritopic,evoc,topicframe", help="comma-separated")
    parser.add_argument("--seeds", default="1,2,3", help="comma-separated")
    parser.add_argument("--resamples", type=int, default=0, help="number of fits of a random 80 %% of the rows")
    example = BUILT / "examples" / "bench_quality"
    parser.add_argument("--program", type=Path, default=example, help="topicframe's program")
    parser.add_argument("--check", action="store_true", help="compare NPMI with gensim's, which takes minutes")
    parser.add_argument("--out", type=Path, required=True, help="a JSON Lines file, continued if it exists")
    compare(parser.parse_args())


if __name__ == "__main__":
    main()

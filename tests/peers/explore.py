"""What is done with topics after a fit, by topicframe and by BERTopic: the same texts, vectors, topics, times and classes.

    cargo build --release --example bench_explore
    python tests/peers/explore.py --texts T.tsv --text COLUMN --class COLUMN --topics 200 --work FOLDER
    python tests/peers/explore.py --texts MANY.tsv --text COLUMN --topics 1000 --work FOLDER --only topicframe

Vectors are those of the built-in embedder; topics are by k-means, and the 30 % of rows that are farthest from their mean
are outliers. Times are made up: the number of the row modulo 20, in months. Classes are, too, without `--class`. All of
this is written to FOLDER/frame.arrow once. Results are in FOLDER/results.jsonl, and steps that are there are not repeated,
so that a run can be continued (`--again` forgets them).

| step | topicframe | BERTopic |
|---|---|---|
| hierarchy | hierarchical_topics | hierarchical_topics |
| over_time | topics_over_time, 20 bins | topics_over_time, nr_bins=20 |
| per_class | topics_per_class, with tests of association | topics_per_class |
| distribution | approximate_distribution | approximate_distribution; of the first `--rows` texts, and the time is for all |
| outliers by .. | reduce_outliers, after which words and vectors follow | reduce_outliers, then update_topics |

Words are counted as BERTopic does by default (`--words default`: as topicframe does, which does more). Both by default use
as many threads as they like. Seconds are those of the step alone; of topicframe the median of `--runs`. MB is the peak
memory of the process during the step, with texts, vectors and model. For memberships, both have the share of a row's cosine
to a topic's mean in all positive ones: BERTopic is given the matrix, topicframe computes it.

Where BERTopic is right, results are compared: frequencies, distances of the tree, shares of topics, and where outliers go.
"""

import argparse
import gc
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path

from quality import read_table

HERE = Path(__file__).parent
BUILT = Path(os.environ.get("CARGO_TARGET_DIR", HERE.parent.parent / "target")) / "release"
STRATEGIES = ("probabilities", "distributions", "c-tf-idf", "embeddings")
STEPS = ("hierarchy", "over_time", "per_class", "distribution", *(f"outliers by {name}" for name in STRATEGIES))
BINS, CLASSES, OUTLIERS = 20, 20, 0.3


# --- The input, once.


def k_means(vectors, count):
    """The topic of each row, by size, and -1 for those farthest from their mean."""
    import numpy as np
    from sklearn.cluster import MiniBatchKMeans

    random = np.random.default_rng(0)
    sample = np.sort(random.choice(len(vectors), min(len(vectors), 100_000), replace=False))
    fitted = MiniBatchKMeans(count, random_state=0, n_init=1, batch_size=8192, max_iter=20).fit(vectors[sample])
    means = fitted.cluster_centers_.astype(np.float32)
    means /= np.maximum(np.linalg.norm(means, axis=1, keepdims=True), 1e-12)
    labels, cosines = np.empty(len(vectors), int), np.empty(len(vectors))
    for start in range(0, len(vectors), 65_536):
        products = vectors[start : start + 65_536] @ means.T
        labels[start : start + len(products)] = products.argmax(1)
        cosines[start : start + len(products)] = products.max(1)
    # Copies of a text must not be on both sides.
    cosines = cosines.round(4)
    labels[cosines < np.quantile(cosines, OUTLIERS)] = -1
    sizes = np.bincount(labels[labels >= 0], minlength=count)
    order = np.argsort(-sizes, kind="stable")
    numbers = np.empty(count, int)
    numbers[order] = np.arange(count)
    return np.where(labels >= 0, numbers[labels], -1)


def prepare(arguments):
    import numpy as np
    import polars as pl

    frame = arguments.work / "frame.arrow"
    if frame.exists():
        return
    columns = [arguments.text] + ([arguments.classes] if arguments.classes else [])
    texts, *classes = read_table(arguments.texts, columns)
    with tempfile.TemporaryDirectory(dir=arguments.work) as folder:
        source, embedded = Path(folder) / "texts.arrow", Path(folder) / "embedded.arrow"
        pl.DataFrame({"text": texts} | ({"class": classes[0]} if classes else {})).write_ipc(source)
        subprocess.run([arguments.program, "embed", source, "--text", "text", "--out", embedded], check=True)
        table = pl.read_ipc(embedded).filter(pl.col("embedding").is_not_null())
    vectors = np.ascontiguousarray(table["embedding"].to_numpy(), np.float32)
    units = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    row = pl.int_range(pl.len())
    table = table.with_columns(
        pl.Series("topic", k_means(units, arguments.topics), dtype=pl.Int32),
        (pl.date(2000, 1, 1) + pl.duration(days=30 * (row % BINS))).alias("time"),
    )
    if not classes:
        table = table.with_columns(((row // BINS) % CLASSES).cast(pl.String).alias("class"))
    table.select("text", "embedding", "topic", "time", "class").write_ipc(frame)


# --- BERTopic, each step in its own process.


def forget_peak():
    """The peak memory counts from here, where the system allows it."""
    gc.collect()
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        pass


def peak():
    """In MB."""
    try:
        return int(re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())[1]) * 1024 / 1e6
    except OSError:
        return None


def bertopic_of(texts, vectors, topics):
    """A model of known topics, and the given topic of each of its own."""
    import numpy as np
    from bertopic import BERTopic
    from bertopic.cluster import BaseCluster
    from bertopic.dimensionality import BaseDimensionalityReduction
    from sklearn.feature_extraction.text import CountVectorizer

    class Fixed(BaseCluster):
        def fit(self, X, y=None):
            self.labels_ = np.array(topics)
            return self

    stages = {"umap_model": BaseDimensionalityReduction(), "hdbscan_model": Fixed()}
    # For English, BERTopic removes all but ASCII letters and digits, also where that joins words.
    model = BERTopic("multilingual", embedding_model=None, vectorizer_model=CountVectorizer(), **stages)
    model.fit(texts, embeddings=vectors)
    return model, dict(zip(model.topics_, topics))


def memberships(vectors, topics, given):
    """A column for each topic of the model, ascending."""
    import numpy as np

    units = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    rows = np.array(topics)
    means = np.stack([units[rows == given[topic]].mean(0) for topic in sorted(given) if topic >= 0])
    cosines = np.maximum(units @ (means / np.linalg.norm(means, axis=1, keepdims=True)).T, 0)
    return cosines / np.maximum(cosines.sum(1, keepdims=True), 1e-12)


def bertopic(step, work, rows):
    """Runs a step, and writes its seconds and what is compared to bertopic.json and bertopic.npy of `work`."""
    import numpy as np
    import polars as pl

    frame = pl.read_ipc(work / "frame.arrow")
    texts, topics, classes = frame["text"].to_list(), frame["topic"].to_list(), frame["class"].to_list()
    times = [datetime(day.year, day.month, day.day) for day in frame["time"].to_list()]
    vectors = np.ascontiguousarray(frame["embedding"].to_numpy(), np.float32)
    del frame
    model, given = bertopic_of(texts, vectors, topics)
    probabilities = memberships(vectors, topics, given) if step.endswith("probabilities") else None
    found, more = {}, {}
    forget_peak()
    started = time.perf_counter()
    if step == "hierarchy":
        found["distances"] = model.hierarchical_topics(texts)["Distance"].to_list()
    elif step == "over_time":
        table = model.topics_over_time(texts, times, nr_bins=BINS)
        place = {moment: place for place, moment in enumerate(sorted(table["Timestamp"].unique()))}
        counts = zip(table["Topic"], table["Timestamp"], table["Frequency"])
        found["counts"] = [[int(given[topic]), place[moment], int(count)] for topic, moment, count in counts]
    elif step == "per_class":
        table = model.topics_per_class(texts, classes)
        counts = zip(table["Topic"], table["Class"], table["Frequency"])
        found["counts"] = [[int(given[topic]), name, int(count)] for topic, name, count in counts]
    elif step == "distribution":
        shares, _ = model.approximate_distribution(texts[:rows])
        more["of"] = len(shares)
    else:
        strategy = step.removeprefix("outliers by ")
        further = {"probabilities": probabilities, "embeddings": vectors}
        reduced = model.reduce_outliers(texts, model.topics_, strategy=strategy, **further)
        more["alone"] = time.perf_counter() - started
        model.update_topics(texts, topics=reduced)
    more |= {"seconds": time.perf_counter() - started, "peak": peak()}
    if step == "distribution":
        columns = [given[topic] for topic in sorted(given) if topic >= 0]
        ordered = np.zeros((len(shares), max(columns) + 1))
        ordered[:, columns] = shares
        np.save(work / "bertopic_distribution.npy", ordered)
    elif step.startswith("outliers"):
        found["topics"] = [int(given[int(topic)]) for topic in reduced]
    (work / f"bertopic_{step.replace(' ', '_')}.json").write_text(json.dumps(found), encoding="utf-8")
    print(json.dumps(more))


def run_bertopic(step, arguments):
    command = [sys.executable, __file__, "--step", step, arguments.work, arguments.rows or 10**9]
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"BERTopic, {step} failed:\n{done.stdout}{done.stderr}")
    return json.loads(done.stdout.strip().splitlines()[-1])


# --- topicframe.


def run_topicframe(arguments):
    command = [arguments.program, "run", arguments.work / "frame.arrow", "--text", "text", "--bins", BINS]
    command += ["--words", arguments.words, "--runs", arguments.runs]
    if arguments.only != "topicframe":
        command += ["--tables", arguments.work / "tables"]
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"topicframe failed:\n{done.stdout}{done.stderr}")
    return [json.loads(line) for line in done.stdout.splitlines()]


# --- The comparison.


def given_topics(topics, given):
    """The given topic of each of `topics`, which are of the same rows."""
    return {topic: of_row for topic, of_row in zip(topics, given) if of_row >= 0} | {-1: -1}


def differences(step, work):
    """In words, and whether they are as expected."""
    import numpy as np
    import polars as pl

    def table(name):
        return pl.read_ipc(work / "tables" / f"{name}.arrow")

    other = json.loads((work / f"bertopic_{step.replace(' ', '_')}.json").read_text(encoding="utf-8"))
    given = pl.read_ipc(work / "frame.arrow", columns=["topic"])["topic"].to_list()
    own = given_topics(table("topics")["Topic"].to_list(), given)
    if step == "hierarchy":
        distances = [np.sort(values) for values in (table("hierarchy")["Distance"].to_list(), other["distances"])]
        if len(distances[0]) != len(distances[1]):
            return f"{len(distances[0])} merges, BERTopic {len(distances[1])}", False
        largest = np.abs(distances[0] - distances[1]).max()
        return f"distances differ by at most {largest:.1e}", largest < 1e-6
    if step in ("over_time", "per_class"):
        frame, key = table(step), "Timestamp" if step == "over_time" else "Class"
        places = {value: place for place, value in enumerate(sorted(frame[key].unique().to_list()))}
        place = places.get if step == "over_time" else lambda value: value
        counts = zip(frame["Topic"].to_list(), frame[key].to_list(), frame["Frequency"].to_list())
        counts = {(own[topic], place(value)): count for topic, value, count in counts}
        theirs = {(topic, value): count for topic, value, count in other["counts"]}
        wrong = sum(counts.get(key) != theirs.get(key) for key in counts.keys() | theirs.keys())
        return f"{wrong} of {len(theirs)} frequencies differ", wrong == 0
    if step == "distribution":
        theirs = np.load(work / "bertopic_distribution.npy")
        frame = table("distribution").filter((pl.col("Row") < len(theirs)) & pl.col("Topic").is_not_null())
        shares = np.zeros_like(theirs)
        shares[frame["Row"].to_numpy(), [own[topic] for topic in frame["Topic"].to_list()]] = frame["Share"].to_numpy()
        apart = (np.abs(shares - theirs).max(1) > 1e-6).mean()
        return f"shares differ by more than 1e-6 in {apart:.2%} of texts", apart < 0.01
    strategy = step.removeprefix("outliers by ")
    after = table(f"outliers_{strategy}")["Topic"].to_list()
    names = given_topics(after, given)
    moved = [(names.get(topic), other_topic) for topic, other_topic, before in zip(after, other["topics"], given) if before < 0]
    same = np.mean([topic == other_topic for topic, other_topic in moved])
    # BERTopic takes every similarity there, topicframe those from 0.1 on.
    return f"{same:.2%} of outliers go to the same topic", strategy == "distributions" or same > 0.99


def json_lines(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []


def cell(result):
    if not result:
        return ""
    memory = f", {result['peak']:,.0f} MB" if result.get("peak") else ""
    return f"{result['seconds']:.2f} s{memory}"


def compare(arguments):
    import polars as pl

    arguments.work.mkdir(parents=True, exist_ok=True)
    out = arguments.work / "results.jsonl"
    if arguments.again:
        out.unlink(missing_ok=True)
    prepare(arguments)
    results = {(result["of"], result["step"]): result["result"] for result in json_lines(out)}

    def keep(method, step, result):
        results[method, step] = result
        with out.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"of": method, "step": step, "result": result}) + "\n")
        print(method, step, json.dumps(result), file=sys.stderr, flush=True)

    lacks_tables = arguments.only != "topicframe" and not (arguments.work / "tables").exists()
    if lacks_tables or any(("topicframe", step) not in results for step in STEPS):
        for result in run_topicframe(arguments):
            keep("topicframe", result["step"], result)
    wanted = [] if arguments.only == "topicframe" else arguments.steps.split(",") if arguments.steps else STEPS
    for step in wanted:
        if ("bertopic", step) not in results:
            keep("bertopic", step, run_bertopic(step, arguments))
    rows = pl.scan_ipc(arguments.work / "frame.arrow").select(pl.len()).collect().item()
    print("| step | topicframe | BERTopic | times | |\n|---|---|---|---|---|")
    failed = False
    for step in dict.fromkeys([*STEPS, *(step for method, step in results if method == "topicframe")]):
        own, other = results.get(("topicframe", step)), results.get(("bertopic", step))
        times, notes = "", []
        if other:
            other, part = dict(other), other.get("of", rows)
            if part < rows:
                notes.append(f"BERTopic took {other['seconds']:.1f} s for {part:,} of {rows:,} texts")
                other["seconds"] *= rows / part
            if "alone" in other:
                notes.append(f"without update_topics {other['alone']:.2f} s")
            times = f"{other['seconds'] / own['seconds']:.1f}"
            if arguments.words == "bertopic":
                words, agrees = differences(step, arguments.work)
                notes.append(words if agrees else f"**{words}**")
                failed |= not agrees
        print(f"| {step} | {cell(own)} | {cell(other)} | {times} | {'; '.join(notes)} |", flush=True)
    if failed:
        sys.exit("results differ")


def main():
    if sys.argv[1:2] == ["--step"]:
        return bertopic(sys.argv[2], Path(sys.argv[3]), int(sys.argv[4]))
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--texts", type=Path, required=True, help="a .tsv or .csv file, or .gz")
    parser.add_argument("--text", required=True, help="the column of the texts")
    parser.add_argument("--class", dest="classes", help="the column of the classes")
    parser.add_argument("--topics", type=int, default=200, help="the number of topics")
    parser.add_argument("--work", type=Path, required=True, help="a folder for the frame and the results")
    parser.add_argument("--rows", type=int, help="BERTopic finds the topics within only so many texts")
    parser.add_argument("--steps", help="BERTopic's steps, comma-separated")
    parser.add_argument("--only", choices=["topicframe"], help="without BERTopic")
    parser.add_argument("--words", choices=["bertopic", "default"], default="bertopic", help="topicframe's words")
    parser.add_argument("--runs", type=int, default=3, help="of topicframe's steps")
    parser.add_argument("--program", type=Path, default=BUILT / "examples" / "bench_explore", help="topicframe's program")
    parser.add_argument("--again", action="store_true", help="repeat all steps")
    compare(parser.parse_args())


if __name__ == "__main__":
    main()

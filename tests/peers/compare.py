"""topicframe compared with umap-learn, hdbscan, fast_hdbscan, EVoC and BERTopic on the same vectors and machine.

    cargo build --release --bin topicframe --example bench_fit
    python tests/peers/compare.py FRAME.arrow --text COLUMN [--label COLUMN] [--runs 3] [--only umap,hdbscan,fit]

FRAME.arrow has texts, vectors in the column `embedding` (`embed.py` creates such a file) and optionally labels, which
are used only for scores. Each pair runs in turn, `--runs` times; medians and their ratios are printed.
"""

import argparse
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import polars as pl
from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score
from sklearn.neighbors import KDTree

HERE = Path(__file__).parent
BUILT = Path(os.environ.get("CARGO_TARGET_DIR", HERE.parent.parent / "target")) / "release"
STEPS = ("umap", "hdbscan", "fit")
K, SAMPLE, MIN_CLUSTER_SIZE = 15, 1000, 30


def run(*command):
    """Wall time in seconds, peak memory in MB, and the output.

    The peak is read while the process runs: the value that the system reports afterward includes the memory of this
    process, from which it was forked.
    """
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as errors:
        started, peak = time.perf_counter(), 0
        process = subprocess.Popen([str(part) for part in command], stdout=out, stderr=errors)
        while process.poll() is None:
            peak = max(peak, peak_of(process.pid))
            time.sleep(0.005)
        wall = time.perf_counter() - started
        for file in (out, errors):
            file.seek(0)
        text, said = out.read(), errors.read()
    if process.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))} failed:\n{text}{said}")
    return wall, peak / 1e3, text


def peak_of(process):
    """In kB; 0 if the system does not report it, or while the process is still a copy of this one."""
    try:
        status = Path(f"/proc/{process}/status").read_text()
        is_copy = Path(f"/proc/{process}/cmdline").read_bytes() == Path("/proc/self/cmdline").read_bytes()
    except OSError:
        return 0
    found = re.search(r"VmHWM:\s+(\d+)", status)
    return int(found[1]) if found and not is_copy else 0


def peer(name, *arguments):
    wall, peak, text = run(sys.executable, HERE / "peers.py", name, *arguments)
    return float(re.search(r"^seconds ([\d.]+)", text, re.M)[1]), wall, peak


def ours(*arguments):
    """Seconds as reported by the step itself, and peak memory."""
    _, peak, text = run(BUILT / "examples" / "bench_fit", *arguments)
    return float(re.search(rf"^{arguments[0]} +([\d.]+) s", text, re.M)[1]), peak


def row(what, own, other, own_peak=None, other_peak=None):
    memory = f", {own_peak:.0f} vs. {other_peak:.0f} MB" if own_peak else ""
    print(f"{what}: {own:.2f} s vs. {other:.2f} s, {other / own:.1f} times faster{memory}", flush=True)


def median(values):
    return statistics.median(values)


def quality(vectors, points):
    """Trustworthiness and the fraction of neighbors preserved, for a sample of the rows among all rows."""
    count = len(vectors)
    sample = np.arange(min(SAMPLE, count)) * count // min(SAMPLE, count)
    unit = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-30)
    near = KDTree(points).query(points[sample], K + 1)[1]
    penalty, kept = 0, 0
    for own, found in zip(sample, near):
        closeness = unit @ unit[own]
        closeness[own] = -np.inf
        ranks = np.array([(closeness > closeness[other]).sum() for other in found[found != own][:K]])
        penalty += np.maximum(ranks + 1 - K, 0).sum()
        kept += (ranks < K).sum()
    worst = len(sample) * K * (2 * count - 3 * K - 1) / 2
    return 1 - penalty / worst, kept / (len(sample) * K)


def compare_umap(frame, folder, runs):
    own, other, qualities = [], [], {"topicframe": [], "umap-learn": []}
    vectors = np.ascontiguousarray(pl.read_ipc(frame)["embedding"].to_numpy())
    for seed in range(runs):
        arguments = ("--sample", 0, "--seed", seed, "--out", folder / "own.arrow")
        own.append(ours("umap", frame, *arguments))
        other.append(peer("umap", frame, folder / "points.npy"))
        qualities["topicframe"].append(quality(vectors, pl.read_ipc(folder / "own.arrow")["points"].to_numpy()))
        qualities["umap-learn"].append(quality(vectors, np.load(folder / "points.npy")))
    row("UMAP", median(x[0] for x in own), median(x[0] for x in other), median(x[1] for x in own), median(x[2] for x in other))
    for name, values in qualities.items():
        trust, kept = np.median(values, axis=0)
        print(f"  {name}: trustworthiness {trust:.4f}, {K}-neighbor preservation {kept:.4f}", flush=True)


def compare_hdbscan(frame, folder, runs):
    if not (folder / "points.npy").exists():
        peer("umap", frame, folder / "points.npy")
    points = np.load(folder / "points.npy").astype(np.float32)
    pl.DataFrame({"points": pl.Series(points, dtype=pl.Array(pl.Float32, points.shape[1]))}).write_ipc(folder / "p.arrow")
    np.save(folder / "points.npy", points)
    own, others = [], {"hdbscan": [], "fast_hdbscan": []}
    for _ in range(runs):
        size = ("--min-cluster-size", MIN_CLUSTER_SIZE)
        own.append(ours("hdbscan", folder / "p.arrow", "--column", "points", *size, "--out", folder / "own.arrow"))
        for name, values in others.items():
            values.append(peer(name, folder / "points.npy", folder / f"{name}.npy"))
    labels = pl.read_ipc(folder / "own.arrow")["label"].to_numpy()
    for name, values in others.items():
        row(f"HDBSCAN of umap-learn's points, {name}", median(x[0] for x in own), median(x[0] for x in values))
        print(f"  ARI with {name}: {adjusted_rand_score(labels, np.load(folder / f'{name}.npy')):.5f}", flush=True)
    peer("exact_hdbscan", folder / "points.npy", folder / "exact.npy")
    print(f"  ARI with hdbscan's exact tree: {adjusted_rand_score(labels, np.load(folder / 'exact.npy')):.5f}")


def scores(topics, labels):
    inside = topics >= 0
    nmi, ari = normalized_mutual_info_score, adjusted_rand_score
    return (
        f"{topics.max() + 1} topics, {1 - inside.mean():.1%} outliers, clustered NMI {nmi(labels[inside], topics[inside]):.3f} "
        f"ARI {ari(labels[inside], topics[inside]):.3f}, all NMI {nmi(labels, topics):.3f}"
    )


def compare_fit(frame, folder, runs, text, label):
    own, bertopic, evoc, found = [], [], [], {"topicframe": [], "BERTopic": [], "EVoC": []}
    labels = pl.read_ipc(frame)[label].cast(pl.String).to_numpy() if label else None
    fit = (BUILT / "topicframe", "fit", frame, "--text", text, "--embeddings", "embedding", "--like", "bertopic")
    for seed in range(runs):
        own.append(run(*fit, "--seed", seed))
        bertopic.append(peer("bertopic", frame, folder / "bertopic.npy", text))
        evoc.append(peer("evoc", frame, folder / "evoc.npy"))
        if label:
            run(*fit, "--seed", seed, "--documents", folder / "own.parquet")
            found["topicframe"].append(scores(pl.read_parquet(folder / "own.parquet")["Topic"].to_numpy(), labels))
            found["BERTopic"].append(scores(np.load(folder / "bertopic.npy"), labels))
            found["EVoC"].append(scores(np.load(folder / "evoc.npy"), labels))
    wall, peak = median(x[0] for x in own), median(x[1] for x in own)
    row("fit, fresh BERTopic process", wall, median(x[1] for x in bertopic), peak, median(x[2] for x in bertopic))
    row("fit, BERTopic's fit alone", wall, median(x[0] for x in bertopic))
    row("fit, EVoC without import and compilation", wall, median(x[0] for x in evoc), peak, median(x[2] for x in evoc))
    for name, values in found.items():
        for value in values:
            print(f"  {name}: {value}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("frame", type=Path, help="an Arrow file with texts and the column `embedding`")
    parser.add_argument("--text", required=True, help="the column of the texts")
    parser.add_argument("--label", help="a column of labels, for scores")
    parser.add_argument("--runs", type=int, default=3, help="number of runs of each pair")
    parser.add_argument("--only", default=",".join(STEPS), help="comma-separated subset of umap, hdbscan and fit")
    arguments = parser.parse_args()
    if not set(arguments.only.split(",")) <= set(STEPS):
        parser.error(f"--only takes a subset of {', '.join(STEPS)}")
    if not (BUILT / "topicframe").exists() or not (BUILT / "examples" / "bench_fit").exists():
        parser.error("build first: cargo build --release --bin topicframe --example bench_fit")
    with tempfile.TemporaryDirectory() as folder:
        folder, steps = Path(folder), arguments.only.split(",")
        if "umap" in steps:
            compare_umap(arguments.frame, folder, arguments.runs)
        if "hdbscan" in steps:
            compare_hdbscan(arguments.frame, folder, arguments.runs)
        if "fit" in steps:
            compare_fit(arguments.frame, folder, arguments.runs, arguments.text, arguments.label)


if __name__ == "__main__":
    main()

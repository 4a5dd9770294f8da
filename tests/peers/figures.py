"""The figures of topicframe and of BERTopic: the same texts, vectors, topics and positions in the plane.

    cargo build --release --example bench_explore --example bench_figures
    python tests/peers/figures.py --texts T.tsv --text COLUMN --class COLUMN --topics 100 --work FOLDER

Needs requirements.txt, and for BERTopic's visualize_document_datamap: pip install datamapplot==0.7.3, and then, since dask
asks for an older pandas than it needs, pip install --no-deps pandas==3.1.1.

The frame is that of explore.py, and is made by it if FOLDER has none: vectors of the built-in embedder, topics by k-means,
30 % outliers, made-up times. Results are in FOLDER/figures.jsonl; figures are in FOLDER/figures (topicframe) and
FOLDER/bertopic.

Seconds are from the model to a page as text, with what is drawn computed before (`explore.py` measures that): the layout,
which is topicframe's for both; the tree; topics over time, by class and within a document. Both are the median of `--runs`,
so that BERTopic's compilation (UMAP in visualize_topics) does not count. Bytes are those of topicframe's SVG and page, and
of BERTopic's page without and with Plotly's JavaScript, which it needs once in every file. `layout` is topicframe's
layout_2d, and the UMAP that visualize_documents computes if it is given no positions, with compilation before.

| figure | note |
|---|---|
| visualize_document_datamap | BERTopic's by DataMapPlot: the picture as PNG; its interactive page loads fonts and scripts from servers |
| visualize_hierarchical_documents | 10 levels in both |
| visualize_approximate_distribution | BERTopic's is a table of pandas, and fails with pandas 3, which has no Styler.applymap |
"""

import argparse
import io
import json
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path

import explore

LAYOUT = "layout"


# --- BERTopic.


def drawn(name, runs, draw, page, folder):
    """The median seconds of a figure, and the bytes of its page; or why it failed."""
    seconds = []
    for _ in range(runs):
        started = time.perf_counter()
        try:
            figure = draw()
            content = page(figure)
        except Exception as failed:  # a figure that crashes is a result, too
            return {"step": name, "error": f"{type(failed).__name__}: {failed}"[:200]}
        seconds.append(time.perf_counter() - started)
    found = {"step": name, "seconds": statistics.median(seconds), "html": len(content)}
    if hasattr(figure, "to_plotly_json"):
        found["without_js"] = len(figure.to_html(include_plotlyjs=False).encode())
    suffix = "png" if isinstance(content, bytes) and content[1:4] == b"PNG" else "html"
    (folder / f"{name}.{suffix}").write_bytes(content)
    return found


def plotly_page(figure):
    return figure.to_html().encode()


def table_page(table):
    return (table.to_html() if hasattr(table, "to_html") else str(table)).encode()


def picture(figure):
    import matplotlib.pyplot as plt

    out = io.BytesIO()
    figure.savefig(out, format="png", bbox_inches="tight")
    plt.close(figure)
    return out.getvalue()


def datamap_page(figure):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "map.html"
        figure.save(path)
        return path.read_bytes()


def umap_seconds(vectors):
    import numpy as np
    from umap import UMAP

    settings = {"n_neighbors": 10, "n_components": 2, "min_dist": 0.0, "metric": "cosine"}
    sample = np.random.default_rng(0).choice(len(vectors), min(5000, len(vectors)), replace=False)
    UMAP(**settings).fit(vectors[sample])
    started = time.perf_counter()
    UMAP(**settings).fit(vectors)
    return time.perf_counter() - started


def bertopic(work, runs):
    """Prints the seconds and bytes of each figure, as JSON Lines."""
    import numpy as np
    import polars as pl

    frame = pl.read_ipc(work / "frame.arrow")
    texts, topics, classes = frame["text"].to_list(), frame["topic"].to_list(), frame["class"].to_list()
    times = [datetime(day.year, day.month, day.day) for day in frame["time"].to_list()]
    vectors = np.ascontiguousarray(frame["embedding"].to_numpy(), np.float32)
    plane = pl.read_ipc(work / "figures" / "layout.arrow").select("x", "y").to_numpy()
    model, _ = explore.bertopic_of(texts, vectors, topics)
    folder = work / "bertopic"
    folder.mkdir(exist_ok=True)

    def tell(found):
        print(json.dumps(found), flush=True)

    tell({"step": LAYOUT, "seconds": umap_seconds(vectors)})
    tree = model.hierarchical_topics(texts)
    over_time = model.topics_over_time(texts, times, nr_bins=explore.BINS)
    per_class = model.topics_per_class(texts, classes)
    shares, tokens = model.approximate_distribution(texts[:1], calculate_tokens=True)
    placed = {"reduced_embeddings": plane}
    figures = {
        "visualize_topics": (model.visualize_topics, plotly_page),
        "visualize_documents": (lambda: model.visualize_documents(texts, **placed), plotly_page),
        "visualize_hierarchical_documents": (
            lambda: model.visualize_hierarchical_documents(texts, tree, **placed),
            plotly_page,
        ),
        "visualize_hierarchy": (lambda: model.visualize_hierarchy(hierarchical_topics=tree), plotly_page),
        "visualize_heatmap": (model.visualize_heatmap, plotly_page),
        "visualize_barchart": (model.visualize_barchart, plotly_page),
        "visualize_term_rank": (model.visualize_term_rank, plotly_page),
        # As many topics as topicframe draws.
        "visualize_topics_over_time": (lambda: model.visualize_topics_over_time(over_time, top_n_topics=10), plotly_page),
        "visualize_topics_per_class": (lambda: model.visualize_topics_per_class(per_class), plotly_page),
        "visualize_distribution": (lambda: model.visualize_distribution(shares[0]), plotly_page),
        "visualize_approximate_distribution": (
            lambda: model.visualize_approximate_distribution(texts[0], tokens[0]),
            table_page,
        ),
        # Last, since the picture of many posts may take more memory than there is.
        "visualize_document_datamap": (lambda: model.visualize_document_datamap(texts, **placed), picture),
        "visualize_document_datamap, interactive": (
            lambda: model.visualize_document_datamap(texts, interactive=True, **placed),
            datamap_page,
        ),
    }
    for name, (draw, page) in figures.items():
        tell(drawn(name, runs, draw, page, folder))


# --- The comparison.


def lines_of(command, name):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    if done.returncode != 0:
        # What was drawn before counts: DataMapPlot may be killed for its memory.
        print(f"{name} ended early ({done.returncode}):\n{done.stderr[-2000:]}", file=sys.stderr)
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


def seconds_of(result):
    if not result:
        return ""
    return result["error"] if "error" in result else f"{result['seconds']:.3f} s"


def kilobytes(result, *names):
    sizes = [f"{result[name] / 1000:,.0f}" for name in names if result and name in result]
    return " / ".join(sizes) + (" kB" if sizes else "")


def compare(arguments):
    arguments.work.mkdir(parents=True, exist_ok=True)
    explore.prepare(arguments)
    built = explore.BUILT / "examples"
    frame, out = arguments.work / "frame.arrow", arguments.work / "figures.jsonl"
    command = [built / "bench_figures", frame, "--text", "text", "--runs", arguments.runs]
    own = lines_of([*command, "--bins", explore.BINS, "--out", arguments.work / "figures"], "topicframe")
    other = []
    if arguments.only != "topicframe":
        other = lines_of([sys.executable, __file__, "--bertopic", arguments.work, arguments.runs], "BERTopic")
    with out.open("w", encoding="utf-8") as file:
        for method, results in (("topicframe", own), ("bertopic", other)):
            file.writelines(json.dumps({"of": method} | result) + "\n" for result in results)
    own, other = ({result["step"]: result for result in results} for results in (own, other))
    print("| figure | topicframe | BERTopic | times | SVG / page | BERTopic's page, without / with Plotly |")
    print("|---|---|---|---|---|---|")
    for step in dict.fromkeys([*own, *other]):
        ours, theirs = own.get(step), other.get(step)
        both = ours and theirs and "seconds" in theirs
        times = f"{theirs['seconds'] / ours['seconds']:.0f}" if both else ""
        sizes = f"{kilobytes(ours, 'svg', 'html')} | {kilobytes(theirs, 'without_js', 'html')}"
        print(f"| {step} | {seconds_of(ours)} | {seconds_of(theirs)} | {times} | {sizes} |")


def main():
    if sys.argv[1:2] == ["--bertopic"]:
        return bertopic(Path(sys.argv[2]), int(sys.argv[3]))
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--texts", type=Path, required=True, help="a .tsv or .csv file, or .gz")
    parser.add_argument("--text", required=True, help="the column of the texts")
    parser.add_argument("--class", dest="classes", help="the column of the classes")
    parser.add_argument("--topics", type=int, default=100, help="the number of topics")
    parser.add_argument("--work", type=Path, required=True, help="a folder for the frame, the figures and the results")
    parser.add_argument("--only", choices=["topicframe"], help="without BERTopic")
    parser.add_argument("--runs", type=int, default=3, help="how often each figure is drawn")
    parser.add_argument("--program", type=Path, default=explore.BUILT / "examples" / "bench_explore")
    compare(parser.parse_args())


if __name__ == "__main__":
    main()

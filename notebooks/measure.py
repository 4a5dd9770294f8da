"""Measures the latency of the kernel "Rust (topicframe)", compared with evcxr alone and with the command-line program.

    python notebooks/measure.py [--runs 3] [--evcxr PATH] [--job FILE --text COLUMN --binary target/release/topicframe]

Prints, over all runs, the time in seconds until a new kernel is ready, the time of its first cell and of later cells; the same
for evcxr's own kernel with a cell without dependencies (the lower bound); and, with --job, the time of a fit on a file in a
cell and with `topicframe fit`, alternately. Needs jupyter_client (pip install jupyterlab) and `topicframe kernel install`.
"""

import argparse
import pathlib
import re
import shutil
import statistics
import subprocess
import time

from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from jupyter_client.manager import KernelManager

FOLDER = pathlib.Path(__file__).resolve().parent
FIRST = 'use topicframe::prelude::*;\nlet drawings = read_csv("../examples/data/openclipart/captions.csv")?;\ndrawings.head(Some(3))'
LATER = [
    'let model = TopicModel::text("caption", StaticEmbedder::builtin());',
    "let (topics, drawings) = model.fit_transform(&drawings)?;\ntopics",
    "topics.get_topic_info()?",
    "let info = topics.get_topic_info()?.head(Some(3));",
    "info",
    "topics.get_topic(0)",
    'topics.find_topics("boat", 3)?',
    'show((heading("Topics"), &info, topics.summary()))',
]


class Kernel:
    def __init__(self, spec):
        self.manager = KernelManager()
        self.manager._kernel_spec = spec
        self.begun = time.monotonic()
        self.manager.start_kernel(cwd=str(FOLDER), stderr=subprocess.DEVNULL)
        self.client = self.manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=600)
        self.ready = time.monotonic() - self.begun

    def run(self, code):
        """Returns the elapsed seconds and what the cell printed."""
        begun, printed = time.monotonic(), []

        def hook(message):
            content = message["content"]
            if message["msg_type"] == "stream":
                printed.append(content["text"])
            if message["msg_type"] == "error":
                raise SystemExit("\n".join(content["traceback"]))

        self.client.execute_interactive(code, timeout=600, output_hook=hook)
        return time.monotonic() - begun, "".join(printed)

    def stop(self):
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)


def told(name, numbers):
    print(f"{name:44} median {statistics.median(numbers):6.2f} s   {min(numbers):.2f} to {max(numbers):.2f}", flush=True)


def starts(spec, first, later, runs, name):
    ready, firsts, rest = [], [], []
    for _ in range(runs):
        kernel = Kernel(spec)
        ready.append(kernel.ready)
        firsts.append(kernel.run(first)[0])
        rest += [kernel.run(cell)[0] for cell in later]
        kernel.stop()
    told(f"{name}: ready", ready)
    told(f"{name}: first cell", firsts)
    told(f"{name}: start to end of first cell", [a + b for a, b in zip(ready, firsts)])
    told(f"{name}: later cells", rest)


def job(spec, options):
    path = pathlib.Path(options.job).resolve()
    cell = (f'{{ let begun = std::time::Instant::now();\nlet frame = read_frame({str(path)!r})?;\n'
            f'let topics = TopicModel::text("{options.text}", StaticEmbedder::builtin()).verbose(false).fit_transform(&frame)?;\n'
            'println!("{} topics in {:.3} s", topics.0.summary().topics, begun.elapsed().as_secs_f64()); }').replace("'", '"')
    kernel = Kernel(spec)
    kernel.run("use topicframe::prelude::*;")
    in_cell, as_program = [], []
    for _ in range(options.runs + 1):
        printed = kernel.run(cell)[1]
        seconds = re.search(r"in ([0-9.]+) s", printed)
        if not seconds:
            kernel.stop()
            raise SystemExit(printed)
        in_cell.append(float(seconds.group(1)))
        begun = time.monotonic()
        subprocess.run([options.binary, "fit", str(path), "--text", options.text], check=True, capture_output=True)
        as_program.append(time.monotonic() - begun)
    kernel.stop()
    told("the job in a cell", in_cell[1:])
    told("the job as a program, including startup", as_program[1:])


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--runs", type=int, default=3)
    arguments.add_argument("--evcxr", default=shutil.which("evcxr_jupyter"))
    arguments.add_argument("--job")
    arguments.add_argument("--text", default="text")
    arguments.add_argument("--binary", default="target/release/topicframe")
    options = arguments.parse_args()
    spec = KernelSpecManager().get_kernel_spec("topicframe")
    starts(spec, FIRST, LATER, options.runs, "topicframe")
    if options.evcxr:
        bare = KernelSpec(argv=[options.evcxr, "--control_file", "{connection_file}"], env={}, display_name="evcxr",
                          language="rust", interrupt_mode="message")
        starts(bare, "let x = vec![1, 2];\nx", ["x.len()", "let y = x.clone();"], options.runs, "evcxr alone")
    if options.job:
        job(spec, options)


if __name__ == "__main__":
    main()

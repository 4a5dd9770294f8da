"""Runs the notebooks in this folder in the kernel "Rust (topicframe)".

    python notebooks/run.py            # runs all of them, and compares the shape of their output with the saved output
    python notebooks/run.py --save     # runs them and saves their output
    python notebooks/run.py 01 03      # runs some of them

A cell that fails, or that writes to standard error (as evcxr does when `?` returns an error), fails the run. The shape of
an output is its kind, its media types, and for HTML its numbers of tables, rows, columns, images and list items.

Needs nbclient and nbformat (pip install jupyterlab brings both) and `topicframe kernel install`.
"""

import argparse
import html.parser
import pathlib
import re
import sys
import time

import nbclient
import nbformat

FOLDER = pathlib.Path(__file__).resolve().parent
COUNTED = ("table", "tr", "th", "td", "img", "li", "dt", "circle", "iframe", "h3")


class Tags(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.counts = {}

    def handle_starttag(self, tag, attributes):
        if tag in COUNTED:
            self.counts[tag] = self.counts.get(tag, 0) + 1


def tags(page):
    parser = Tags()
    parser.feed(page)
    return parser.counts


def shape(output):
    """The part of an output that is the same in every run of a cell."""
    if output.output_type == "stream":
        # Progress lines depend on the machine's speed, so their presence is not compared.
        return None
    if output.output_type in ("execute_result", "display_data"):
        data = output.data
        text = "".join(data.get("text/html", ""))
        return (output.output_type, sorted(data), tags(text))
    return (output.output_type, getattr(output, "ename", ""))


def shapes(cell):
    return [found for found in map(shape, cell.outputs) if found is not None]


def one_stream(cell):
    """Merges the lines of a stream, which the kernel sends one by one, into one output."""
    merged = []
    for output in cell.outputs:
        last = merged[-1] if merged else None
        if output.output_type == "stream" and last is not None and last.get("name") == output.name:
            last.text += output.text
        else:
            merged.append(output)
    cell.outputs = merged


def told(notebook):
    """The error messages of a notebook's cells, without colors."""
    lines = [line for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs
             if output.output_type == "error" for line in output.traceback]
    return re.sub("\x1b\\[[0-9;]*m", "", "\n".join(lines))


def run(path, save):
    notebook = nbformat.read(path, as_version=4)
    saved = [shapes(cell) if cell.cell_type == "code" else None for cell in notebook.cells]
    client = nbclient.NotebookClient(
        notebook,
        kernel_name="topicframe",
        timeout=600,
        startup_timeout=300,
        resources={"metadata": {"path": str(path.parent)}},
        record_timing=False,
    )
    times = []
    client.on_cell_execute = lambda cell, cell_index: times.append([cell_index, time.monotonic()])
    client.on_cell_executed = lambda cell, cell_index, execute_reply: times[-1].append(time.monotonic())
    begun = time.monotonic()
    try:
        client.execute()
    except nbclient.exceptions.CellExecutionError as error:
        return [f"{error}\n{told(notebook)}"]
    seconds = [end - start for index, start, end in (t for t in times if len(t) == 3) if notebook.cells[index].cell_type == "code"]
    problems = []
    for number, (cell, before) in enumerate(zip(notebook.cells, saved)):
        if cell.cell_type != "code":
            continue
        one_stream(cell)
        problems += [f"cell {number} wrote to standard error: {output.text}"
                     for output in cell.outputs if output.output_type == "stream" and output.name == "stderr"]
        if not save and shapes(cell) != before:
            problems.append(f"cell {number} output differs from the saved output:\n  saved {before}\n  now   {shapes(cell)}")
    print(f"{path.name}: {time.monotonic() - begun:.1f} s, first cell {seconds[0]:.1f} s, "
          f"slowest later cell {max(seconds[1:]):.1f} s", flush=True)
    if save and not problems:
        for cell in notebook.cells:
            cell.get("metadata", {}).pop("execution", None)
        nbformat.write(notebook, path)
    return problems


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--save", action="store_true", help="save the output of the notebooks")
    arguments.add_argument("names", nargs="*", help="prefixes of the names of the notebooks to run (default: all)")
    options = arguments.parse_args()
    paths = [path for path in sorted(FOLDER.glob("*.ipynb"))
             if not options.names or any(path.name.startswith(name) for name in options.names)]
    if not paths:
        sys.exit(f"no matching notebook in {FOLDER}")
    failed = False
    for path in paths:
        for problem in run(path, options.save):
            failed = True
            print(f"{path.name}: {problem}", file=sys.stderr, flush=True)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()

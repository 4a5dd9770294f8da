#!/bin/sh
# Runs the notebooks in a real kernel, on a machine with Rust, Python and pip:
#
#     sh notebooks/run.sh            # run all of them, compare their output with the saved output
#     sh notebooks/run.sh --save     # run them and save their output
#     sh notebooks/run.sh --browser  # also run notebook 02 in JupyterLab in a browser, and look at maps there (Chromium, or
#                                    # $CHROMIUM)
#
# $TOPICFRAME is a `topicframe` that is already built; without it, cargo builds one.
# All dependencies go into one folder, target/notebooks or $TOPICFRAME_NOTEBOOKS: a Python environment with Jupyter, evcxr's
# kernel, topicframe's kernel. The first run builds for twenty to thirty minutes on two cores; later runs start immediately.
# Existing kernels are not affected.
set -eu
cd "$(dirname "$0")/.."

place=${TOPICFRAME_NOTEBOOKS:-target/notebooks}
mkdir -p "$place"
place=$(cd "$place" && pwd)
browser=
case "${1:-}" in --browser) browser=yes; shift ;; esac

python=$place/python/bin
if ! [ -x "$python/jupyter" ]; then
    python3 -m venv "$place/python"
    "$python/pip" install --quiet --disable-pip-version-check -r notebooks/requirements.txt
fi
if [ -n "$browser" ] && ! "$python/python" -c 'import playwright' 2>/dev/null; then
    "$python/pip" install --quiet --disable-pip-version-check playwright==1.65.2
fi

if ! [ -x "$place/bin/evcxr_jupyter" ]; then
    # With less optimization it builds in two thirds of the time.
    CARGO_PROFILE_RELEASE_OPT_LEVEL=1 CARGO_PROFILE_RELEASE_LTO=off cargo install evcxr_jupyter --version 0.22.0 --locked --root "$place"
fi

PATH=$python:$place/bin:$PATH
export PATH
install_kernel() {
    # The notebooks are the test.
    "$@" kernel install --skip-test-cell --source "$PWD" --folder "$place/kernel" --prefix "$place/python"
}
if [ -n "${TOPICFRAME:-}" ]; then
    install_kernel "$TOPICFRAME"
else
    install_kernel cargo run --release --locked --quiet --
fi

python notebooks/run.py "$@"
if [ -n "$browser" ]; then
    python notebooks/browser.py
    python notebooks/plots.py --program "${TOPICFRAME:-${CARGO_TARGET_DIR:-target}/release/topicframe}"
fi

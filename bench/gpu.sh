#!/usr/bin/env bash
# The tests that need an NVIDIA GPU, then bench/gpu.py. For a bare machine: a checkout, and a python that has torch,
# torchvision, timm, safetensors, onnx, onnxscript, onnxruntime, scikit-learn, scipy, pyarrow, Pillow, threadpoolctl and
# pytest. Nothing is installed or fetched.
#
#     bash bench/gpu.sh                       results in bench/results/gpu.json
#     OUT=/tmp/out bash bench/gpu.sh          results in /tmp/out/gpu.json
#     PYTHON=/opt/venv/bin/python3 WINNOW_TEST_DATA=/data bash bench/gpu.sh --seeds 5
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
python=${PYTHON:-python3}
export PYTHONPATH="$PWD/src${PYTHONPATH:+:$PYTHONPATH}" PYTHONUNBUFFERED=1
code=0
# Our settings of pytest and the fixtures of all tests ask for more than a bare machine has.
"$python" -m pytest -c /dev/null --rootdir "$PWD" --noconftest -p no:cacheprovider -q -rs -W ignore tests/train/test_gpu.py ||
    { code=$?; echo "bench/gpu.sh: the tests on the GPU failed" >&2; }
"$python" bench/gpu.py "$@"
exit "$code"

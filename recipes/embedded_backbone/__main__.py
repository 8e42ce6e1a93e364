"""Make Winnow's embedded backbone: prune a teacher, distil it, write the package's data.

    python recipes/embedded_backbone DATA RUN --out src/winnow/graph/backbones/winnow-small [--processes 2]

DATA is the folder of real data (its README says what lies there); RUN keeps what is made on the way, about 3 GB, and
the same command goes on where a killed one stopped. Needs the extra `deep`; about an hour and a half of two cores.
Seeds are fixed. Steps: what the teacher says of every view (teacher.py), a pruned student (prune.py), distillation
(distil.py), graph and weights (package.py). `python bench/backbone.py` then measures it.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
from distil import ROUNDS, SEED, as_input, distil, keep, weights_of
from package import write_package
from pictures import SIDE_PX, Views
from prune import prune
from teacher import Said, answers, load_teacher

from winnow.nets.export import as_graph
from winnow.train.parallel import start

N_CALIBRATION = 512
"""Views that the student is pruned on."""


def main() -> None:
    """Do what has not been done yet."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="the folder of real data")
    parser.add_argument("run", type=Path, help="a folder for what is made on the way")
    parser.add_argument("--out", type=Path, required=True, help="the backbone's folder")
    parser.add_argument("--processes", type=int, default=1, help="that distil together (default 1)")
    asked = parser.parse_args()
    asked.run.mkdir(parents=True, exist_ok=True)
    prepare(asked.data, asked.run)
    if asked.processes == 1:
        distil(asked.data, asked.run, None)
    else:
        script = Path(__file__).with_name("distil.py")
        if status := start([str(script), str(asked.data), str(asked.run)], asked.processes):
            sys.exit(status)
    write_package(weights_of(asked.run, len(ROUNDS)), asked.out, asked.data)


def prepare(data: Path, run: Path) -> None:
    """The teacher's answers, and the student to start from."""
    views, teacher = Views(data), load_teacher(data / "weights")
    answers(as_graph(Said(teacher).eval(), SIDE_PX), views, run / "answers.npy")
    if not weights_of(run, 0).exists():
        some = np.random.default_rng(SEED).choice(len(views), N_CALIBRATION, replace=False)
        keep(prune(teacher, as_input([views[int(number)] for number in some])), weights_of(run, 0))


if __name__ == "__main__":
    main()

"""Promise: features of 2,000 photographs at least 4 x the usual way; a second pass, from the cache, under 2 %.

The usual way: PIL, torchvision transforms and eager fp32 PyTorch, at the best of several thread and worker settings,
with one and the same backbone (EdgeTPU, 192 px). The photographs are made from `cats-dogs` by tiling its pictures two
by two to about 105 KiB, as JPEG of full quality (100); each way reads the same files from the same disk.
"""

from __future__ import annotations

import hashlib
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from harness import edgetpu_backbone, keep, need_data
from photographs import make_photographs
from PIL import Image
from torchvision import transforms

from winnow.graph.backbone import open_backbone
from winnow.graph.features import FeatureGraph, FeatureStore, PictureReader
from winnow.nets.weights import Weights, find_weights, open_net

N, SIDE_PX = 2000, 192


class Photographs(torch.utils.data.Dataset):
    """The usual way to read pictures."""

    def __init__(self, paths: list[Path], mean: list[float], std: list[float]) -> None:
        self.paths = paths
        self.transform = transforms.Compose(
            [transforms.Resize((SIDE_PX, SIDE_PX)), transforms.ToTensor(), transforms.Normalize(mean, std)]
        )

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: int) -> torch.Tensor:
        return self.transform(Image.open(self.paths[index]).convert("RGB"))


def usual_way(
    paths: list[Path], network: torch.nn.Module, entry: Weights, threads: int, workers: int, batch: int
) -> float:
    """Seconds of the usual way for these photographs."""
    torch.set_num_threads(threads)
    loader = torch.utils.data.DataLoader(
        Photographs(paths, entry.mean, entry.std), batch_size=batch, num_workers=workers
    )
    start = time.perf_counter()
    with torch.inference_mode():
        for pixels in loader:
            network(pixels)
    return time.perf_counter() - start


def main() -> None:
    """Measure both ways."""
    entry = find_weights(need_data() / "weights")
    network = open_net(entry, side_px=SIDE_PX).eval()
    with tempfile.TemporaryDirectory() as folder:
        paths = make_photographs(Path(folder), N)
        size_kib = float(np.mean([path.stat().st_size for path in paths])) / 1024
        backbone = open_backbone(edgetpu_backbone(Path(folder, "backbone"), SIDE_PX))
        features = FeatureGraph(backbone.name, backbone.graph(), backbone.input_spec, backbone.dim, is_backbone=True)
        path_of = {hashlib.sha256(str(path).encode()).hexdigest(): path for path in paths}
        contents = list(path_of)
        store = FeatureStore(PictureReader(lambda content: path_of[content].read_bytes(), Path(folder, "cache")))
        choice = store.format_of(features, contents)  # once a machine and backbone, not once a dataset
        settings = [(2, 0, 32), (1, 1, 32), (2, 2, 32), (1, 2, 32), (2, 0, 1)]
        trials = {setting: usual_way(paths[:200], network, entry, *setting) for setting in settings}
        best = min(trials, key=lambda setting: trials[setting])
        ratios: list[float] = []
        rates: list[tuple[float, float]] = []
        for round_number in range(3):
            theirs = usual_way(paths, network, entry, *best)
            fresh = FeatureStore(PictureReader(store.reader._read, Path(folder, f"cache-{round_number}")))
            start = time.perf_counter()
            rows = fresh.rows(features, contents, choice)
            first = time.perf_counter() - start
            start = time.perf_counter()
            again = fresh.rows(features, contents, choice)
            second = time.perf_counter() - start
            assert np.array_equal(rows, again)
            ratios.append(theirs / first)
            rates.append((N / first, N / theirs))
    ratio = float(np.median(ratios))
    keep(
        "features",
        {
            "photographs": N,
            "mean_kib": round(size_kib, 1),
            "number_format": choice.number_format,
            "usual_way_best_threads_workers_batch": best,
            "ratio_median": round(ratio, 2),
            "ratios": [round(one, 2) for one in ratios],
            "pictures_per_s_ours_and_theirs": [[round(a, 1), round(b, 1)] for a, b in rates],
            "second_pass_share": round(second / first, 4),
        },
        {"at least 4 x the usual way": ratio >= 4, "second pass under 2 % of the first": second < 0.02 * first},
    )


if __name__ == "__main__":
    main()

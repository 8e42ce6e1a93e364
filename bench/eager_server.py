"""The rival of bench/serve.py: FastAPI, PIL, torchvision's transforms and the same network in eager PyTorch.

It is what tutorials show: fp32, `torch.inference_mode`, one process, the work in FastAPI's threads, torch's own choice
of threads. Its head is fresh, which takes the same time. Started as `python bench/eager_server.py PORT`.
"""

from __future__ import annotations

import io
import sys

import torch
import uvicorn
from fastapi import FastAPI, Request
from PIL import Image
from starlette.concurrency import run_in_threadpool
from torchvision import transforms

from winnow.graph.backbone import EMBEDDED, open_backbone
from winnow.nets.backbone_weights import open_network

CLASSES = ("cats", "dogs")


def main() -> None:
    """Serve until told to end."""
    backbone = open_backbone(EMBEDDED / "winnow-small")
    side = backbone.input_spec.side_px
    net = open_network(backbone, len(CLASSES)).eval()
    assert backbone.network is not None
    normalise = transforms.Normalize(backbone.network["mean"], backbone.network["std"])
    prepare = transforms.Compose([transforms.Resize((side, side)), transforms.ToTensor(), normalise])
    app = FastAPI()

    def answer(body: bytes) -> dict[str, float]:
        with torch.inference_mode():
            batch = prepare(Image.open(io.BytesIO(body)).convert("RGB"))[None]
            return dict(zip(CLASSES, torch.softmax(net(batch), 1)[0].tolist(), strict=True))

    @app.post("/predict")
    async def predict(request: Request) -> dict[str, float]:
        return await run_in_threadpool(answer, await request.body())

    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="warning", access_log=False)


if __name__ == "__main__":
    main()

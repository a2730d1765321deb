# Trains a row with torchtitan, whose configuration is scaling_row.py. Log lines as of commit b5bcd76c (August 2026).
import argparse
import math
import os
import re

import adapter

COLOUR = re.compile(r"\x1b\[[0-9;]*m")
# "[rank0]:[titan] 2026-08-21 21:30:21,338 - root - INFO - validate step: 400  loss:  3.1416  memory: 38.22GiB(48.28%)  tps: 120,431"
LINE = re.compile(r"(validate )?step: +(\d+)  loss: +(\S+)  ")


def main():
    parser = argparse.ArgumentParser(description="Trains the row of $SCALING_REQUEST with torchtitan.")
    parser.add_argument("--checkout", required=True, help="folder of torchtitan")
    parser.add_argument("--train-data", required=True, help="JSON Lines with the field 'text'")
    parser.add_argument("--valid-data", required=True, help="the held-out text, likewise")
    parser.add_argument("--tokenizer", required=True, help="folder of Hugging Face assets with tokenizer.json")
    parser.add_argument("--gpus", type=int, default=1)
    parser.add_argument("--micro-batch", type=int, default=1, help="sequences a step on one device")
    options, request = parser.parse_args(), adapter.request()
    tokens_a_step = request["batch"] * request["context"]
    points = {}

    def read(line):
        if found := LINE.search(COLOUR.sub("", line)):
            step, loss = int(found[2]), float(found[3])
            if found[1] or not math.isfinite(loss):
                points[step] = {"tokens": step * tokens_a_step, "loss": loss if math.isfinite(loss) else None,
                                "annealed": step == request["steps"], "steps": step, "recipe": "torchtitan bf16"}
            else:
                adapter.progress(step * tokens_a_step, loss)

    here = os.path.dirname(os.path.abspath(__file__))
    environment = {
        "PYTHONPATH": os.pathsep.join([here, *filter(None, [os.environ.get("PYTHONPATH")])]),
        "TITAN_TRAIN": os.path.abspath(options.train_data), "TITAN_VALID": os.path.abspath(options.valid_data), "TITAN_TOKENIZER": os.path.abspath(options.tokenizer),
        "TITAN_GPUS": str(options.gpus), "TITAN_MICRO_BATCH": str(options.micro_batch), "LOG_RANK": "0",
    }
    code = adapter.run(
        ["torchrun", f"--nproc_per_node={options.gpus}", "--rdzv_backend", "c10d", "--rdzv_endpoint=localhost:0", "--local-ranks-filter", "0", "--role", "rank",
         "--tee", "3", "-m", "torchtitan.train", "--module", "scaling_row", "--config", "row"],
        options.checkout, environment, read)
    adapter.finish(code, points, "validation loss")


main()

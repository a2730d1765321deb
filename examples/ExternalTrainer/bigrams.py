"""A trainer that needs nothing but Python: how often a byte follows another, in as many counters as the shape has parameters.

It is no decoder, and its losses say nothing of shapes. It shows the contract of tasks/Scaling.Stages.Train/TRAINER.md end to end: a request read, tokens trained
on, progress told, a checkpoint at SIGTERM from which the next call goes on, and a held-out loss at every point.
"""
import array
import json
import math
import os
import pickle
import random
import signal
import sys

V = 256


def shard(path):
    with open(path, "rb") as file:
        header = array.array("i", file.read(1024))
        if header[0] != 20240520 or header[1] != 1:
            sys.exit(f"{path} is no token shard of version 1")
        tokens = array.array("H", file.read())
    return tokens[:header[2]]


class Model:
    """p(b | byte before): counts in a row that the byte before chooses by hash, smoothed by how frequent b is. Where parameters are few, bytes share rows."""

    def __init__(self, parameters):
        self.rows = [[0] * V for _ in range(max(1, parameters // V))]
        self.bytes = [1] * V

    def row(self, before):
        return self.rows[(before * 2_654_435_761 >> 7) % len(self.rows)]

    def learn(self, tokens, at):
        self.bytes[tokens[at]] += 1
        self.row(tokens[at - 1])[tokens[at]] += 1

    def nats(self, tokens, at):
        row = self.row(tokens[at - 1])
        return -math.log((row[tokens[at]] + 8 * self.bytes[tokens[at]] / sum(self.bytes)) / (sum(row) + 8))


def main():
    with open(os.environ["SCALING_REQUEST"], encoding="utf-8") as file:
        request = json.load(file)
    checkpoint = os.path.join(request["work"], "checkpoint.pickle")
    training, held_out = shard(request["training_shard"]), shard(request["held_out_shard"])
    context, batch, step, points = request["context"], request["batch"], 0, []
    model = Model(request["shape"]["parameters"])
    if os.path.exists(checkpoint):
        with open(checkpoint, "rb") as file:
            step, points, model = pickle.load(file)
        print(f"goes on from step {step}", flush=True)

    stopped = []
    signal.signal(signal.SIGTERM, lambda *_: stopped.append(True))
    judged = range(1, len(held_out), max(1, len(held_out) // min(request["evaluation_tokens"], 4096)))
    windows = (len(training) - 1) // context
    while step < request["steps"]:
        if stopped:
            with open(checkpoint + ".new", "wb") as file:
                pickle.dump((step, points, model), file)
            os.replace(checkpoint + ".new", checkpoint)
            sys.exit(143)
        order = random.Random(f"{request['pipeline_seed']} {step}")
        for _ in range(batch):
            start = order.randrange(windows) * context
            for at in range(start + 1, start + context + 1):
                model.learn(training, at)
        step += 1
        if step in request["points"]:
            losses = [model.nats(held_out, at) for at in judged]
            mean = sum(losses) / len(losses)
            deviation = math.sqrt(sum((x - mean) ** 2 for x in losses) / max(1, len(losses) - 1))
            points.append({"version": 1, "tokens": step * batch * context, "loss": mean, "loss_standard_error": deviation / math.sqrt(len(losses)),
                           "annealed": True, "steps": step, "schedule": "none", "recipe": "hashed bigram counts", "evaluation_tokens": len(losses),
                           "unique_tokens": len(training)})
        if step % 16 == 0 or step == request["steps"]:
            print(json.dumps({"progress": {"tokens": step * batch * context}}), flush=True)

    with open(request["result"], "w", encoding="utf-8") as file:
        file.writelines(json.dumps(point) + "\n" for point in points)


main()

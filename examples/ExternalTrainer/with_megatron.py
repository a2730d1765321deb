# Trains a row with Megatron-LM (pretrain_gpt.py). Flags and log lines as of commit d98e8a64 (August 2026).
import argparse
import os
import re

import adapter

# " validation loss at iteration 400 on validation set | lm loss value: 3.141593E+00 | lm loss PPL: 2.314069E+01 | "
VALIDATION = re.compile(r"validation loss at iteration (\d+)[^|]*\| lm loss value: (\S+) \|")
# " [2026-08-22 15:22:22.123456] iteration      100/     400 | consumed samples:        51200 | ... | lm loss: 4.567890E+00 | ..."
TRAINING = re.compile(r"iteration +(\d+)/ *\d+ \|.*\| lm loss: (\S+) \|")
# What pretrain_gpt.py ends with where the loss is no number.
DIVERGED = re.compile(r"found (NaN|Inf) in local forward loss")


def command(request, options):
    shape, steps, batch, context = request["shape"], request["steps"], request["batch"], request["context"]
    model = [
        "--num-layers", shape["layers"], "--hidden-size", shape["hidden"], "--ffn-hidden-size", shape["intermediate"],
        "--num-attention-heads", shape["heads"], "--group-query-attention", "--num-query-groups", shape["kv_heads"], "--kv-channels", shape["head_size"],
        "--swiglu", "--normalization", "RMSNorm", "--norm-epsilon", "1e-5", "--disable-bias-linear",
        "--position-embedding-type", "rope", "--rotary-base", "10000", "--rotary-percent", "1.0", "--max-position-embeddings", context,
        "--attention-dropout", "0.0", "--hidden-dropout", "0.0", "--init-method-std", "0.02",
        *([] if shape["tied"] else ["--untie-embeddings-and-output-weights"]),
    ]
    schedule = ["--lr-decay-style", "cosine", "--min-lr", 0.1 * request["learning_rate"]]
    if request["schedule"] == "warmup-stable-decay":
        schedule = ["--lr-decay-style", "WSD", "--lr-wsd-decay-style", "minus_sqrt", "--lr-wsd-decay-iters", max(1, round(request["decay"] * steps)), "--min-lr", "0.0"]
    training = [
        "--train-iters", steps, "--global-batch-size", batch, "--micro-batch-size", options.micro_batch, "--seq-length", context,
        "--lr", request["learning_rate"], "--lr-warmup-iters", request["warmup_steps"], "--lr-decay-iters", steps, *schedule,
        "--weight-decay", request["weight_decay"], "--adam-beta1", "0.9", "--adam-beta2", "0.95", "--clip-grad", "1.0", "--bf16",
        "--seed", request["seed"],
    ]
    data = [
        "--train-data-path", options.train_data, "--valid-data-path", options.valid_data, "--full-validation",
        "--tokenizer-type", "HuggingFaceTokenizer", "--tokenizer-model", options.tokenizer, "--vocab-size", shape["vocabulary"],
        "--make-vocab-size-divisible-by", "1",
    ]
    keeping = [
        "--log-interval", max(1, steps // 100), "--eval-interval", steps, "--eval-iters", "1",
        "--save", os.path.join(request["work"], "checkpoints"), "--load", os.path.join(request["work"], "checkpoints"), "--save-interval", max(1, steps // 20),
        "--exit-signal-handler",
    ]
    return ["torchrun", "--nproc_per_node", str(options.gpus), "pretrain_gpt.py", *map(str, model + training + data + keeping), *options.more]


def main():
    parser = argparse.ArgumentParser(description="Trains the row of $SCALING_REQUEST with Megatron-LM.")
    parser.add_argument("--checkout", required=True, help="folder of Megatron-LM")
    parser.add_argument("--train-data", required=True, help="prefix that tools/preprocess_data.py wrote")
    parser.add_argument("--valid-data", required=True, help="prefix of the held-out text, judged whole")
    parser.add_argument("--tokenizer", required=True, help="Hugging Face name or folder")
    parser.add_argument("--gpus", type=int, default=1)
    parser.add_argument("--micro-batch", type=int, default=1)
    parser.add_argument("more", nargs="*", help="flags passed on, after --")
    options, request = parser.parse_args(), adapter.request()
    tokens_a_step = request["batch"] * request["context"]
    points, last = {}, [0]

    def read(line):
        if found := VALIDATION.search(line):
            step, loss = int(found[1]), float(found[2])
            points[step] = {"tokens": step * tokens_a_step, "loss": loss, "annealed": step == request["steps"], "steps": step, "recipe": "Megatron-LM bf16, init 0.02"}
        elif found := TRAINING.search(line):
            last[0] = int(found[1])
            adapter.progress(last[0] * tokens_a_step, float(found[2]))
        elif DIVERGED.search(line):
            step = last[0] + 1
            points[step] = {"tokens": step * tokens_a_step, "loss": None, "annealed": False, "steps": step}

    code = adapter.run(command(request, options), options.checkout, {"CUDA_DEVICE_MAX_CONNECTIONS": "1"}, read)
    adapter.finish(code, points, "validation loss")


main()

# What the adapters share: the request, a child whose output passes through, and the result.
import json
import os
import signal
import subprocess
import sys


def request():
    with open(os.environ["SCALING_REQUEST"], encoding="utf-8") as file:
        return json.load(file)


def run(command, folder, environment, each_line):
    """Runs a trainer; its output is ours, and each_line sees every line. SIGTERM reaches it directly, being sent to the whole group: we wait for it."""
    signal.signal(signal.SIGTERM, lambda *_: None)
    print("+", " ".join(command), flush=True)
    with subprocess.Popen(command, cwd=folder, env={**os.environ, **environment}, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, errors="replace") as child:
        for line in child.stdout:
            print(line, end="", flush=True)
            each_line(line)
    code = child.returncode
    return code if code >= 0 else 128 - code


def progress(tokens, loss):
    print(json.dumps({"progress": {"tokens": tokens, "loss": loss}}), flush=True)


def write(points):
    """Points by step: the step's loss replaces one that was read earlier, as trainers judge the last step twice."""
    with open(os.environ["SCALING_RESULT"], "w", encoding="utf-8") as file:
        for point in points.values():
            file.write(json.dumps({"version": 1, **point}) + "\n")


def finish(code, points, what):
    if code == 0 and not points:
        sys.exit(f"the trainer ended well, and its output has no {what}")
    write(points)
    sys.exit(code)

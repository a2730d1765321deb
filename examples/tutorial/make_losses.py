# Makes losses.csv: losses of decoders that were never trained, from a law that is known, so that what the tutorial finds can be held against the truth.
# python3 make_losses.py > losses.csv
#
# Base law: 1.69 + 406.4/N^.34 + 410.7/D^.28 (arXiv 2203.15556). Shape: (2.697 + .0974 ln x + .0078/x)(.387 + .0063 ln r + .0065/r), scaled to 1 at its minimum,
# x* = .080, r* = 1.03 (arXiv 2510.18245). Each size misses the law by .003 nats (sd), each run by .008.
import math
import random

dice = random.Random(20251021)


def shape(x, r):
    return (2.697 + .0974 * math.log(x) + .0078 / x) * (.387 + .0063 * math.log(r) + .0065 / r)


least = shape(.0078 / .0974, .0065 / .0063)
print("run,params,tokens,d_model,n_layers,n_heads,n_kv_heads,head_dim,d_ff,val_loss")
for size, layers in (80e6, 12), (145e6, 12), (297e6, 12), (600e6, 16):
    levels = {budget: dice.gauss(0, .003) for budget in (20, 100)}
    for x in .055, .075, .1:
        for ratio in .6, 1.2, 2.4, 4:
            width = 64 * round(x * math.sqrt(size) / 64)
            heads = 4 * max(1, round(size / (2 * layers * width * 1.25 * (1 + ratio)) / 256))  # heads of 64, four to a key/value head
            mlp = 64 * round((size / layers - 2.5 * width * heads * 64) / (3 * width) / 64)
            parameters = layers * width * (160 * heads + 3 * mlp)
            if mlp <= 0 or abs(parameters / size - 1) > .05:
                continue
            actual = shape(width / math.sqrt(parameters), 3 * mlp / (160 * heads)) / least
            for budget in 20, 100:
                tokens = int(budget * size)
                loss = actual * (1.69 + 406.4 / parameters ** .34 + 410.7 / tokens ** .28) + levels[budget] + dice.gauss(0, .008)
                print(f"{layers}x{width}-{heads}-{mlp}@{budget},{parameters},{tokens},{width},{layers},{heads},{heads // 4},64,{mlp},{loss:.4f}")

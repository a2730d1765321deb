# Writes token numbers, one a line on standard input, as a shard of llm.c's layout: python3 write_shard.py FILE < numbers
import array
import sys

tokens = array.array("H", map(int, sys.stdin))  # uint16; "I" with 20240801, 7 for vocabularies beyond 65536
with open(sys.argv[1], "wb") as file:
    array.array("i", [20240520, 1, len(tokens)] + [0] * 253).tofile(file)
    tokens.tofile(file)
print(f"{sys.argv[1]}: {len(tokens)} tokens")

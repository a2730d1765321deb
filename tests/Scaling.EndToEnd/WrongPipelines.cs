// Pipeline files with a mistake each: what the tool says of them, and what an editor does.
namespace Scaling.EndToEnd;

public static class WrongPipelines
{
    /// <summary>The mistake in words, and the file.</summary>
    public static TheoryData<string, string> All => new()
    {
        { "unknown stage type", "stages:\n  shapes: { uses: sweeep, with: { sizes: [8k], layers: 2 } }\n" },
        { "misspelt setting", "stages:\n  shapes:\n    uses: sweep\n    with: { sizes: [8k], layers: 2, tollerance: 0.1 }\n" },
        { "wrong type", "stages:\n  shapes:\n    uses: sweep\n    with: { sizes: [8k], layers: two }\n" },
        { "value out of range", "stages:\n  shapes:\n    uses: sweep\n    with: { sizes: [8k], layers: 2, head_size: -8 }\n" },
        { "missing setting", "stages:\n  shapes: { uses: sweep }\n" },
        { "missing dependency", "stages:\n  shapes: { uses: sweep, with: { sizes: [8k], layers: 2 } }\n  runs: { uses: train, needs: shape }\n" },
        { "unbound role", "stages:\n  shapes: { uses: sweep, with: { sizes: [8k], layers: 2 } }\n  runs: { uses: train }\n" },
        { "ambiguous role", "stages:\n  a: { uses: sweep, with: { sizes: [8k], layers: 2 } }\n  b: { uses: sweep, with: { sizes: [16k], layers: 2 } }\n  runs: { uses: train, needs: [a, b] }\n" },
        { "useless need", "stages:\n  shapes: { uses: sweep, with: { sizes: [8k], layers: 2 } }\n  law: { uses: fit, needs: shapes }\n" },
        { "unknown role", "stages:\n  shapes: { uses: sweep, with: { sizes: [8k], layers: 2 } }\n  runs: { uses: train, needs: { shape: shapes } }\n" },
        { "cycle", "stages:\n  a: { uses: train, needs: b }\n  b: { uses: fit, needs: c }\n  c: { uses: extrapolate, needs: a }\n" },
        { "duplicate key", "stages:\n  a: { uses: sweep, with: { sizes: [8k], layers: 2 } }\n  a: { uses: sweep, with: { sizes: [16k], layers: 2 } }\n" },
        { "alias", "stages:\n  a: &x { uses: sweep, with: { sizes: [8k], layers: 2 } }\n  b: *x\n" },
        { "tag", "stages:\n  a: { uses: !!str fit }\n" },
        { "empty file", "" },
        { "missing corpus", "stages:\n  shapes: { uses: sweep, with: { sizes: [8k], layers: 2 } }\n  runs: { uses: train, needs: shapes, with: { corpus: \"text:nothing/*.txt\" } }\n" },
        { "misspelt corpus", "stages:\n  shapes: { uses: sweep, with: { sizes: [8k], layers: 2 } }\n  runs: { uses: train, needs: shapes, with: { corpus: dotnet-doc } }\n" },
        { "missing table", "stages:\n  law: { uses: fit, needs: { runs: my/runs.csv } }\n" },
        { "missing plugin", "plugins:\n  - path: nowhere/Mine.dll\nstages:\n  a: { uses: mine }\n" },
        {
            "several findings at once",
            "nam: study\nstages:\n  shapes:\n    uses: sweep\n    with: { sizes: 8kk, layers: 2, x: none, ratios: [1] }\n  runs: { uses: trian, needs: shpes }\n  law: { uses: fit, needs: runs, with: { objective: huber } }\n"
        },
    };
}

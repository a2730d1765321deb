// Errors while typing: every pipeline of the repository is accepted, and every mistake that a schema can see is refused.
using Scaling.EndToEnd;
using Scaling.TestKit;

namespace Scaling.Editor.Tests;

[Collection(nameof(Editor))]
public sealed class ValidationTests(Editor editor)
{
    /// <summary>Mistakes that no schema can see, each with the reason. 'dotnet scaling check' tells them.</summary>
    public static Dictionary<string, string> BeyondSchemas { get; } = new()
    {
        ["missing dependency"] = "a schema cannot say that a value is the key of another place",
        ["useless need"] = "what a stage gives is told by the type of another stage",
        ["needs itself"] = "a schema cannot compare a value with the key above it",
        ["cycle"] = "a schema follows no needs",
        ["alias"] = "the language server resolves aliases before it validates, as YAML has it",
        ["tag"] = "a tag is no part of the value that is validated",
        ["empty file"] = "without a value nothing is validated",
        ["missing corpus"] = "a schema looks at no files",
        ["missing table"] = "a schema looks at no files",
        ["missing plugin"] = "a schema looks at no files",
        ["out of range with a suffix"] = "a text is held against a pattern, which counts nothing",
        ["quoted quantity"] = "quotes are no part of the value that is validated",
        ["fraction of a suffix"] = "a text is held against a pattern, which counts nothing",
    };

    /// <summary>Beside those of the command line's tests, what the tests of reader, settings and placement have, in words of the built-in stages.</summary>
    public static TheoryData<string, string> Others => new()
    {
        { "no stages", "name: a\n" },
        { "empty stages", "stages: {}\n" },
        { "list of stages", "stages: [a]\n" },
        { "no mapping", "- stages\n" },
        { "misspelt stages", "stagse: { a: { uses: fit } }\n" },
        { "unknown key", "nmae: study\nstages:\n  a: { uses: fit }\n" },
        { "bad name", "name: ../up\nstages:\n  a: { uses: fit }\n" },
        { "bad seed", "seed: 1.5\nstages:\n  a: { uses: fit }\n" },
        { "quoted seed", "seed: '3'\nstages:\n  a: { uses: fit }\n" },
        { "plugin that is a word", "plugins: [Hello.dll]\nstages:\n  a: { uses: mine }\n" },
        { "plugins that are a word", "plugins: Hello.dll\nstages:\n  a: { uses: mine }\n" },
        { "plugin of both kinds", "plugins: [ { path: a.dll, package: A, version: 1.0.0 } ]\nstages:\n  a: { uses: mine }\n" },
        { "package without version", "plugins: [ { package: A } ]\nstages:\n  a: { uses: mine }\n" },
        { "bad stage id", "stages:\n  1st: { uses: fit }\n" },
        { "stage that is a word", "stages:\n  a: sweep\n" },
        { "stage without a type", "stages:\n  a: { needs: b }\n" },
        { "type that is a list", "stages:\n  a: { uses: [fit] }\n" },
        { "settings beside 'with'", "stages:\n  a: { uses: fit, law: auto }\n" },
        { "settings that are a list", "stages:\n  a: { uses: fit, with: [1] }\n" },
        { "time without a unit", "stages:\n  a: { uses: fit, timeout: ten }\n" },
        { "time with a space", "stages:\n  a: { uses: fit, timeout: 10 min }\n" },
        { "need within a need", "stages:\n  a: { uses: fit, needs: [[a]] }\n" },
        { "role with a mapping", "stages:\n  a: { uses: fit, needs: { runs: { from: b } } }\n" },
        { "role without a source", "stages:\n  a: { uses: fit, needs: { runs: } }\n" },
        { "file without a role", "stages:\n  a: { uses: fit, needs: [data/runs.csv] }\n" },
        { "missing role of several", "stages:\n  a: { uses: search, needs: { speed: b }, with: { size: 1k, tokens_per_parameter: 1 } }\n" },
        { "two sources of one role", "stages:\n  a: { uses: train, needs: { shapes: [b, c] } }\n" },
        { "needs of a sweep", "stages:\n  a: { uses: sweep, needs: b, with: { sizes: 8k, layers: 2 } }\n  b: { uses: fit }\n" },
        { "needs itself", "stages:\n  a: { uses: fit, needs: a }\n" },
        { "wrong suffix", "stages:\n  a: { uses: sweep, with: { sizes: 16K, layers: 2 } }\n" },
        { "separators of thousands", "stages:\n  a: { uses: sweep, with: { sizes: 1_000, layers: 2 } }\n" },
        { "quoted number", "stages:\n  a: { uses: sweep, with: { sizes: ['16 k'], layers: 2 } }\n" },
        { "quoted quantity", "stages:\n  a: { uses: sweep, with: { sizes: ['16k'], layers: 2 } }\n" },
        { "fraction", "stages:\n  a: { uses: sweep, with: { sizes: 8k, layers: 1.5 } }\n" },
        { "fraction of a suffix", "stages:\n  a: { uses: sweep, with: { sizes: 1.0001k, layers: 2 } }\n" },
        { "negative quantity", "stages:\n  a: { uses: sweep, with: { sizes: -8k, layers: 2 } }\n" },
        { "out of range with a suffix", "stages:\n  a: { uses: sweep, with: { sizes: 8k, layers: 100k } }\n" },
        { "empty list", "stages:\n  a: { uses: sweep, with: { sizes: [], layers: 2 } }\n" },
        { "null for what is required", "stages:\n  a: { uses: sweep, with: { sizes: , layers: 2 } }\n" },
        { "list within a list", "stages:\n  a: { uses: sweep, with: { sizes: [[3]], layers: 2 } }\n" },
        { "yes for true", "stages:\n  a: { uses: sweep, with: { sizes: 8k, layers: 2, tied: yes } }\n" },
        { "misspelt choice", "stages:\n  a: { uses: train, needs: { shapes: a.csv }, with: { schedule: cosin } }\n" },
        { "misspelt choice in a list", "stages:\n  a: { uses: export, needs: { best: a.json }, with: { formats: [hugging] } }\n" },
        { "unknown scheme", "stages:\n  a: { uses: train, needs: { shapes: a.csv }, with: { corpus: txt:data/a.txt } }\n" },
        { "misspelt setting of a setting", "stages:\n  a: { uses: measure, needs: { shapes: a.csv }, with: { workload: { promt: 3, output: 4, batch: 1 } } }\n" },
        { "missing setting of a setting", "stages:\n  a: { uses: search, needs: { law: a.json }, with: { size: 1k, tokens_per_parameter: 1, workload: { prompt: 3, output: 4 } } }\n" },
        { "number for a mapping", "stages:\n  a: { uses: search, needs: { law: a.json }, with: { size: 1k, tokens_per_parameter: 1, baseline: 48 } }\n" },
        { "unknown executor", "executor: cloud\nstages:\n  a: { uses: fit }\n" },
        { "unknown resource", "resources: { memory: 3G }\nstages:\n  a: { uses: fit }\n" },
        { "bad memory", "resources: { mem: lots }\nstages:\n  a: { uses: fit }\n" },
        { "bad time limit", "resources: { time: soon }\nstages:\n  a: { uses: fit }\n" },
        { "no processors", "resources: { cpus: 0 }\nstages:\n  a: { uses: fit }\n" },
        { "flag that is a word", "resources: { flags: fast }\nstages:\n  a: { uses: fit }\n" },
    };

    [NodeFact]
    public void A_mistake_is_underlined_while_it_is_typed_unless_no_schema_can_see_it()
    {
        (string Mistake, string Yaml)[] files = [.. WrongPipelines.All.Concat(Others).Select(row => ((string)row[0], (string)row[1]))];

        var findings = editor.Findings([.. files.Select(f => f.Yaml)]);

        Assert.Empty(files.Zip(findings).Where(f => BeyondSchemas.ContainsKey(f.First.Mistake) != (f.Second.Count == 0)).Select(f => $"{f.First.Mistake}: {string.Join(" ", f.Second)}"));
        Assert.Empty(BeyondSchemas.Keys.Except(files.Select(f => f.Mistake)));
    }

    [NodeFact]
    public void Every_pipeline_of_the_repository_is_accepted()
    {
        string[] files = [.. Pipelines()];

        var findings = editor.Findings([.. files.Select(File.ReadAllText)]);

        Assert.Contains(files, file => file.EndsWith("pipelines/quickstart.yaml", StringComparison.Ordinal));
        Assert.Empty(files.Zip(findings).Where(f => f.Second.Count > 0).Select(f => $"{f.First}: {string.Join(" ", f.Second)}"));
    }

    [NodeFact]
    public Task What_is_said_of_a_mistake_says_what_to_write() => Snapshot.Match(string.Join('\n', editor.Findings("""
        name: my study
        stages:
          shapes: { uses: sweeep }
          larger shapes: { uses: sweep, with: { sizes: 8kk, layers: two, tollerance: 0.1 } }
          runs: { uses: train, needs: my/shapes.csv, with: { corpus: dotnet-doc, schedule: cosin, batch: 0 } }
          law: { uses: fit, timeout: 10, needs: { run: runs } }
          best: { uses: search, needs: { speed: a }, with: { size: 1k, baseline: 48, x: 0.1 } }
          speed: { uses: measure, needs: [a, b] }
        """)));

    /// <summary>All that are pipelines, also those whose plugins are not built.</summary>
    private static IEnumerable<string> Pipelines() =>
        new[] { "pipelines", "examples", "tool", "tasks" }
            .SelectMany(folder => Directory.EnumerateFiles(Path.Combine(Repository.Root, folder), "*.yaml", SearchOption.AllDirectories))
            .Where(file => !file.Contains("/obj/", StringComparison.Ordinal) && !file.Contains("/bin/", StringComparison.Ordinal))
            .Where(file => File.ReadAllText(file).Contains("stages:", StringComparison.Ordinal)) // A profile has none.
            .Order(StringComparer.Ordinal);
}

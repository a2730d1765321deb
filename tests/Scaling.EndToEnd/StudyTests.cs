// A whole study with its real parts, small: real models on real text, to an exported configuration.
using System.Text.Json.Nodes;
using Scaling.Sdk;
using Scaling.TestKit;

namespace Scaling.EndToEnd;

public sealed class StudyTests : IDisposable
{
    private readonly Tool _tool = new();

    public void Dispose() => _tool.Dispose();

    /// <summary>Nothing in examples/cpu-study but its runs was typed or kept from elsewhere: its report too is what is made of them today. Numbers within 1e-6: another processor rounds otherwise.</summary>
    [Fact]
    public void The_study_that_is_kept_is_what_its_runs_give()
    {
        string kept = Path.Combine(Repository.Root, "examples", "cpu-study");

        var run = _tool.Run("run", Path.Combine(kept, "replay.yaml"), "--out", _tool.Folder["results"]);

        Assert.True(run.ExitCode == 0, run.Error);
        string results = _tool.Folder["results/cpu-study-replay"];
        foreach (var (made, file) in new[] { ("law/law.json", "law.json"), ("larger/scores.json", "scores.json") })
        {
            AssertAlike(JsonNode.Parse(File.ReadAllText(Path.Combine(kept, file))), JsonNode.Parse(File.ReadAllText(Path.Combine(results, made))), file);
        }

        string[] files = [.. Directory.EnumerateFiles(Path.Combine(results, "config"), "*", SearchOption.AllDirectories).Select(f => Path.GetRelativePath(Path.Combine(results, "config"), f)).Order(StringComparer.Ordinal)];
        Assert.Contains("report.html", files);
        foreach (string file in files)
        {
            ReportText.AssertAlike(File.ReadAllText(Path.Combine(kept, file)), File.ReadAllText(Path.Combine(results, "config", file)), file);
        }

        Assert.Empty(Directory.EnumerateFiles(Path.Combine(kept, "figures")).Select(f => Path.Combine("figures", Path.GetFileName(f))).Except(files));
    }

    private static void AssertAlike(JsonNode? expected, JsonNode? actual, string path)
    {
        switch (expected)
        {
            case JsonObject kept:
                Assert.Equal(kept.Select(p => p.Key), actual!.AsObject().Select(p => p.Key));
                foreach (var (name, value) in kept.Where(p => p.Key is not ("resamples" or "reason")))
                {
                    AssertAlike(value, actual[name], $"{path}.{name}");
                }

                break;
            case JsonArray kept:
                Assert.Equal(kept.Count, actual!.AsArray().Count);
                for (int i = 0; i < kept.Count; i++)
                {
                    AssertAlike(kept[i], actual[i], $"{path}[{i}]");
                }

                break;
            case JsonValue number when number.GetValueKind() == System.Text.Json.JsonValueKind.Number:
                double there = (double)number, here = (double)actual!;
                Assert.True(Math.Abs(there - here) <= 1e-6 * Math.Max(1e-3, Math.Abs(there)) || path.Contains("certificate", StringComparison.Ordinal), $"{path}: {there} and {here}");
                break;
            default:
                Assert.Equal(expected?.ToJsonString(), actual?.ToJsonString());
                break;
        }
    }

    [Fact]
    public void A_study_goes_from_YAML_to_a_configuration_and_a_report_and_then_rests()
    {
        _tool.Folder.Write("study.yaml", """
            seed: 1
            stages:
              shapes: { uses: sweep, with: { sizes: [4k, 8k], layers: 2, head_size: 8, multiple_of: 4, x: [0.16, 0.24], ratio: [0.75, 2], gqa: 1 } }
              runs: { uses: train, needs: shapes, with: { corpus: dotnet-docs, tokens_per_parameter: [10, 20] } }
              speed: { uses: measure, needs: shapes, with: { workload: { prompt: 16, output: 8, batch: 2 }, repeats: 3 } }
              law: { uses: fit, needs: runs }
              larger: { uses: extrapolate, needs: [law, runs], with: { hold_out: largest, sizes: [16k] } }
              best: { uses: search, needs: [law, speed], with: { size: 16k, tokens_per_parameter: 10, multiple_of: 4, baseline: { hidden: 24, ratio: 2, gqa: 1 } } }
              config: { uses: export, needs: [best, runs, law, larger, speed] }

            """);

        var run = _tool.Run("run", "study.yaml", "--json");

        Assert.True(run.ExitCode == 0, run.Error);
        var runs = Table.Read(_tool.Folder["results/study/runs/runs.csv"]).Each().ToArray();
        Assert.Equal(runs.Length, run.Count("runs", "executed"));

        // The unigram entropy of the deduplicated documentation is 3.2 nats a byte; the smallest model sees 40 kB of it.
        Assert.All(runs, r => Assert.InRange(r.Number("loss"), 1.0, 3.1));
        Assert.True(Mean(runs, large: true) < Mean(runs, large: false) - 0.05, "larger models lose less");
        foreach (string pick in new[] { "accurate", "efficient" })
        {
            var config = JsonNode.Parse(File.ReadAllText(_tool.Folder[$"results/study/config/{pick}/config.json"]))!;
            Assert.Equal("LlamaForCausalLM", config["architectures"]![0]!.GetValue<string>());
            Assert.Equal(2, config["num_hidden_layers"]!.GetValue<int>());
            Assert.Equal(8, config["head_dim"]!.GetValue<int>());
        }

        string report = File.ReadAllText(_tool.Folder["results/study/config/report.md"]);
        Assert.All(
            System.Text.RegularExpressions.Regex.Matches(report, @"\((figures/[^)]+)\)").Select(m => m.Groups[1].Value),
            figure => Assert.True(File.Exists(_tool.Folder[$"results/study/config/{figure}"]), figure));
        Assert.Equal(0, _tool.Run("run", "study.yaml", "--json").Executed);

        static double Mean(Row[] runs, bool large) => runs.Where(r => r.Number("parameters") > 6000 == large && r.Whole("tokens_per_parameter") == 20).Average(r => r.Number("loss"));
    }

    [Fact]
    public void Training_that_was_killed_gives_the_bytes_of_an_undisturbed_run()
    {
        // The larger model takes longer than the two seconds between checkpoints, also on a fast machine.
        const string Study = """
            seed: 1
            stages:
              shapes: { uses: sweep, with: { sizes: [4k, 16k], layers: 2, head_size: 8, multiple_of: 4, x: 0.2, ratio: 1.5, gqa: 1 } }
              runs: { uses: train, needs: shapes, with: { tokens_per_parameter: 80 } }

            """;
        _tool.Folder.Write("study.yaml", Study);
        using var undisturbed = new Tool();
        undisturbed.Folder.Write("study.yaml", Study);
        var checkpoint = DateTime.MinValue;
        int kills = 0;
        for (int i = 0; i < 2; i++)
        {
            var process = _tool.Start("run", "study.yaml", "--jobs", "1");
            Tool.Until(() => process.HasExited || LastCheckpoint() > checkpoint, "a checkpoint");
            Thread.Sleep(300);
            kills += process.HasExited ? 0 : 1;
            checkpoint = LastCheckpoint();
            Tool.KillNow(process, workers: true);
        }

        var run = _tool.Run("run", "study.yaml", "--json", "--jobs", "1");
        var other = undisturbed.Run("run", "study.yaml", "--json", "--jobs", "1");

        Assert.True(run.ExitCode == 0, run.Error);
        Assert.True(other.ExitCode == 0, other.Error);
        Assert.True(kills > 0, "no kill met a run with a checkpoint");
        Assert.Equal(undisturbed.Results("study", IsByteStable), _tool.Results("study", IsByteStable));
        Assert.Contains("runs/runs.csv", _tool.Results("study").Keys);
    }

    [Fact]
    public void Fit_takes_a_table_of_the_user()
    {
        _tool.Folder.Write("my runs.csv", "N,D,loss\n" + string.Concat(
            from n in new[] { 1e6, 3e6, 1e7 } from d in new[] { 1e8, 3e8, 1e9 }
            select FormattableString.Invariant($"{n},{d},{1.69 + (406.4 / Math.Pow(n, 0.34)) + (410.7 / Math.Pow(d, 0.28)):R}\n")));
        _tool.Folder.Write("fit.yaml", """
            name: my-runs
            stages:
              law:
                uses: fit
                with:
                  table: my runs.csv
                  columns: { parameters: N, tokens: D, loss: loss }
                  law: chinchilla
                  objective: log-huber

            """);

        var run = _tool.Run("run", "fit.yaml", "--json");

        Assert.True(run.ExitCode == 0, run.Error);
        var law = JsonNode.Parse(File.ReadAllText(_tool.Folder["results/my-runs/law/law.json"]))!["base"]!;
        Assert.Equal(0.34, law["alpha"]!.GetValue<double>(), 1e-6);
        Assert.Equal(0.28, law["beta"]!.GetValue<double>(), 1e-6);
    }

    private DateTime LastCheckpoint()
    {
        string work = _tool.Folder["store/work"];
        return Directory.Exists(work)
            ? Directory.EnumerateFiles(work, "checkpoint.*", SearchOption.AllDirectories).Select(File.GetLastWriteTimeUtc).DefaultIfEmpty().Max()
            : DateTime.MinValue;
    }

    private static bool IsByteStable(string result) => !result.EndsWith("timings.csv", StringComparison.Ordinal);
}

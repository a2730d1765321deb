// pipelines/llama-3.2.yaml as a user runs it, against arXiv 2510.18245: its picks from its constants, its shapes beside their losses.
using System.Diagnostics;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Scaling.Sdk;
using Scaling.TestKit;

namespace Scaling.EndToEnd;

public sealed class LlamaTests(LlamaTests.Searched searched) : IClassFixture<LlamaTests.Searched>
{
    /// <summary>a0, a1, a2, b0, b1, b2 as printed: fitted on 80M to 297M, and on 1B.</summary>
    private static readonly double[] Small = [2.697, 0.0974, 0.0078, 0.3870, 0.0063, 0.0065], Large = [2.319, 0.238, 0.0176, 0.5104, 0.0051, 0.0062];

    /// <summary>One run for all tests.</summary>
    public sealed class Searched : IDisposable
    {
        private readonly Tool _tool = new();

        public Searched()
        {
            var clock = Stopwatch.StartNew();
            Run = _tool.Run("run", Path.Combine(Repository.Root, "pipelines", "llama-3.2.yaml"), "--out", _tool.Folder["results"]);
            Elapsed = clock.Elapsed;
        }

        public Ended Run { get; }

        public TimeSpan Elapsed { get; }

        public string File(string name) => _tool.Folder[$"results/llama-3.2/{name}"];

        public void Dispose() => _tool.Dispose();
    }

    [Fact]
    public void It_takes_seconds_and_warns_of_what_the_laws_never_saw_and_of_who_refuses_the_picks()
    {
        Assert.True(searched.Run.ExitCode == 0, searched.Run.Error);
        Assert.True(searched.Elapsed < TimeSpan.FromMinutes(1), $"it took {searched.Elapsed}; five seconds on an idle machine");
        string[] warnings = [.. Regex.Matches(searched.Run.Error, @"warning (SCAL\d+): ('\w+' is \d+|\w+ \d refuses the \w+ shape)").Select(m => $"{m.Groups[1].Value} {m.Groups[2].Value}").Order(StringComparer.Ordinal)];
        Assert.Equal(
            [
                "SCAL7321 'gqa' is 3", "SCAL7321 'gqa' is 3", "SCAL7321 'head_size' is 128", "SCAL7321 'head_size' is 128", "SCAL7321 'layers' is 16", "SCAL7321 'layers' is 16",
                "SCAL7321 'layers' is 28", "SCAL7321 'layers' is 28", "SCAL7501 transformers 5 refuses the accurate shape", "SCAL7501 transformers 5 refuses the efficient shape",
            ],
            warnings);
        Assert.Equal(warnings.Length, Regex.Count(searched.Run.Error, "warning SCAL"));
    }

    /// <summary>Factors of L_opt that the printed constants give, to 1e-9: weaker laws pick the same winners.</summary>
    [Theory]
    [InlineData("small", false, 2.803, 2048, 8192, "2560 4096 72 18", 1.0028436665516713, "2560 4096 68 17", 1.0029141416249348)]
    [InlineData("large", false, 2.625, 3072, 8192, "4096 4096 36 12", 1.0028593473301513, "4608 3584 33 11", 1.0029839631135864)]
    [InlineData("large-by-1b", true, 2.625, 3072, 8192, "4096 4608 33 11", 1.0005983130371627, "4096 4608 30 10", 1.0007568088463763)]
    public void The_papers_picks_come_out_with_their_factors_and_so_do_the_next_best(
        string stage, bool by1B, double loss, int hidden, int intermediate, string first, double firstFactor, string second, double secondFactor)
    {
        var candidates = Table.Read(searched.File($"{stage}/candidates.csv"));
        var baseline = candidates.Each().Single(r => r.Count("hidden") == hidden && r.Count("intermediate") == intermediate && r.Number("loss_difference") == 0);
        double baselineFactor = Factor(by1B ? Large : Small, baseline.Number("x"), baseline.Number("ratio"));
        Assert.Equal(loss, baseline.Number("predicted"));
        Assert.Equal((first, second), (Widths(candidates[0]), Widths(candidates[1])));
        Assert.Equal(firstFactor, candidates[0].Number("predicted") / loss * baselineFactor, 1e-9);
        Assert.Equal(secondFactor, candidates[1].Number("predicted") / loss * baselineFactor, 1e-9);
        Assert.Equal(first, Widths(JsonNode.Parse(File.ReadAllText(searched.File($"{stage}/best.json")))!["accurate"]!));
        if (stage == "small")
        {
            Assert.Equal(1.0157219500350207, baselineFactor, 1e-12);
        }
    }

    [Fact]
    public void Without_touching_the_grouping_an_efficient_pick_is_a_sixth_faster_and_more_with_it_free()
    {
        Assert.InRange(Gain("small"), 1.15, 1.17);
        Assert.InRange(Gain("small-gqa-free"), 1.4, 1.7);
        var free = JsonNode.Parse(File.ReadAllText(searched.File("small-gqa-free/best.json")))!;
        Assert.Equal((string)JsonNode.Parse(File.ReadAllText(searched.File("small/best.json")))!["efficient"]!["shape"]!, (string)free["efficient_at_fitted_gqa"]!["shape"]!);
        Assert.Equal(0.001, (double)free["penalties"]!["gqa"]!);
    }

    /// <summary>Published differences to LLaMA-3.2, and those that the law predicts, milli-nats; KV bytes a token in bfloat16.</summary>
    [Theory]
    [InlineData("LLaMA-3.2-1B", 0, 0, 32768)]
    [InlineData("Panda-1B", -21, -35.5, 73728)]
    [InlineData("Surefire-1B", 1, -11.8, 16384)]
    [InlineData("LLaMA-3.2-3B", 0, 0, 114688)]
    [InlineData("Panda-3B", -6, -22.9, 172032)]
    [InlineData("Surefire-3B", -5, -22.9, 86016)]
    [InlineData("Panda-3B°", -19, -22.3, 157696)]
    public void Every_published_shape_stands_beside_its_loss(string name, double published, double predicted, double kvBytes)
    {
        var row = Table.Read(searched.File("small/references.csv")).Each().Single(r => r.Text("name") == name);
        Assert.Equal(published, 1000 * row.Number("measured_difference"), 1e-9);
        Assert.Equal(predicted, 1000 * row.Number("predicted_difference"), 0.05);
        Assert.Equal(kvBytes, row.Number("kv_bytes_per_token"));
        Assert.Contains($">{name}<", File.ReadAllText(searched.File("config/figures/references.svg")));
    }

    /// <summary>Up to the table of digests, which differ with a processor's last digits.</summary>
    [Fact]
    public async Task The_report_tells_the_answer_and_how_far_to_believe_it() =>
        await Snapshot.Match(File.ReadAllText(searched.File("config/report.md")).Split("\n## Where it comes from")[0]);

    /// <summary>The page of the same; tests of its own look at it in a browser.</summary>
    [Fact]
    public async Task The_page_tells_the_same() => await Snapshot.Match(ReportText.WithoutDigests(File.ReadAllText(searched.File("config/report.html"))));

    private static double Factor(double[] k, double x, double r) => (k[0] + k[1] * Math.Log(x) + k[2] / x) * (k[3] + k[4] * Math.Log(r) + k[5] / r);

    private static string Widths(Row row) => $"{row.Text("hidden")} {row.Text("intermediate")} {row.Text("heads")} {row.Text("kv_heads")}";

    private static string Widths(JsonNode shape) => $"{shape["hidden"]} {shape["intermediate"]} {shape["heads"]} {shape["kv_heads"]}";

    private double Gain(string stage)
    {
        var best = JsonNode.Parse(File.ReadAllText(searched.File($"{stage}/best.json")))!;
        return (double)best["efficient"]!["tokens_per_second"]! / (double)best["baseline"]!["tokens_per_second"]!;
    }
}

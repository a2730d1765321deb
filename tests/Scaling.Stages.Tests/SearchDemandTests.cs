// What a candidate of `search` must meet: every demand binds somewhere, and what is infeasible says which.
using Scaling.Architectures;
using Scaling.Laws;
using Scaling.Sdk;
using Scaling.Stages.Search;
using Scaling.TestKit;

namespace Scaling.Stages.Tests;

public sealed class SearchDemandTests : IDisposable
{
    private const string Serve = "\"workload\":{\"prompt\":128,\"output\":64,\"batch\":8}";

    /// <summary>A device so slow and small that shapes of 64,000 parameters tell.</summary>
    private const string Own = "\"own_device\":{\"name\":\"mine\",\"flops_per_second\":1e10,\"bytes_per_second\":1e9,\"link_bytes_per_second\":1e8}";

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("\"loss_at_most\":LOSS", "loss")]
    [InlineData("\"limits\":{\"time_to_first_token\":TTFT}", "limits.time_to_first_token")]
    [InlineData("\"limits\":{\"time_per_output_token\":TPOT}", "limits.time_per_output_token")]
    [InlineData("\"limits\":{\"latency\":LATENCY}", "limits.latency")]
    [InlineData("\"limits\":{\"memory\":MEMORY}", "limits.memory")]
    [InlineData("\"consumers\":[\"transformers-5\"]", "transformers-5")]
    [InlineData("\"consumers\":[\"torchtitan\"],\"tied\":false", "torchtitan")]
    public void Every_demand_binds_somewhere(string demand, string name)
    {
        // Tighter than what the search without it picks, and not so tight that nothing is left.
        var all = Search($"{SearchStudy.Ask},{Serve},{Own}").Table("candidates.csv");
        string Middle(string column) => Table.Cell(all.Each().Select(r => r.Number(column)).Order().ElementAt(all.Rows.Count / 2));
        string Tight(string text) => text.Replace("LOSS", Middle("predicted")).Replace("TTFT", Middle("time_to_first_token")).Replace("TPOT", Middle("time_per_output_token"))
            .Replace("LATENCY", Middle("latency")).Replace("MEMORY", Middle("memory"));
        string rest = name == "loss" ? "" : ",\"loss_at_most\":900";
        var result = Search($"{SearchStudy.Ask},{Serve},{Own},{Tight(demand)}{rest}");
        var rows = result.Table("candidates.csv").Each().ToList();
        Assert.Contains(rows, r => r.Text("breaks").Split(' ').Contains(name));
        Assert.Contains(rows, r => r.Text("breaks").Length == 0);
        Assert.All(rows, r => Assert.Equal(r.Text("breaks").Length == 0, r.Truth("feasible")));
        Assert.All(rows.Where(r => r.Truth("on_front")), r => Assert.True(r.Text("breaks") is "" or "loss"));
        var told = result.Best().Constraints.Single(c => c.Name == name);
        Assert.Equal(rows.Count(r => !r.Text("breaks").Split(' ').Contains(name)), told.Meet);
        Assert.Contains(rows, r => r.Text("shape") == result.Best().Efficient.Shape && r.Truth("feasible"));
    }

    [Fact]
    public void Tensor_parallelism_divides_heads_and_mlp()
    {
        var rows = Search($"{SearchStudy.Ask},{Own},\"workload\":{{\"prompt\":128,\"output\":64,\"batch\":8,\"tensor_parallel\":4}}").Table("candidates.csv").Each().ToList();
        Assert.All(rows, r => Assert.Equal(
            r.Count("heads") % 4 == 0 && r.Count("intermediate") % 4 == 0 && (r.Count("kv_heads") % 4 == 0 || 4 % r.Count("kv_heads") == 0), r.Text("breaks") is "" or "loss"));
        Assert.Contains(rows, r => r.Text("breaks").StartsWith("tensor_parallel", StringComparison.Ordinal));
        Assert.Contains(rows, r => r.Truth("feasible"));
    }

    [Fact]
    public void Memory_limits_the_batch_and_then_the_shape()
    {
        // Weights of 64,000 parameters and 256 tied embeddings take some 155 kB, a sequence of 192 tokens 12 kB a key/value head.
        string With(int memory) => $"{SearchStudy.Ask},{Serve},{Own.Replace("\"name\"", $"\"memory\":{memory},\"name\"")}";
        var rows = Search(With(220_000)).Table("candidates.csv").Each().ToList();
        Assert.Contains(rows, r => r.Count("batch") is > 0 and < 8);
        foreach (var r in rows)
        {
            var shape = DecoderShape.FromCells(r.Count, r.Truth);
            int fits = ServingMemory.LargestBatch(shape, new Workload(128, 64, 8), 220_000);
            Assert.Equal(fits, r.Count("batch"));
            Assert.Equal(fits == 0, r.Text("breaks").Split(' ').Contains("memory"));
        }

        Assert.Contains(rows, r => r.Count("batch") == 0);
        var none = Fails($"{With(100_000)}");
        Assert.Equal("SCAL7322", none.Code);
        Assert.Contains("The workload is larger than memory: one sequence of 128 + 64 tokens takes at least", none.Message, StringComparison.Ordinal);
        Assert.Contains("mine has 90 kB for them", none.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_finer_multiple_lets_in_more_shapes()
    {
        int Count(int multiple) => Search($"{SearchStudy.Ask},{Serve},{Own},\"multiple_of\":{multiple}").Table("candidates.csv").Rows.Count;
        Assert.True(Count(2) > Count(4) && Count(4) > Count(8));
    }

    [Fact]
    public void An_infeasible_search_says_what_each_demand_leaves_and_which_to_relax()
    {
        var error = Fails($"{SearchStudy.Ask},{Serve},{Own},\"limits\":{{\"latency\":1e-6}}");
        Assert.Equal("SCAL7306", error.Code);
        Assert.Matches(@"^Nothing is feasible: \d+ shapes; 0 of these take at most 1E-06 s a batch; 0 of these lose at most the baseline's 1\.\d{4}\.$", error.Message);
        Assert.Matches(@"^Without the demand 'limits\.latency' \d+ would be left\. Raise 'limits\.latency'\.$", error.Hint!);
        Assert.Equal("Raise 'loss_at_most', or lower 'probability'.", Fails($"{SearchStudy.Ask},{Serve},{Own},\"loss_at_most\":0.1").Hint!.Split(". ", 2)[1]);
    }

    [Fact]
    public void Settings_that_contradict_or_lack_one_another_are_told()
    {
        Assert.Equal("SCAL7324", Fails($"{SearchStudy.Ask},{Serve},{Own},\"device\":\"h200\"").Code);
        Assert.Equal("SCAL7324", Fails($"{SearchStudy.Ask},{Serve},{Own},\"objective\":\"lifetime_cost\"").Code);
        Assert.Equal("SCAL7324", Fails($"\"size\":64000,\"tokens_per_parameter\":20,{Serve},{Own},\"hold\":\"train_flops\"").Code);
        Assert.Equal("SCAL7324", Fails($"{SearchStudy.Ask},{Serve},{Own},\"consumers\":[\"vlm\"]").Code);
        Assert.Equal("SCAL7314", Fails($"{SearchStudy.Ask},{Serve},\"device\":\"h20\"").Code);
        var free = Search($"{SearchStudy.Ask},{Own.Replace("link_bytes_per_second", "fp8_flops_per_second")},\"workload\":{{\"prompt\":128,\"output\":64,\"batch\":8,\"tensor_parallel\":2}}");
        Assert.Equal(["SCAL7329", "SCAL7331"], free.Warnings.Select(w => w.Code)); // three key/value heads of the baseline over two devices
    }

    [Theory]
    [InlineData("\"prompt\":128", ",\"tensor_parallel\":4", "it cannot be split over 4 devices")]
    [InlineData("\"prompt\":PROMPT", "", "mine has no room for one sequence")]
    public void No_speed_is_held_against_a_baseline_that_cannot_be_served(string prompt, string more, string why)
    {
        // Of the two groupings one leaves half as much in the cache; the baseline has the other.
        var baseline = Search($"{SearchStudy.Ask},{Serve},{Own}").Best().Baseline!.ToShape();
        int longest = (int)(900_000 / ServingMemory.SequenceBytes(baseline, new Workload(1, 0, 1)));
        string device = Own.Replace("}", $",\"memory\":{1_000_000 + baseline.ParametersTotal * 2}}}");
        var result = Search(
            $"{SearchStudy.Ask},\"gqa\":[2,8],\"penalties\":{{\"gqa\":0}},{device},\"workload\":{{{prompt.Replace("PROMPT", $"{longest + 4000}")},\"output\":64,\"batch\":8{more}}}");
        Assert.Contains(why, result.Warnings.Single(w => w.Code == "SCAL7331").Message, StringComparison.Ordinal);
        Assert.Equal(0, result.Best().Baseline!.Batch);
        Assert.DoesNotContain(result.Best().TradePlaces, t => t.Second == "baseline");
    }

    [Fact]
    public void Every_consumer_can_be_named_in_a_pipeline()
    {
        var schema = ((IStage)new SearchStage()).SettingsSchema["properties"]!["consumers"]!;
        Assert.Equal(Consumer.All.Select(c => c.Name), schema["items"]!["enum"]!.AsArray().Select(v => v!.GetValue<string>()));
    }

    [Theory]
    [InlineData("throughput")]
    [InlineData("latency")]
    [InlineData("decode_bytes")]
    [InlineData("lifetime_cost")]
    public void Brute_force_over_a_small_grid_and_the_search_agree_exactly(string objective)
    {
        string path = SearchStudy.Law(_folder);
        var law = LawDocument.Read(path);
        var best = SearchStudy.Search(
            _folder, $"{{{SearchStudy.Ask},{Serve},{Own},\"multiple_of\":4,\"objective\":\"{objective}\",\"served_tokens\":1e12,\"training_context\":64}}", path).Best();
        var workload = new Workload(128, 64, 8);
        var roofline = new Roofline(1e-10, 1e-9, 0);
        double Loss(DecoderShape s) => law.Predict(LawPoint.Of(s, 64_000, 1_280_000));
        double Cost(DecoderShape s)
        {
            var speed = Speed.Predict(roofline, s, workload);
            double embeddings = 256.0 * s.Hidden;
            return objective switch
            {
                "throughput" => -speed.TokensPerSecond,
                "latency" => speed.Latency,
                "decode_bytes" => ((s.Parameters + embeddings) * 2 + 8 * 160 * s.KvElementsPerToken * 2) / 8,
                _ => ((6 * (s.Parameters + embeddings) + 6 * 2 * s.QueryWidth * 64) * 1_280_000 / (1e10 * 0.4) + 1e12 / speed.TokensPerSecond) / 3600,
            };
        }

        var grid =
            from hidden in Enumerable.Range(1, 60).Select(i => 4 * i)
            from intermediate in Enumerable.Range(1, 250).Select(i => 4 * i)
            from kvHeads in Enumerable.Range(1, 40)
            let shape = new DecoderShape(2, hidden, intermediate, 2 * kvHeads, kvHeads, 8, 256, true)
            where shape.Parameters >= 0.99 * 64_000 && shape.Parameters <= 1.01 * 64_000 && shape.X is >= 0.15 and <= 0.4 && shape.Ratio is >= 0.5 and <= 4.2
            select shape;
        var shapes = grid.ToList();
        double limit = Loss(best.Baseline!.ToShape());
        Assert.Equal(shapes.MinBy(Loss)!.Id, best.Accurate.Shape);
        Assert.Equal(shapes.Where(s => Loss(s) <= limit).MinBy(Cost)!.Id, best.Efficient.Shape);
        Assert.Equal(Math.Abs(shapes.Where(s => Loss(s) <= limit).Min(Cost)), best.Efficient.Objective!.Value, 1e-9 * best.Efficient.Objective!.Value);
    }

    private StageResult Search(string settings) => SearchStudy.Search(
        _folder, "{" + settings + (settings.Contains("multiple_of", StringComparison.Ordinal) ? "" : ",\"multiple_of\":4") + "}", SearchStudy.Law(_folder));

    private Diagnostic Fails(string settings) => Assert.Single(Assert.Throws<StageFailedException>(() => Search(settings)).Diagnostics);
}

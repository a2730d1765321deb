// plan --price: what a pipeline would cost, before anything of it is there.
using System.Diagnostics;
using Scaling.TestKit;

namespace Scaling.EndToEnd;

public sealed class PriceTests : IDisposable
{
    private readonly Tool _tool = new();

    public void Dispose() => _tool.Dispose();

    [Fact]
    public void A_plan_tells_FLOPs_hours_and_bytes_without_its_corpus()
    {
        // LLaMA-3.2-1B: N = 973,078,528, V·d = 262,668,288, L·n·h = 32,768; one token a parameter in steps of 2^15 tokens.
        _tool.Folder.Write("study.yaml", """
            stages:
              shapes: { uses: sweep, with: { sizes: 973078528, layers: 16, multiple_of: 256, x: 0.06565, ratio: 4.8, gqa: 4, vocabulary: 128256 } }
              runs: { uses: train, needs: shapes, with: { corpus: "text:nowhere/*.txt", tokens_per_parameter: [1, 2], context: 2048, batch: 16 } }
              law: { uses: fit, needs: runs }

            """);

        var plan = _tool.Run("plan", "study.yaml", "--price", "h100-sxm", "--utilisation", "0.5");

        Assert.True(plan.ExitCode == 0, plan.Error);
        double tokens = Math.Round(973078528 / 32768.0) * 32768 + Math.Round(2 * 973078528 / 32768.0) * 32768;
        double flops = tokens * (6 * (973078528.0 + 262668288) + 6.0 * 16 * 2048 * 2048);
        Assert.Contains(FormattableString.Invariant($"training: {flops:0.00e+0} FLOP"), plan.Output);
        Assert.Contains(FormattableString.Invariant($"time: {flops / (989e12 * 0.5) / 3600:0.#} device-hours"), plan.Output);
        Assert.Contains("weights: 9.89 GB", plan.Output); // two of 973,078,528 + 262,668,288 + 33 norms of 2048, four bytes each
        Assert.Contains("checkpoint: 14.8 GB, the greatest of an action", plan.Output);
        Assert.Contains("law        fit          not known yet", plan.Output);
        Assert.Contains("study.yaml(3,55): warning SCAL3005", plan.Error);
        Assert.Equal(3, _tool.Run("plan", "study.yaml").ExitCode);
    }

    [Fact]
    public void A_device_that_no_stage_knows_is_told_with_those_that_there_are()
    {
        _tool.Folder.Write("study.yaml", """
            stages:
              shapes: { uses: sweep, with: { sizes: 8k, layers: 2, head_size: 8, multiple_of: 4, x: 0.2, gqa: 2 } }
              runs: { uses: train, needs: shapes }

            """);

        var plan = _tool.Run("plan", "study.yaml", "--price", "h2000");

        Assert.Equal(2, plan.ExitCode);
        Assert.Contains("error SCAL8601: There is no device 'h2000'. There are: a100-40, a100-80, h100-sxm, h200, epyc-9654. Did you mean 'h200'?", plan.Error);
    }

    [Fact]
    public void Two_thousand_rows_are_priced_at_once()
    {
        _tool.Folder.Write("study.yaml", """
            stages:
              shapes: { uses: sweep, with: { sizes: [64M, 128M], layers: 12, multiple_of: 64, x: [0.06, 0.07, 0.08, 0.09, 0.1], ratio: [0.5, 1, 1.5, 3], gqa: 4, tolerance: 1, replicates: 50 } }
              runs: { uses: train, needs: shapes, with: { corpus: "text:nowhere/*.txt" } }

            """);
        _tool.Run("plan", "study.yaml", "--price", "h200"); // describes the plugins, once for each build of them
        var took = Stopwatch.StartNew();

        var plan = _tool.Run("plan", "study.yaml", "--price", "h200");

        Assert.Contains("2000 of 2000 actions to run", plan.Output);
        Assert.InRange(took.Elapsed.TotalSeconds, 0, 3 * 3); // three seconds are promised on an idle machine
    }

    [Fact]
    public void The_papers_design_has_a_price()
    {
        var plan = _tool.Run("plan", Path.Combine(Repository.Root, "pipelines", "paper.yaml"), "--price", "h100-sxm");

        Assert.True(plan.ExitCode == 0, plan.Error);
        Assert.Contains("device-hours", plan.Output);
    }
}

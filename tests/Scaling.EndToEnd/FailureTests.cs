// Stages that misbehave: one failed point with its log, and everything else is done.
using Scaling.Sdk;

namespace Scaling.EndToEnd;

public sealed class FailureTests : IDisposable
{
    private const string Stages = """
          rows: { uses: echo, with: { text: "fine,crash,throw,hang,babble,fail,incomplete,exit", count: 8 } }
          work: { uses: misbehave-row, needs: rows, timeout: 2s }

        """;

    private readonly Tool _tool = new();

    public void Dispose() => _tool.Dispose();

    [Fact]
    public void A_worker_that_crashes_hangs_or_prints_rubbish_is_one_failed_point_with_its_log()
    {
        _tool.Write("study.yaml", Stages);

        var run = _tool.Run("run", "study.yaml", "--json");

        Assert.Equal((1, 2, 6), (run.ExitCode, run.Count("work", "executed"), run.Count("work", "failed")));
        var failed = Table.Read(_tool.Folder["results/study/work/failed.csv"]);
        Assert.Equal(
            ["p2 SCAL5001", "p3 SCAL5002", "p4 SCAL5001", "p6 TEST0001", "p7 SCAL6004", "p8 SCAL5001"],
            failed.Each().Select(r => $"{r.Text("point")} {r.Text("code")}"));
        Assert.Contains("crashed as asked", File.ReadAllText(_tool.Folder["results/study/work/logs/p2.log"]));
        Assert.DoesNotContain("   at ", run.Error);
        Assert.DoesNotContain("rubbish", run.Output);
    }

    [Fact]
    public void Failed_points_are_tried_again_and_finished_ones_are_not()
    {
        _tool.Write("study.yaml", Stages);
        _tool.Run("run", "study.yaml");

        var again = _tool.Run("run", "study.yaml", "--json");

        Assert.Equal((2, 6), (again.Count("work", "cached"), again.Count("work", "failed")));
    }

    [Fact]
    public void With_keep_going_dependents_take_the_rows_that_succeeded()
    {
        const string With = """
              rows: { uses: echo, with: { text: "a,fail,ccc", count: 3 } }
              squares: { uses: misbehave-row, needs: rows }
              batch: { uses: batch, needs: { rows: rows } }

            """;
        _tool.Write("study.yaml", With);

        var stopped = _tool.Run("run", "study.yaml", "--json");

        Assert.Equal(1, stopped.ExitCode);
        Assert.False(File.Exists(_tool.Folder["results/study/squares/rows.csv"]));

        var kept = _tool.Run("run", "study.yaml", "--json", "--keep-going");

        Assert.Equal(1, kept.ExitCode);
        Assert.Equal(3, File.ReadAllLines(_tool.Folder["results/study/squares/rows.csv"]).Length);
    }

    [Fact]
    public void Fail_fast_begins_nothing_after_the_first_failure()
    {
        _tool.Write("study.yaml", """
              rows: { uses: echo, with: { text: "fail,slow", count: 20 } }
              work: { uses: misbehave-row, needs: rows, with: { milliseconds: 100 } }

            """);

        var run = _tool.Run("run", "study.yaml", "--json", "--fail-fast", "--jobs", "1");

        Assert.Equal((1, 1), (run.ExitCode, run.Count("work", "failed")));
        Assert.InRange(_tool.Journal("misbehave-row"), 1, 2);
    }
}

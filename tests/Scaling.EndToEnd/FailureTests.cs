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
    public void A_defect_of_the_tool_in_one_stage_is_told_there_and_the_others_are_done_and_recorded()
    {
        const string Twice = """
              rows: { uses: echo, with: { text: "a,b", count: 2 } }
              broken: { uses: square, needs: rows, with: { suffix: "1" } }
              other: { uses: misbehave-row, needs: rows }

            """;
        _tool.Write("study.yaml", Twice);
        _tool.Run("run", "study.yaml");
        string record = Directory.EnumerateFiles(_tool.Folder["store/history"], "*", SearchOption.AllDirectories).Single();
        string json = File.ReadAllText(record).Split('\n', 2)[1].Replace("\"p2.1\"", "\"p1.1\"", StringComparison.Ordinal); // A record that no tool writes: one row twice.
        File.WriteAllText(record, $"scaling-1 {Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(json)))}\n{json}");
        _tool.Write("study.yaml", Twice.Replace("\"1\"", "\"2\"", StringComparison.Ordinal).Replace("a,b", "a,c", StringComparison.Ordinal));

        var run = _tool.Run("run", "study.yaml", "--json");

        Assert.Equal((5, 1, 1), (run.ExitCode, run.Count("broken", "failed"), run.Count("other", "executed")));
        Assert.Contains("study.yaml(5,3): error SCAL1099: The tool broke a promise of its own: ArgumentException", run.Error);
        Assert.Equal(2, Directory.EnumerateFiles(_tool.Folder["store/history"], "*", SearchOption.AllDirectories).Count());
        Assert.True(File.Exists(_tool.Folder["results/study/other/rows.csv"]));
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
    public void A_row_that_kills_its_batch_fails_alone()
    {
        _tool.Write("study.yaml", """
              rows: { uses: echo, with: { text: "fine,crash,well,good", count: 4 } }
              batch: { uses: batch, needs: rows }

            """);

        var run = _tool.Run("run", "study.yaml", "--json");

        Assert.Equal((3, 1), (run.Count("batch", "executed"), run.Count("batch", "failed")));
        Assert.Equal(["p2"], Table.Read(_tool.Folder["results/study/batch/failed.csv"]).Each().Select(r => r.Text("point")));
    }

    [Fact]
    public void A_row_that_ends_its_batch_tells_why_and_the_others_name_it()
    {
        _tool.Write("study.yaml", """
              rows: { uses: echo, with: { text: "fine,fail,well,good", count: 4 } }
              batch: { uses: batch, needs: rows }

            """);

        var run = _tool.Run("run", "study.yaml", "--json");

        Assert.Equal((1, 1, 3), (run.ExitCode, run.Count("batch", "executed"), run.Count("batch", "failed")));
        Assert.Equal(
            ["p2 TEST0001", "p3 SCAL6006", "p4 SCAL6006"], Table.Read(_tool.Folder["results/study/batch/failed.csv"]).Each().Select(r => $"{r.Text("point")} {r.Text("code")}"));
        Assert.Contains("without publishing this row; 'p2' says why", run.Error);
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

    [Theory]
    [InlineData("locks")]
    [InlineData("work")]
    [InlineData("entries")]
    public void A_store_that_cannot_be_written_is_an_infrastructure_failure_and_no_stage_is_blamed(string folder)
    {
        _tool.Write("study.yaml", Stages);
        _tool.Folder.Write($"store/{folder}", "a file stands in the way");
        if (folder != "entries")
        {
            Assert.Equal(0, _tool.Run("check", "study.yaml").ExitCode);
        }

        var run = _tool.Run("run", "study.yaml", "--json");

        Assert.Equal((5, 5), (run.ExitCode, run.Summary["exit_code"]!.GetValue<int>()));
        Assert.Contains("SCAL4004", run.Error);
        Assert.DoesNotContain("SCAL500", run.Error);
    }

    [Fact]
    public void A_table_that_is_none_fails_its_row_and_not_the_tool()
    {
        _tool.Write("study.yaml", """
              rows: { uses: echo, with: { text: "fine,ragged", count: 2 } }
              work: { uses: misbehave-row, needs: rows }

            """);

        var run = _tool.Run("run", "study.yaml", "--json");

        Assert.Equal((1, 1, 1), (run.ExitCode, run.Count("work", "executed"), run.Count("work", "failed")));
        Assert.Contains("SCAL6005", run.Error);
    }

    [Fact]
    public void Of_a_log_without_end_the_results_keep_the_end()
    {
        _tool.Write("study.yaml", """
              rows: { uses: echo, with: { text: "flood" } }
              work: { uses: misbehave-row, needs: rows }

            """);

        var run = _tool.Run("run", "study.yaml");

        string log = _tool.Folder["results/study/work/logs/p1.log"];
        Assert.Contains("| the last word", run.Error);
        Assert.InRange(run.Error.Length, 1, 100_000);
        Assert.InRange(new FileInfo(log).Length, 1000, 2_000_000);
        Assert.EndsWith("the last word\n", File.ReadAllText(log));
    }

    [Fact]
    public void Patience_may_be_longer_than_a_timer()
    {
        _tool.Write("study.yaml", "  rows: { uses: echo, timeout: 90d }\n");

        var run = _tool.Run("run", "study.yaml");

        Assert.True(run.ExitCode == 0, run.Error);
    }
}

// Kills, interrupts, second runs beside the first: nothing is lost, nothing is done twice.
using System.Diagnostics;

namespace Scaling.EndToEnd;

public sealed class SurvivalTests : IDisposable
{
    private const string Slow = """
          rows: { uses: echo, with: { text: "slow,SLOW,Slow", count: 12 } }
          work: { uses: misbehave-row, needs: rows, with: { milliseconds: 150 } }

        """;

    private readonly Tool _tool = new();

    public void Dispose() => _tool.Dispose();

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Killed_at_any_moment_a_run_goes_on_where_it_was(bool workersToo)
    {
        _tool.Write("study.yaml", Slow);
        var random = new Random(1);
        int kills = 0;
        for (int i = 0; i < 6; i++)
        {
            var process = _tool.Start("run", "study.yaml", "--jobs", "2");
            int published = Published();
            Tool.Until(() => process.HasExited || Published() > published, "an action to be published");
            Thread.Sleep(random.Next(100));
            kills += process.HasExited ? 0 : 1;
            Tool.KillNow(process, workersToo);
        }

        var done = _tool.Run("run", "study.yaml", "--json");

        Assert.True(done.ExitCode == 0, done.Error);
        Assert.True(kills >= 4, $"only {kills} kills met a running tool");
        Assert.Equal(12, done.Count("work", "actions"));

        // A killed worker's action begins again; a published one never does. Two workers a kill can have been at work.
        Assert.InRange(_tool.Journal("misbehave-row"), 12, 12 + (2 * kills));
        Assert.Equal(13, File.ReadAllLines(_tool.Folder["results/study/work/rows.csv"]).Length);
        Assert.Equal(0, _tool.Run("run", "study.yaml", "--json").Executed);
    }

    [Fact]
    public void What_a_killed_run_had_finished_gc_leaves()
    {
        _tool.Write("study.yaml", Slow);
        var process = _tool.Start("run", "study.yaml", "--jobs", "1");
        Tool.Until(() => Published() >= 6, "some rows to be published");
        Tool.KillNow(process, workers: true);
        int published = Published();

        var gc = _tool.Run("cache", "gc");
        var run = _tool.Run("run", "study.yaml", "--json");

        Assert.True(gc.ExitCode == 0 && run.ExitCode == 0, gc.Error + run.Error);
        Assert.InRange(Published(), published, 100);
        Assert.InRange(_tool.Journal("misbehave-row"), 12, 13); // One had begun when it was killed.
    }

    [Fact]
    public async Task Two_runs_started_together_execute_each_action_once()
    {
        _tool.Write("study.yaml", Slow);
        var first = _tool.Start("run", "study.yaml", "--json", "--jobs", "2");
        var second = _tool.Start("run", "study.yaml", "--json", "--jobs", "2");
        var other = Task.Run(() => Tool.End(second));
        Ended[] both = [Tool.End(first), await other];

        Assert.All(both, run => Assert.True(run.ExitCode == 0, run.Error));
        Assert.Equal(12, _tool.Journal("misbehave-row"));
        Assert.Equal(12, both.Sum(run => run.Count("work", "executed")));
    }

    [Fact]
    public void Workers_end_when_the_tool_is_killed()
    {
        _tool.Write("study.yaml", Slow.Replace("150", "60000"));
        var process = _tool.Start("run", "study.yaml", "--jobs", "1");
        Tool.Until(() => _tool.Journal("misbehave-row") > 0, "an action to begin");
        int[] workers = Tool.Children(process.Id);
        Tool.KillNow(process, workers: false);

        Assert.NotEmpty(workers);
        Tool.Until(() => Array.TrueForAll(workers, id => !Directory.Exists($"/proc/{id}") || File.ReadAllText($"/proc/{id}/stat").Contains(") Z ")), "workers to end");
    }

    [Fact]
    public void Interrupted_once_it_stops_gracefully_with_exit_code_130_and_the_next_run_continues()
    {
        _tool.Write("study.yaml", Slow);
        var process = _tool.Start("run", "study.yaml", "--json", "--jobs", "1");
        Tool.Until(() => Published() >= 4, "two rows to be published");
        using (Process.Start("kill", ["-INT", $"{process.Id}"]))
        {
        }

        var interrupted = Tool.End(process);
        var resumed = _tool.Run("run", "study.yaml", "--json");

        Assert.Equal(130, interrupted.ExitCode);
        Assert.Contains("Stopping", interrupted.Error);
        Assert.Equal(0, resumed.ExitCode);
        Assert.Equal(12, interrupted.Count("work", "executed") + resumed.Count("work", "executed"));
        Assert.InRange(interrupted.Count("work", "executed"), 1, 11);
    }

    [Fact]
    public void One_worker_serves_all_stages_of_a_plugin_one_after_the_other()
    {
        _tool.Write("study.yaml", """
              rows: { uses: echo, with: { text: "a,b", count: 2 } }
              squares: { uses: square, needs: rows }
              total: { uses: collect, needs: squares }

            """);

        Assert.Equal(0, _tool.Run("run", "study.yaml", "--jobs", "1").ExitCode);
        string[] workers = [.. Directory.EnumerateFiles(_tool.Folder["journal"]).Select(File.ReadAllText)];
        Assert.Equal(4, workers.Length);
        Assert.Single(workers.Distinct());
    }

    [Fact]
    public void Rows_of_a_batch_take_together_what_their_stage_took()
    {
        _tool.Write("study.yaml", """
              rows: { uses: echo, with: { text: "slow", count: 6 } }
              batch: { uses: batch, needs: rows }

            """);
        double stage = _tool.Run("run", "study.yaml", "--json").Summary["stages"]![1]!["seconds"]!.GetValue<double>();
        double rows = System.Text.Json.Nodes.JsonNode.Parse(_tool.Run("show", "batch", "study.yaml", "--json").Output)!["entries"]!.AsArray().Sum(e => e!["seconds"]!.GetValue<double>());

        Assert.InRange(rows, 6 * 0.2, stage); // Each takes 0.2 s.
    }

    [Fact]
    public void An_exclusive_stage_publishes_each_row_of_its_batch()
    {
        _tool.Write("study.yaml", """
              rows: { uses: echo, with: { text: "slow", count: 6 } }
              batch: { uses: batch, needs: rows }

            """);
        var process = _tool.Start("run", "study.yaml");
        Tool.Until(() => _tool.Journal("batch") >= 3, "three rows of the batch to begin");
        Tool.KillNow(process, workers: true);

        var done = _tool.Run("run", "study.yaml", "--json");

        Assert.True(done.ExitCode == 0, done.Error);
        Assert.InRange(done.Count("batch", "executed"), 3, 4);
        Assert.Equal(7, File.ReadAllLines(_tool.Folder["results/study/batch/batch.csv"]).Length);
    }

    [Fact]
    public void Interrupted_while_a_worker_starts_it_stops_as_gracefully()
    {
        _tool.Write("study.yaml", """
              rows: { uses: echo, with: { text: "slow" } }
              work: { uses: misbehave-row, needs: rows, with: { milliseconds: 60000 } }

            """);
        Assert.Equal(0, _tool.Run("plan", "study.yaml").ExitCode);
        for (int i = 0; i < 8; i++)
        {
            var process = _tool.Start("run", "study.yaml", "--json");
            Tool.Until(() => Tool.Children(process.Id).Length > 0, "the worker to start");
            Thread.Sleep(15 * i);
            var since = Stopwatch.StartNew();
            Tool.Signal(process.Id, "INT");

            Assert.Equal(130, Tool.End(process).ExitCode);
            Assert.InRange(since.Elapsed.TotalSeconds, 0, 30);
        }
    }

    [Fact]
    public async Task A_worker_that_somebody_else_asks_to_stop_leaves_the_run_undone_and_not_successful()
    {
        _tool.Write("study.yaml", Slow.Replace("150", "60000"));
        var process = _tool.Start("run", "study.yaml", "--json", "--jobs", "1");
        var ended = Task.Run(() => Tool.End(process));
        int asked = 0;
        while (!ended.IsCompleted)
        {
            // Counted before the signal: whatever begins after it is asked again.
            int begun = asked;
            Tool.Until(() => ended.IsCompleted || (begun = _tool.Journal("misbehave-row")) > asked, "an action to begin");
            asked = begun;
            Array.ForEach(ended.IsCompleted ? [] : Tool.Children(process.Id), worker => Tool.Signal(worker, "TERM"));
        }

        Assert.Equal(130, (await ended).ExitCode);
    }

    [Fact]
    public void A_worker_that_dies_while_it_has_nothing_to_do_is_replaced()
    {
        _tool.Write("study.yaml", """
              rows: { uses: echo, with: { text: "slow" } }
              work: { uses: misbehave-row, needs: rows, with: { milliseconds: 6000 } }

            """);
        var first = _tool.Start("run", "study.yaml");
        Tool.Until(() => _tool.Journal("misbehave-row") > 0, "the action to begin");
        var second = _tool.Start("run", "study.yaml");
        while (second.StandardError.ReadLine() is { } line && !line.Contains("Waiting", StringComparison.Ordinal))
        {
        }

        Thread.Sleep(500); // Between two looks its worker has nothing to do.
        foreach (int worker in Tool.Children(second.Id))
        {
            Tool.Signal(worker, "KILL");
        }

        var waited = Tool.End(second);

        Assert.Equal(0, Tool.End(first).ExitCode);
        Assert.True(waited.ExitCode == 0, waited.Error);
        Assert.Equal(1, _tool.Journal("misbehave-row"));
    }

    [Fact]
    public async Task A_run_that_waits_for_another_leaves_the_other_its_log()
    {
        _tool.Write("study.yaml", """
              rows: { uses: echo, with: { text: "grumble" } }
              work: { uses: misbehave-row, needs: rows, with: { milliseconds: 8000 } }

            """);
        var first = _tool.Start("run", "study.yaml");
        Tool.Until(() => _tool.Journal("misbehave-row") > 0, "the action to begin");
        Thread.Sleep(300);
        var second = _tool.Start("run", "study.yaml");
        var other = Task.Run(() => Tool.End(second));

        Assert.Contains("| grumbling", Tool.End(first).Error);
        Assert.Contains("Waiting for process", (await other).Error);
    }

    [Fact]
    public void A_plugin_that_is_built_again_while_its_action_runs_publishes_nothing_under_the_old_key()
    {
        string plugin = _tool.WriteWithOwnPlugin("study.yaml", """
              rows: { uses: echo, with: { text: "slow" } }
              work: { uses: misbehave-row, needs: rows, with: { milliseconds: 1500 } }

            """);
        var process = _tool.Start("run", "study.yaml", "--json");
        Tool.Until(() => _tool.Journal("misbehave-row") > 0, "the action to begin");
        File.AppendAllText(Path.Combine(plugin, "Scaling.TestPlugin.dll"), "built again");

        var run = Tool.End(process);

        Assert.Equal((4, 0), (run.ExitCode, run.Count("work", "executed")));
        Assert.Contains("SCAL3010", run.Error);
    }

    private int Published()
    {
        string entries = _tool.Folder["store/entries"];
        return Directory.Exists(entries) ? Directory.EnumerateFiles(entries, "*", SearchOption.AllDirectories).Count(f => Path.GetFileName(f)[0] != '.') : 0;
    }
}

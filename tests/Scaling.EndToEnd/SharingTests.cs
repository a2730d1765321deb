// One store, many runs, several hosts: every action once, and nobody waits long for a holder that is gone.
using System.Diagnostics;
using Scaling.TestKit;

namespace Scaling.EndToEnd;

public sealed class SharingTests : IDisposable
{
    private readonly Tool _tool = new();

    public void Dispose() => _tool.Dispose();

    [Fact]
    public async Task Eight_processes_with_overlapping_pipelines_execute_every_action_once_in_total()
    {
        // Process i runs rows 1 to 1 + i, so that all overlap.
        for (int i = 0; i < 8; i++)
        {
            _tool.Write($"study{i}.yaml", $$"""
                  rows: { uses: echo, with: { text: "slow,well", count: {{1 + i}} } }
                  squares: { uses: square, needs: rows }
                  work: { uses: misbehave-row, needs: rows, with: { milliseconds: 100 } }
                  shared: { uses: shared, needs: rows }
                  total: { uses: collect, needs: squares }

                """);
        }

        var ended = await Task.WhenAll(Enumerable.Range(0, 8).Select(i => _tool.Start("run", $"study{i}.yaml", "--json", "--jobs", "2")).ToArray().Select(p => Task.Run(() => Tool.End(p))));

        Assert.All(ended, run => Assert.True(run.ExitCode == 0, run.Error));
        Assert.Equal((8, 8, 8 + 1), (_tool.Journal("square"), _tool.Journal("misbehave-row"), _tool.Journal("shared")));
        Assert.Equal((8, 8), (_tool.Journal("echo"), _tool.Journal("collect")));
        Assert.Equal(8 + 8 + 8 + 8 + 8, ended.Sum(run => run.Executed));
        Assert.Empty(Leases());
    }

    [Fact]
    public async Task A_holder_that_is_killed_delays_the_others_on_its_machine_by_no_time()
    {
        _tool.Write("study.yaml", Slow(3000));
        var holder = _tool.Start("run", "study.yaml");
        Tool.Until(() => _tool.Journal("misbehave-row") > 0, "the action to begin");
        var (waiting, waited) = StartWaiting();
        var since = Stopwatch.StartNew();
        Tool.KillNow(holder, workers: true);
        Tool.Until(() => _tool.Journal("misbehave-row") > 1, "another to take over");

        Assert.InRange(since.Elapsed.TotalSeconds, 0, 10);
        Assert.Equal(0, (await waited).ExitCode);
        Assert.Contains("Waiting for process ", waiting.ToString());
        Assert.Empty(Leases());
    }

    [RootFact]
    public async Task A_holder_on_another_host_that_is_killed_delays_the_others_by_ten_seconds_at_most()
    {
        using var far = Surroundings.OtherHost("faraway", _tool.Folder.Path);
        _tool.Write("study.yaml", Slow(3000));
        var holder = Start(far);
        Tool.Until(() => _tool.Journal("misbehave-row") > 0, "the action to begin");
        var (waiting, waited) = StartWaiting();
        Thread.Sleep(1000);
        var since = Stopwatch.StartNew();
        Tool.KillNow(holder, workers: true);
        Tool.Until(() => _tool.Journal("misbehave-row") > 1, "another to take over");

        Assert.InRange(since.Elapsed.TotalSeconds, 4, 10);
        var ended = await waited;
        Assert.True(ended.ExitCode == 0, ended.Error);
        Assert.Contains("on faraway, which executes the same action", waiting.ToString());
        Assert.Contains("on faraway is gone", waiting.ToString() + ended.Error);
        Assert.Empty(Leases());
    }

    [RootFact]
    public async Task A_holder_on_another_host_that_lives_is_waited_for_however_long_it_takes()
    {
        using var far = Surroundings.OtherHost("faraway", _tool.Folder.Path);
        _tool.Write("study.yaml", Slow(13_000));
        var holder = Start(far);
        Tool.Until(() => _tool.Journal("misbehave-row") > 0, "the action to begin");
        var (_, waited) = StartWaiting();

        var both = new[] { Tool.End(holder), await waited };

        Assert.All(both, run => Assert.True(run.ExitCode == 0, run.Error));
        Assert.Equal(1, _tool.Journal("misbehave-row"));
    }

    [RootFact]
    public async Task A_holder_that_only_stood_still_publishes_nothing_of_what_was_taken_over_and_ends_well()
    {
        using var far = Surroundings.OtherHost("faraway", _tool.Folder.Path);
        _tool.Write("study.yaml", Slow(4000));
        var holder = Start(far);
        Tool.Until(() => _tool.Journal("misbehave-row") > 0, "the action to begin");
        int[] worker = Tool.Children(holder.Id);
        Array.ForEach(worker, w => Tool.Signal(w, "STOP"));
        var (_, waited) = StartWaiting();
        Tool.Until(() => _tool.Journal("misbehave-row") > 1, "another to take over");
        Array.ForEach(worker, w => Tool.Signal(w, "CONT"));

        var both = new[] { Tool.End(holder), await waited };

        Assert.All(both, run => Assert.True(run.ExitCode == 0, run.Error));
        Assert.Equal(2, _tool.Journal("misbehave-row"));
        Assert.Equal(0, _tool.Run("run", "study.yaml", "--json").Executed);
        Assert.Empty(Directory.EnumerateFileSystemEntries(_tool.Folder["store/work"]));
        Assert.Empty(Leases());
    }

    [Fact]
    public async Task Runs_and_gc_beside_each_other_lose_nothing_also_where_gc_is_killed()
    {
        for (int i = 0; i < 3; i++)
        {
            _tool.Write($"study{i}.yaml", $$"""
                  rows: { uses: echo, with: { text: "a,bb", count: {{12 + i}} } }
                  squares: { uses: square, needs: rows, with: { suffix: "{{new string('x', 30)}}" } }
                  total: { uses: collect, needs: squares }

                """);
        }

        Assert.All(Enumerable.Range(0, 3), i => Assert.Equal(0, _tool.Run("run", $"study{i}.yaml").ExitCode));
        string[][] before = [.. Enumerable.Range(0, 3).Select(i => Stable($"study{i}"))];
        using var stop = new CancellationTokenSource();
        var random = new Random(3);
        int collected = 0, killed = 0;
        var collecting = Task.Run(() =>
        {
            while (!stop.IsCancellationRequested)
            {
                // Nothing recorded counts: only what is in use stays.
                var gc = _tool.Start("cache", "gc", "--max-size", "0");
                if (random.Next(2) == 0)
                {
                    Thread.Sleep(random.Next(150, 700));
                    killed += gc.HasExited ? 0 : 1;
                    Tool.KillNow(gc, workers: false);
                }

                Assert.True(Tool.End(gc) is { ExitCode: 0 or 137 }, "gc failed");
                collected++;
            }
        });
        for (int round = 0; round < 3; round++)
        {
            var ended = await Task.WhenAll(Enumerable.Range(0, 3).Select(i => Task.Run(() => Tool.End(_tool.Start("run", $"study{i}.yaml", "--jobs", "1")))));
            Assert.All(ended, run => Assert.True(run.ExitCode == 0, run.Error));
            Assert.All(Enumerable.Range(0, 3), i => Assert.Equal(before[i], Stable($"study{i}")));
        }

        await stop.CancelAsync();
        await collecting;
        Assert.True(collected >= 2, $"{collected} collections, {killed} killed");
        Assert.Equal(0, _tool.Run("cache", "gc").ExitCode);
        var check = _tool.Run("cache", "verify");
        Assert.True(check.ExitCode == 0, check.Error + check.Output);
        Assert.False(Directory.Exists(_tool.Folder["store/trash"]));
        Assert.Empty(Leases());
        Assert.Empty(Directory.EnumerateFiles(_tool.Folder["store/uses"]));
    }

    private static string Slow(int milliseconds) => $$"""
          rows: { uses: echo, with: { text: "slow" } }
          work: { uses: misbehave-row, needs: rows, with: { milliseconds: {{milliseconds}} } }

        """;

    private string[] Stable(string pipeline) => [.. _tool.Results(pipeline, r => !r.EndsWith("times.csv", StringComparison.Ordinal)).Select(r => $"{r.Key} {r.Value}")];

    private Process Start(Surroundings where)
    {
        _tool.Within = where.Command;
        var process = _tool.Start("run", "study.yaml");
        _tool.Within = [];
        return process;
    }

    /// <summary>A second run, once it says that it waits; what it said, and how it ends.</summary>
    private (System.Text.StringBuilder Said, Task<Ended> Ended) StartWaiting()
    {
        var process = _tool.Start("run", "study.yaml");
        var said = new System.Text.StringBuilder();
        while (process.StandardError.ReadLine() is { } line)
        {
            said.AppendLine(line);
            if (line.Contains("Waiting", StringComparison.Ordinal))
            {
                break;
            }
        }

        return (said, Task.Run(() => Tool.End(process)));
    }

    private string[] Leases() => Directory.Exists(_tool.Folder["store/leases"])
        ? [.. Directory.EnumerateDirectories(_tool.Folder["store/leases"]).SelectMany(Directory.EnumerateFileSystemEntries)] : [];
}

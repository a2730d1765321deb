// Thousands of rows in arrays: every promise holds, and Slurm is asked as seldom as for one row.
using System.Diagnostics;
using Scaling.Engine.Workers;
using Xunit.Abstractions;

namespace Scaling.Engine.Tests.Executors;

public sealed class ManyPointsTests(ITestOutputHelper output)
{
    private const int Rows = 10_000;

    [Fact]
    public async Task Thousands_of_rows_ask_Slurm_no_more_than_one_does()
    {
        using var study = new ClusterStudy(Rows, inMemory: true);
        study.Pace = study.Pace with { FirstQuery = TimeSpan.FromMilliseconds(300), LongestQuery = TimeSpan.FromSeconds(2), Grace = TimeSpan.FromSeconds(1) };
        study.Cluster.TakesArraysOf(1000);
        study.Cluster.Room = 32;
        study.Cluster.Node = task => task.WorksAtOnce();
        long began = Stopwatch.GetTimestamp();
        long allocated = GC.GetTotalAllocatedBytes();
        var run = await study.Run();
        var took = Stopwatch.GetElapsedTime(began);

        Assert.Equal(Rows, run.Ends.Count(e => e == ActionEnd.Published));
        Assert.Equal((Rows, Rows), (run.Seen.Began, run.Seen.Done));
        Assert.Equal(Rows, study.Cluster.Executions.Count);
        Assert.Equal(Rows / 1000, study.Cluster.Calls("sbatch").Count);
        Assert.Single(study.Cluster.Calls("scontrol"));
        Assert.Empty(study.Cluster.Calls("sacct"));
        Assert.Empty(study.Cluster.Calls("scancel"));
        output.WriteLine(FormattableString.Invariant($"{took.TotalSeconds:0.0} s, {(GC.GetTotalAllocatedBytes() - allocated) >> 20} MiB allocated by cluster and controller, {study.Cluster.Calls("squeue").Count} looks at the queue"));
    }

    [Fact]
    public async Task Of_hundreds_of_rows_of_which_every_seventh_is_lost_those_alone_run_twice()
    {
        using var study = new ClusterStudy(350, inMemory: true);
        study.Pace = study.Pace with { FirstQuery = TimeSpan.FromMilliseconds(200), Grace = TimeSpan.FromMilliseconds(500) };
        string[] lost = [.. study.Actions.Where((_, i) => i % 7 == 0).Select(a => a.Key)];
        study.Cluster.Node = task => task.Job.Number == "17" && task.Index % 7 == 0 ? task.Dies(task.Index % 2 == 0 ? "NODE_FAIL" : "COMPLETED") : task.Works();
        var run = await study.Run();

        Assert.Equal(350, run.Ends.Count(e => e == ActionEnd.Published));
        Assert.Equal(lost.Order(), study.Cluster.Executions.Where(e => e.IsLost).Select(e => e.Key).Order());
        Assert.Equal(lost.Order(), study.Cluster.Jobs.Skip(1).SelectMany(j => j.Record.Keys).Order());
        Assert.InRange(study.Cluster.Jobs.Count, 2, 25); // Those that are seen lost at one look go together.
    }
}

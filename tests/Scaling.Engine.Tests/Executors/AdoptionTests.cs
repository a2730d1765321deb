// Any controller goes on with what another left, whenever that one died; several on one store do not get into each other's way.
using Scaling.Engine.Executors.Slurm;
using Scaling.Engine.Workers;

namespace Scaling.Engine.Tests.Executors;

public sealed class AdoptionTests : IDisposable
{
    private readonly ClusterStudy _study = new(2);
    private readonly TaskCompletionSource _go = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public void Dispose() => _study.Dispose();

    /// <summary>Two rows at work for one pipeline, and a run of another pipeline that has adopted them.</summary>
    private async Task<(ClusterStudy.Controller Mine, Task Running, ClusterStudy.Controller Others, Task Watching)> RunMineAndAnothers()
    {
        var mine = _study.NewController();
        var running = mine.Run();
        await FakeCluster.Until(() => mine.Seen.Began == 2, "both began");
        _study.PipelinePath = "/study/other.yaml";
        var others = _study.NewController();
        var watching = others.Run();
        await FakeCluster.Until(() => others.Seen.Text.Contains("in job 17 already", StringComparison.Ordinal), "adopted");
        return (mine, running, others, watching);
    }

    [Fact]
    public async Task A_controller_that_dies_before_sbatch_leaves_a_job_that_the_next_one_submits()
    {
        _study.Pace = _study.Pace with { Command = TimeSpan.FromSeconds(2) };
        _study.Cluster.Fault("sbatch", "exec sleep 60", 1);
        await KillAfter(() => _study.Cluster.Calls("sbatch").Count == 1, "sbatch was called");
        var next = await _study.Run();

        Assert.Equal([ActionEnd.Published, ActionEnd.Published], next.Ends);
        Assert.Equal(2, _study.Cluster.Calls("sbatch").Count);
        Assert.Single(Directory.EnumerateDirectories(JobFolder.Root(_study.Store)));
    }

    [Fact]
    public async Task A_controller_that_dies_after_sbatch_leaves_a_job_that_the_next_one_finds()
    {
        _study.Pace = _study.Pace with { Command = TimeSpan.FromSeconds(2) };
        _study.Cluster.IsFull = true;
        _study.Cluster.Fault("sbatch", "genuine \"$@\" > /dev/null; exec sleep 60", 1);
        await KillAfter(() => _study.Cluster.Jobs.Count == 1, "submitted");
        Assert.Null(_study.Cluster.Jobs[0].Folder.Claim);
        var next = _study.NewController();
        var running = next.Run();
        await FakeCluster.Until(() => _study.Cluster.Jobs[0].Folder.Claim == "17", "claimed");
        _study.Cluster.IsFull = false;
        await running;

        _study.Check();
        Assert.Equal([ActionEnd.Published, ActionEnd.Published], next.Ends);
        Assert.Single(_study.Cluster.Jobs);
    }

    [Fact]
    public async Task A_controller_that_dies_while_tasks_run_is_replaced_and_nothing_runs_twice()
    {
        _study.Cluster.Node = task => task.Index == 0 ? task.Works() : task.WorksAfter(_go.Task);
        await KillAfter(() => _study.Cluster.Executions.Count == 1 && _study.Cluster.Jobs[0].Tasks[0].EndedAt is not null, "one is done");
        var next = _study.NewController();
        _study.IsAsked = a => a.Point == "r0001"; // The other is in the store.
        var running = next.Run();
        await FakeCluster.Until(() => next.Seen.Text.Contains("1 action is in job 17 already", StringComparison.Ordinal), "adopted");
        _go.SetResult();
        await running;

        _study.Check();
        Assert.Equal([ActionEnd.Published], next.Ends);
        Assert.Single(_study.Cluster.Calls("sbatch"));
        Assert.True(_study.Cluster.Jobs[0].Folder.IsClosed);
    }

    [Fact]
    public async Task Two_controllers_at_once_submit_each_row_once()
    {
        _study.Cluster.Node = task => task.WorksAfter(_go.Task);
        var one = _study.NewController();
        var other = _study.NewController();
        Task[] running = [Task.Run(one.Run), Task.Run(other.Run)];
        await FakeCluster.Until(() => one.Seen.Began == 2 && other.Seen.Began == 2, "both see both");
        _go.SetResult();
        await Task.WhenAll(running);

        _study.Check();
        Assert.Equal([ActionEnd.Published, ActionEnd.Published], one.Ends);
        Assert.Equal([ActionEnd.Published, ActionEnd.Published], other.Ends);
        Assert.Single(_study.Cluster.Calls("sbatch"));
    }

    [Fact]
    public async Task Two_controllers_of_a_lost_row_count_it_as_one_loss_and_submit_it_once()
    {
        _study.Cluster.Node = task => task.Job.Number == "17" && task.Index == 0 ? task.Dies("NODE_FAIL") : task.Works();
        var one = _study.NewController();
        var other = _study.NewController();
        await Task.WhenAll(Task.Run(one.Run), Task.Run(other.Run));

        _study.Check();
        Assert.Equal(2, _study.Cluster.Jobs.Count);
        Assert.Equal(1, _study.Cluster.Jobs[1].Record.Earlier.Losses);
    }

    [Fact]
    public async Task Tries_are_counted_whoever_tries()
    {
        _study.IsAsked = a => a.Point == "r0000";
        _study.Cluster.Node = task => task.Dies("NODE_FAIL");
        await KillAfter(() => _study.Cluster.Jobs.Count == 3, "two losses and a third try");
        var next = await _study.Run();

        Assert.Equal(["SCAL5112"], next.Codes);
        Assert.Equal(4, _study.Cluster.Jobs.Count);
    }

    [Fact]
    public async Task A_row_that_a_controller_gave_up_as_it_died_is_counted_too()
    {
        _study.IsAsked = a => a.Point == "r0000";
        _study.Cluster.Node = task => task.Dies("NODE_FAIL");
        await KillAfter(() => _study.Cluster.Jobs.Count == 3, "three tries");
        var last = _study.Cluster.Jobs[^1].Folder;
        await FakeCluster.Until(() => _study.Cluster.Jobs[^1].Tasks[0].EndedAt is not null, "the third ended");
        var again = (Decision.Again)EndingPolicy.Of(new TaskEnding(JobState.Parse("NODE_FAIL"), null) { HasBegun = true }, last.Read()!);
        last.GiveUp(0, again);
        var next = await _study.Run();

        Assert.Equal(["SCAL5112"], next.Codes);
        Assert.Equal([0, 1, 2, 3], _study.Cluster.Jobs.Select(j => j.Record.Earlier.Losses));
    }

    [Fact]
    public async Task What_attach_watches_is_left_when_it_is_stopped()
    {
        _study.Cluster.Node = task => task.WorksAfter(_go.Task);
        var attached = _study.NewController(leavesJobs: true);
        var running = attached.Run();
        await FakeCluster.Until(() => attached.Seen.Began == 2, "both began");
        attached.Stop();
        await running;

        Assert.Equal([ActionEnd.Stopped, ActionEnd.Stopped], attached.Ends);
        Assert.Empty(_study.Cluster.Calls("scancel"));
        _go.SetResult();
        var next = await _study.Run();
        Assert.Equal([ActionEnd.Published, ActionEnd.Published], next.Ends);
        Assert.Single(_study.Cluster.Jobs);
    }

    [Fact]
    public async Task Jobs_that_the_user_of_another_pipeline_cancels_are_submitted_again_by_who_still_wants_them()
    {
        _study.Cluster.Node = task => task.Job.Number == "17" ? task.WorksUntilAskedToStop() : task.Works();
        var (mine, running, others, watching) = await RunMineAndAnothers();
        mine.Stop();
        await running;
        await watching;

        _study.Check();
        Assert.Equal([ActionEnd.Stopped, ActionEnd.Stopped], mine.Ends);
        Assert.Equal([ActionEnd.Published, ActionEnd.Published], others.Ends);
        Assert.Equal(2, _study.Cluster.Jobs.Skip(1).Sum(j => j.Tasks.Count)); // In one job, or in two where a look saw the end of one.
    }

    [Fact]
    public async Task Who_only_watches_anothers_jobs_does_not_cancel_them()
    {
        _study.Cluster.Node = task => task.WorksAfter(_go.Task);
        var (mine, running, others, watching) = await RunMineAndAnothers();
        others.Stop();
        await watching;
        _go.SetResult();
        await running;

        _study.Check();
        Assert.Equal([ActionEnd.Stopped, ActionEnd.Stopped], others.Ends);
        Assert.Equal([ActionEnd.Published, ActionEnd.Published], mine.Ends);
        Assert.Empty(_study.Cluster.Calls("scancel"));
    }

    [Fact]
    public async Task A_job_that_its_controller_cancels_before_it_is_submitted_is_not_waited_for()
    {
        _study.Cluster.Fault("sbatch", "echo 'sbatch: error: Slurm temporarily unable to accept job, sleeping and retrying' >&2; exit 1");
        var mine = _study.NewController();
        var running = mine.Run();
        await FakeCluster.Until(() => mine.Seen.Text.Contains("takes no more jobs", StringComparison.Ordinal), "full");
        _study.PipelinePath = "/study/other.yaml";
        var others = _study.NewController();
        var watching = others.Run();
        await FakeCluster.Until(() => others.Seen.Text.Contains("already", StringComparison.Ordinal), "adopted");
        mine.Stop();
        await running;
        _study.Cluster.Mend("sbatch");
        await watching;

        _study.Check();
        Assert.Equal([ActionEnd.Published, ActionEnd.Published], others.Ends);
        Assert.Equal("/study/other.yaml", Assert.Single(_study.Cluster.Jobs).Record.Path);
    }

    [Fact]
    public async Task A_job_that_is_refused_to_its_controller_is_tried_by_who_waits_for_it()
    {
        _study.Cluster.Fault("sbatch", "sleep 0.5; echo 'sbatch: error: Batch job submission failed: Invalid partition name specified' >&2; exit 1", 1);
        var mine = _study.NewController();
        var running = mine.Run();
        await FakeCluster.Until(() => _study.Cluster.Calls("sbatch").Count == 1, "sbatch was called");
        var others = _study.NewController();
        var watching = others.Run();
        await Assert.ThrowsAsync<InfrastructureException>(() => running);
        await watching;

        _study.Check();
        Assert.Equal([ActionEnd.Published, ActionEnd.Published], others.Ends);
    }

    [Fact]
    public async Task A_closed_job_is_not_adopted()
    {
        await _study.Run();
        Directory.Delete(Path.Combine(_study.Store, "entries"), recursive: true);
        Directory.CreateDirectory(Path.Combine(_study.Store, "entries"));
        _study.Cluster.Executions.Clear();
        var next = await _study.Run();

        Assert.Equal([ActionEnd.Published, ActionEnd.Published], next.Ends);
        Assert.Equal(2, _study.Cluster.Jobs.Count);
    }

    [Fact]
    public async Task Force_adopts_no_job_and_executes_what_is_published()
    {
        _study.Cluster.Node = task => task.Job.Number == "17" ? task.WorksAfter(_go.Task) : task.Works();
        var first = _study.NewController();
        var running = first.Run();
        await FakeCluster.Until(() => first.Seen.Began == 2, "both began");
        _study.AskAgain();
        await _study.Run();
        Assert.Equal(2, _study.Cluster.Executions.Count);
        var again = await _study.Run();
        _go.SetResult();
        await running;

        Assert.Equal([ActionEnd.Published, ActionEnd.Published], again.Ends);
        Assert.All(first.Ends, end => Assert.True(end is ActionEnd.Published or ActionEnd.Found));
        Assert.Equal(4, _study.Cluster.Executions.Count);
        Assert.Equal(3, _study.Cluster.Jobs.Count);
    }

    /// <summary>Kills a controller as soon as something is so.</summary>
    private async Task KillAfter(Func<bool> so, string what)
    {
        var first = _study.NewController(leavesJobs: true);
        var running = first.Run();
        await FakeCluster.Until(so, what);
        first.Kill(running);
    }
}

// What becomes of rows whose task did not end well: each ending has its own policy.
using Scaling.Engine.Executors;
using Scaling.Engine.Executors.Slurm;
using Scaling.Engine.Workers;
using Scaling.Sdk;

namespace Scaling.Engine.Tests.Executors;

public sealed class EndingTests : IDisposable
{
    private readonly ClusterStudy _study = new(2);

    public void Dispose() => _study.Dispose();

    [Fact]
    public async Task A_time_limit_without_a_checkpoint_fails_that_row_alone()
    {
        _study.Cluster.Node = task => task.Index == 0 ? task.Dies("TIMEOUT") : task.Works();
        var run = await _study.Run();

        Assert.Equal([ActionEnd.Failed, ActionEnd.Published], run.Ends);
        Assert.Equal(["SCAL5110"], run.Codes);
        Assert.Single(_study.Cluster.Jobs);
    }

    [Fact]
    public async Task A_time_limit_with_a_checkpoint_goes_on_in_the_same_job()
    {
        _study.Pace = _study.Pace with { Grace = TimeSpan.FromSeconds(5) }; // A slow disk between a result and its word must not pass for a node that was cut off.
        _study.Cluster.Node = task => task is { Index: 0, Restart: < 2 } ? task.Ends(ActionEnd.Stopped, checkpoint: true, late: true) : task.Works();
        var run = await _study.Run();

        Assert.Equal([ActionEnd.Published, ActionEnd.Published], run.Ends);
        Assert.Equal(2, Assert.Single(_study.Cluster.Jobs).Tasks[0].Restart);
        Assert.Equal((4, 2), (run.Executor.Usage[0].Tasks, run.Executor.Usage[0].Restarts));
    }

    [Fact]
    public async Task A_time_limit_whose_requeue_failed_goes_on_in_another_job()
    {
        _study.Cluster.Node = task => task.Index == 0 && task.Job.Number == "17" ? task.Ends(ActionEnd.Stopped, "TIMEOUT", checkpoint: true, late: true) : task.Works();
        var run = await _study.Run();

        Assert.Equal([ActionEnd.Published, ActionEnd.Published], run.Ends);
        Assert.Equal(new EarlierTries(0, 0, 0, 1), _study.Cluster.Jobs[1].Record.Earlier);
    }

    [Fact]
    public async Task A_preempted_row_goes_on_however_often_that_happens()
    {
        _study.Cluster.Node = task => task.Index == 0 && _study.Cluster.Jobs.Count < 6 ? task.Dies("PREEMPTED") : task.Works();
        var run = await _study.Run();

        Assert.Equal([ActionEnd.Published, ActionEnd.Published], run.Ends);
        Assert.Equal(5, _study.Cluster.Jobs[^1].Record.Earlier.Continuations);
    }

    [Fact]
    public async Task A_row_whose_node_failed_is_begun_anew_by_Slurm_or_by_us()
    {
        _study.Cluster.Node = task => task switch
        {
            { Index: 0, Restart: 0 } => task.Dies("PENDING"),
            { Index: 1, Job.Number: "17" } => task.Dies("NODE_FAIL"),
            _ => task.Works(),
        };
        var run = await _study.Run();

        Assert.Equal([ActionEnd.Published, ActionEnd.Published], run.Ends);
        Assert.Equal(1, _study.Cluster.Jobs[1].Record.Earlier.Losses);
    }

    [Fact]
    public async Task Memory_is_doubled_until_it_does_and_no_more_than_three_times()
    {
        _study.Resources = new Resources { MemoryMebibytes = 1024 };
        _study.Cluster.Node = task => task.Index == 0 && task.Job.Record.Keys.Contains(_study.Actions[0].Key) ? task.Dies("OUT_OF_MEMORY") : task.Works();
        var run = await _study.Run();

        Assert.Equal([ActionEnd.Failed, ActionEnd.Published], run.Ends);
        Assert.Equal(["SCAL5111"], run.Codes);
        Assert.Equal(["1024M", "2048M", "4096M", "8192M"], _study.Cluster.Jobs.Select(j => FakeJob.Option(j.Script, "mem")));
    }

    [Fact]
    public async Task A_job_that_somebody_cancelled_fails_and_is_not_submitted_again()
    {
        _study.Cluster.Node = task => task.WorksUntilAskedToStop();
        var controller = _study.NewController();
        var running = controller.Run();
        await FakeCluster.Until(() => controller.Seen.Began == 2, "both began");
        _study.Cluster.Cancel(_study.Cluster.Jobs[0]);
        await running;

        _study.Check();
        Assert.Equal([ActionEnd.Failed, ActionEnd.Failed], controller.Ends);
        Assert.Equal(["SCAL5113", "SCAL5113"], controller.Codes);
        Assert.Single(_study.Cluster.Jobs);
    }

    [Fact]
    public async Task A_row_that_somebody_cancels_while_it_waits_fails_though_Slurm_forgets_it_at_once()
    {
        var go = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _study.Cluster.HasNoAccounting();
        _study.Cluster.Room = 1;
        _study.Cluster.Node = task => task.WorksAfter(go.Task);
        var controller = _study.NewController();
        var running = controller.Run();
        await FakeCluster.Until(() => controller.Seen.Began == 1, "one began");
        _study.Cluster.CancelWaiting(_study.Cluster.Jobs[0].Tasks[1]);
        await FakeCluster.Until(() => controller.Results.Count == 1, "the other is told");
        go.SetResult();
        await running;

        _study.Check();
        Assert.Equal([ActionEnd.Published, ActionEnd.Failed], controller.Ends);
        Assert.Equal(["SCAL5113"], controller.Codes);
        Assert.Single(_study.Cluster.Jobs);
    }

    [Fact]
    public async Task A_task_that_Slurm_holds_since_it_could_not_launch_it_is_cancelled_and_tried_elsewhere()
    {
        _study.Cluster.Node = task =>
        {
            if (task.NodeList == "n2")
            {
                task.Reason = "launch failed requeued held";
                return Task.FromResult("PENDING");
            }

            return task.Works();
        };
        var run = await _study.Run();

        Assert.Equal([ActionEnd.Published, ActionEnd.Published], run.Ends);
        Assert.Equal("n2", FakeJob.Option(_study.Cluster.Jobs[1].Script, "exclude"));
        Assert.Equal(["17_1"], _study.Cluster.Calls("scancel").Select(c => c.Arguments));
    }

    [Fact]
    public async Task A_task_that_never_began_is_tried_once_more_without_that_node()
    {
        _study.Cluster.Node = task => task.NodeList == "n1" ? Task.FromResult("FAILED") : task.Works();
        var run = await _study.Run();

        Assert.Equal([ActionEnd.Published, ActionEnd.Published], run.Ends);
        Assert.Equal([null, "n1"], _study.Cluster.Jobs.Select(j => FakeJob.Option(j.Script, "exclude")));
    }

    [Fact]
    public async Task A_task_that_begins_nowhere_fails_with_the_folder_as_the_likely_cause()
    {
        _study.Cluster.Node = _ => Task.FromResult("FAILED");
        var run = await _study.Run();

        Assert.Equal(["SCAL5114", "SCAL5114"], run.Codes);
        Assert.Equal(2 + 1, _study.Cluster.Jobs.Count); // Each row without its own node.
    }

    [Fact]
    public async Task A_worker_that_dies_is_tried_twice_more_and_its_own_words_are_told()
    {
        var why = new Diagnostic("SCAL5001", "The worker was ended by signal 11.");
        _study.Cluster.Node = task => task.Job.Record.Keys.Contains(_study.Actions[0].Key) && task.Index == 0 ? task.Ends(ActionEnd.Died, finding: why) : task.Works();
        var run = await _study.Run();

        Assert.Equal([ActionEnd.Failed, ActionEnd.Published], run.Ends);
        Assert.Equal(["SCAL5001"], run.Codes);
        Assert.Equal([0, 1, 2], _study.Cluster.Jobs.Select(j => j.Record.Earlier.Deaths));
    }

    [Fact]
    public async Task A_row_that_fails_by_itself_is_not_tried_again()
    {
        _study.Cluster.Node = task => task.Index == 0 ? task.Ends(ActionEnd.Failed, finding: new Diagnostic("TEST0001", "The loss is not a number.")) : task.Works();
        var run = await _study.Run();

        Assert.Equal([ActionEnd.Failed, ActionEnd.Published], run.Ends);
        Assert.Equal(["TEST0001"], run.Codes);
        Assert.Single(_study.Cluster.Jobs);
    }

    [Fact]
    public async Task What_a_task_of_several_rows_published_before_it_was_lost_is_kept()
    {
        using var study = new ClusterStudy(4) { Resources = new Resources { Pack = 4 } };
        study.Cluster.Node = async task =>
        {
            if (task.Job.Number != "17")
            {
                return await task.Works();
            }

            try
            {
                await task.Run(async (keys, at) =>
                {
                    await task.Publish([.. keys.Take(2)], at);
                    throw new IOException("gone");
                });
            }
            catch (IOException)
            {
                // The node is gone.
            }

            return "NODE_FAIL";
        };
        var run = await study.Run();

        Assert.Equal(Enumerable.Repeat(ActionEnd.Published, 4), run.Ends);
        Assert.Equal(study.Actions.Skip(2).Select(a => a.Key), study.Cluster.Jobs[1].Record.Keys);
        Assert.Equal(4, study.Cluster.Executions.Count);
    }

    [Fact]
    public async Task Ctrl_C_cancels_the_jobs_and_keeps_what_they_saved()
    {
        _study.Cluster.Room = 1;
        _study.Cluster.Node = task => task.WorksUntilAskedToStop();
        var controller = _study.NewController();
        var running = controller.Run();
        await FakeCluster.Until(() => controller.Seen.Began == 1, "one began");
        controller.Stop();
        await running;

        _study.Check();
        Assert.Equal([ActionEnd.Stopped, ActionEnd.Stopped], controller.Ends);
        await FakeCluster.Until(() => _study.Cluster.Jobs[0].Tasks.All(t => t.State.StartsWith("CANCELLED", StringComparison.Ordinal)), "cancelled");
        Assert.Empty(JobFolder.Open(_study.Store));
    }

    [Fact]
    public async Task Ctrl_C_does_not_wait_for_the_queue_once_the_tasks_have_said_that_they_stopped()
    {
        _study.Cluster.Node = task => task.WorksUntilAskedToStop();
        var controller = _study.NewController();
        var running = controller.Run();
        await FakeCluster.Until(() => controller.Seen.Began == 2, "both began");
        _study.Cluster.Fault("squeue", "exit 1");
        var asked = DateTime.UtcNow;
        controller.Stop();
        await running;

        Assert.Equal([ActionEnd.Stopped, ActionEnd.Stopped], controller.Ends);
        Assert.InRange(DateTime.UtcNow - asked, TimeSpan.Zero, _study.Pace.Stop - TimeSpan.FromSeconds(0.5));
    }

    [Fact]
    public async Task Ctrl_C_during_a_submission_leaves_no_job_in_the_queue()
    {
        _study.Cluster.IsFull = true;
        _study.Cluster.Fault("sbatch", "sleep 0.7; genuine \"$@\"", 1);
        var controller = _study.NewController();
        var running = controller.Run();
        await FakeCluster.Until(() => _study.Cluster.Calls("sbatch").Count == 1, "sbatch was called");
        controller.Stop();
        await running;

        await FakeCluster.Until(() => _study.Cluster.Jobs is [var job] && job.Tasks.All(t => t.State.StartsWith("CANCELLED", StringComparison.Ordinal)), "cancelled");
    }

    [Fact]
    public async Task A_stage_whose_keys_hold_a_kind_of_machine_asks_a_node_once()
    {
        _study.IsExclusive = true;
        var controller = _study.NewController();
        var placed = await controller.Executor.Placed(_study.Stage, default);
        var again = await _study.NewController().Executor.Placed(_study.Stage, default);

        Assert.Equal(Scaling.Engine.Planning.DeviceClass.OfThisMachine, placed.DeviceClass);
        Assert.Equal(placed.DeviceClass, again.DeviceClass);
        Assert.Single(_study.Cluster.Calls("sbatch"));
    }

    [Fact]
    public async Task A_node_that_cannot_say_what_it_is_fails_the_stage_with_the_reason()
    {
        _study.IsExclusive = true;
        _study.Cluster.Node = _ => Task.FromResult("FAILED");
        var failed = await Assert.ThrowsAsync<Scaling.Sdk.StageFailedException>(() => _study.NewController().Executor.Placed(_study.Stage, default));

        Assert.Equal("SCAL5114", failed.Diagnostics[0].Code);
    }
}

// A job is submitted once, though sbatch may fail while the job runs, answer nothing, or answer twice.
using Scaling.Engine.Executors;
using Scaling.Engine.Executors.Slurm;
using Scaling.Engine.Workers;

namespace Scaling.Engine.Tests.Executors;

public sealed class SubmissionTests : IDisposable
{
    private const string TimedOut = "echo 'sbatch: error: Batch job submission failed: Socket timed out on send/recv operation' >&2; exit 1";
    private readonly ClusterStudy _study = new();

    public void Dispose() => _study.Dispose();

    /// <summary>In a full queue, so that a job does not say itself that it is there: it has to be found.</summary>
    private async Task<ClusterStudy.Controller> RunUntilClaimedThenMakeRoom()
    {
        var controller = _study.NewController();
        var running = controller.Run();
        await FakeCluster.Until(() => _study.Cluster.Jobs is [{ Folder.Claim: "17" }], "claimed");
        _study.Cluster.IsFull = false;
        await running;
        _study.Check();
        return controller;
    }

    [Fact]
    public async Task A_row_runs_in_a_job_and_is_told_once()
    {
        var run = await _study.Run();

        Assert.Equal([ActionEnd.Published], run.Ends);
        Assert.Equal((1, 1), (run.Seen.Began, run.Seen.Done));
        Assert.Equal(["--parsable"], _study.Cluster.Calls("sbatch").Select(c => c.Arguments));
        Assert.Empty(_study.Cluster.Calls("sacct"));
        Assert.True(Assert.Single(_study.Cluster.Jobs).Folder.IsClosed);
        Assert.Equal(1, Assert.Single(run.Executor.Usage).Tasks);
    }

    [Fact]
    public async Task A_stage_that_runs_in_rounds_has_jobs_of_each_and_its_usage_is_of_all()
    {
        using var study = new ClusterStudy(3);
        var controller = study.NewController();
        study.IsAsked = action => action == study.Actions[0];
        await controller.Run();
        study.IsAsked = action => action != study.Actions[0];
        await controller.Run();
        study.Check();

        Assert.Equal([ActionEnd.Published, ActionEnd.Published, ActionEnd.Published], controller.Ends);
        Assert.Equal(2, study.Cluster.Calls("sbatch").Count);
        Assert.All(study.Cluster.Jobs, job => Assert.True(job.Folder.IsClosed));
        Assert.Equal(3, Assert.Single(controller.Executor.Usage).Tasks);
    }

    [Fact]
    public async Task What_sbatch_says_failed_and_Slurm_took_is_found_and_not_submitted_again()
    {
        _study.Cluster.IsFull = true; // So that the job itself does not say that it is there.
        _study.Cluster.Fault("sbatch", $"genuine \"$@\" > /dev/null; {TimedOut}", 1);
        var controller = await RunUntilClaimedThenMakeRoom();

        Assert.Equal([ActionEnd.Published], controller.Ends);
        Assert.Single(_study.Cluster.Calls("sbatch"));
        Assert.Contains("Socket timed out", controller.Seen.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_sbatch_never_answered_and_Slurm_took_is_found_and_not_submitted_again()
    {
        _study.Pace = _study.Pace with { Command = TimeSpan.FromSeconds(3) };
        _study.Cluster.IsFull = true;
        _study.Cluster.Fault("sbatch", "genuine \"$@\" > /dev/null; exec sleep 60", 1);
        var controller = await RunUntilClaimedThenMakeRoom();

        Assert.Equal([ActionEnd.Published], controller.Ends);
        Assert.Single(_study.Cluster.Jobs);
    }

    [Fact]
    public async Task What_sbatch_never_answered_and_Slurm_did_not_take_is_submitted_again_after_three_looks()
    {
        _study.Cluster.Fault("sbatch", TimedOut, 1);
        var run = await _study.Run();

        Assert.Equal([ActionEnd.Published], run.Ends);
        var second = _study.Cluster.Calls("sbatch")[1].At;
        Assert.InRange(_study.Cluster.Calls("squeue").Count(c => c.At < second && c.Arguments.StartsWith("--me", StringComparison.Ordinal)), 3, int.MaxValue);
        Assert.InRange(_study.Cluster.Calls("squeue").Count(c => c.At < second && c.Arguments.Contains("--name=p.work.", StringComparison.Ordinal)), 1, int.MaxValue);
    }

    [Fact]
    public async Task A_job_that_Slurm_shows_only_after_many_looks_is_executed_by_one_of_the_two()
    {
        _study.Cluster.TakesFirstAfterLooks = 8; // Three looks, and it is submitted again; the first is still on its way.
        _study.Cluster.Fault("sbatch", $"genuine \"$@\" > /dev/null; {TimedOut}", 1);
        _study.Cluster.IsFull = true;
        var controller = _study.NewController();
        var running = controller.Run();
        await FakeCluster.Until(() => _study.Cluster.Jobs.Count == 2, "both are there");
        _study.Cluster.IsFull = false;
        await running;

        Assert.Equal([ActionEnd.Published], controller.Ends);
        await FakeCluster.Until(() => _study.Cluster.Jobs.Count == 2 && _study.Cluster.Jobs.All(j => j.Tasks[0].EndedAt is not null), "both ended");
        _study.Check();
        Assert.Single(_study.Cluster.Jobs.Select(j => j.Name).Distinct());
        Assert.Single(_study.Cluster.Executions);
    }

    [Fact]
    public async Task A_second_job_of_the_same_name_that_waits_is_cancelled()
    {
        _study.Cluster.Fault("sbatch", "script=$(cat); printf '%s\\n' \"$script\" | genuine \"$@\" > /dev/null; printf '%s\\n' \"$script\" | genuine \"$@\"", 1);
        _study.Cluster.IsFull = true;
        var controller = _study.NewController();
        var running = controller.Run();
        await FakeCluster.Until(() => _study.Cluster.Jobs.Any(j => j.Tasks[0].State == "CANCELLED by 1000"), "the orphan is cancelled");
        _study.Cluster.IsFull = false;
        await running;

        _study.Check();
        Assert.Equal([ActionEnd.Published], controller.Ends);
        Assert.Equal(["17"], _study.Cluster.Calls("scancel").Select(c => c.Arguments));
        await FakeCluster.Until(() => _study.Cluster.Jobs.Select(j => j.Tasks[0].State).SequenceEqual(["CANCELLED by 1000", "COMPLETED"]), "one is cancelled and the other done");
    }

    [Fact]
    public async Task Half_an_answer_of_sbatch_is_none()
    {
        _study.Cluster.IsFull = true;
        _study.Cluster.Fault("sbatch", "genuine \"$@\" > /dev/null; echo 'Welcome to the cluster, version 1'", 1);
        await RunUntilClaimedThenMakeRoom();

        Assert.Single(_study.Cluster.Calls("sbatch"));
    }

    [Fact]
    public async Task Where_the_queue_is_full_it_is_asked_again_until_it_is_not()
    {
        _study.Cluster.Fault("sbatch", "echo 'sbatch: error: QOSMaxSubmitJobPerUserLimit' >&2; echo 'sbatch: error: Batch job submission failed: Job violates accounting/QOS policy (job submit limit, user is)' >&2; exit 1", 1, 2, 3);
        var run = await _study.Run();

        Assert.Equal([ActionEnd.Published], run.Ends);
        Assert.Equal(4, _study.Cluster.Calls("sbatch").Count);
        Assert.Contains("Slurm takes no more jobs just now", run.Seen.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_refused_is_told_in_Slurms_words_and_nothing_is_left_waiting()
    {
        using var study = new ClusterStudy(3) { Resources = new Resources { Partition = "nowhere" } };
        study.Cluster.TakesArraysOf(2);
        study.Cluster.IsFull = true;
        study.Cluster.Fault("sbatch", "sleep 0.3; echo 'sbatch: error: invalid partition specified: nowhere' >&2; echo 'sbatch: error: Batch job submission failed: Invalid partition name specified' >&2; exit 1", 2);
        var controller = study.NewController();
        var refused = await Assert.ThrowsAsync<InfrastructureException>(controller.Run);

        Assert.Equal("SCAL5102", refused.Diagnostic.Code);
        Assert.Contains("invalid partition specified: nowhere; sbatch: error: Batch job submission failed: Invalid partition name specified", refused.Diagnostic.Message, StringComparison.Ordinal);
        Assert.Contains("resources:", refused.Diagnostic.Hint!, StringComparison.Ordinal);
        await FakeCluster.Until(() => study.Cluster.Jobs is [var other] && other.Tasks.All(t => t.State.StartsWith("CANCELLED", StringComparison.Ordinal)), "the other job is cancelled");
        Assert.Empty(JobFolder.Open(study.Store));
        study.Check();
    }

    [Fact]
    public async Task A_job_that_sbatch_takes_while_another_is_refused_is_not_left_in_the_queue()
    {
        using var study = new ClusterStudy(3);
        study.Cluster.TakesArraysOf(2);
        study.Cluster.IsFull = true;
        study.Cluster.Fault("sbatch", "sleep 1; genuine \"$@\"", 1);
        study.Cluster.Fault("sbatch", "echo 'sbatch: error: Batch job submission failed: Invalid account or account/partition combination specified' >&2; exit 1", 2);
        await Assert.ThrowsAsync<InfrastructureException>(study.NewController().Run);

        await FakeCluster.Until(() => study.Cluster.Jobs is [var other] && other.Tasks.All(t => t.State.StartsWith("CANCELLED", StringComparison.Ordinal)), "the slow one is cancelled");
        Assert.Equal(2, study.Cluster.Calls("sbatch").Count);
    }

    [Theory]
    [InlineData("sbatch")]
    [InlineData("squeue")]
    public async Task Without_Slurm_on_this_machine_the_missing_command_is_named(string program)
    {
        _study.Cluster.IsFull = true;
        File.Delete(Path.Combine(_study.Cluster.Programs, program));
        var controller = _study.NewController();

        for (int stage = 0; stage < 2; stage++)
        {
            controller.Results.Clear();
            var missing = (await Assert.ThrowsAsync<InfrastructureException>(controller.Run)).Diagnostic;
            Assert.Equal("SCAL5101", missing.Code);
            Assert.Contains($"The command {program} of Slurm cannot be started", missing.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Rows_go_in_arrays_no_larger_than_the_site_allows()
    {
        using var study = new ClusterStudy(7);
        study.Cluster.TakesArraysOf(3);
        var run = await study.Run();

        Assert.Equal(Enumerable.Repeat(ActionEnd.Published, 7), run.Ends);
        Assert.Equal([1, 3, 3], study.Cluster.Jobs.Select(j => j.Tasks.Count).Order());
        Assert.Single(study.Cluster.Calls("scontrol"));
    }

    [Fact]
    public async Task Rows_are_packed_and_run_side_by_side_as_their_resources_say()
    {
        using var study = new ClusterStudy(7) { Resources = new Resources { Pack = 3, Cpus = 2, Limit = 2 } };
        int sideBySide = 0;
        study.Cluster.Node = async task => await task.Run(async (keys, at) =>
        {
            sideBySide = at;
            return await task.Publish(keys, at);
        }) == 0 ? "COMPLETED" : "FAILED";
        var run = await study.Run();

        Assert.Equal(Enumerable.Repeat(ActionEnd.Published, 7), run.Ends);
        Assert.Equal(3, Assert.Single(study.Cluster.Jobs).Tasks.Count);
        Assert.Equal(2, study.Cluster.Jobs[0].Limit);
        Assert.Equal(2, sideBySide);
        Assert.Equal([3, 3, 1], study.Cluster.Executions.GroupBy(e => e.Index).OrderBy(e => e.Key).Select(e => e.Count()));
    }

    [Fact]
    public async Task A_batch_goes_as_one_task_whatever_pack_says()
    {
        using var study = new ClusterStudy(5) { IsBatch = true, Resources = new Resources { Pack = 2, Cpus = 4 } };
        var run = await study.Run();

        Assert.Equal(Enumerable.Repeat(ActionEnd.Published, 5), run.Ends);
        Assert.Single(Assert.Single(study.Cluster.Jobs).Tasks);
        Assert.Equal(1, study.Cluster.Jobs[0].Record.SideBySide);
    }
}

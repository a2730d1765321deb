// What sites do to jobs that no manual tells: limits that count tasks, rules of their own, nodes with a bad mount, shells without Slurm.
using Scaling.Engine.Executors;
using Scaling.Engine.Executors.Slurm;
using Scaling.Engine.Store;
using Scaling.Engine.Workers;
using Scaling.Sdk;
using Scaling.TestKit;

namespace Scaling.Engine.Tests.Executors;

public sealed class SiteTests : IDisposable
{
    private readonly ClusterStudy _study = new(rows: 4);

    public void Dispose() => _study.Dispose();

    [Fact]
    public async Task An_array_that_a_limit_of_the_user_never_lets_in_is_submitted_in_halves()
    {
        _study.Cluster.Fault("sbatch", """
            job=$(cat)
            case $job in
            *--array=0-3*) refuse "sbatch: error: QOSMaxSubmitJobPerUserLimit
            sbatch: error: Batch job submission failed: Job violates accounting/QOS policy (job submit limit, user's size and/or time limits)" ;;
            *) printf '%s\n' "$job" | genuine "$@" ;;
            esac
            """);
        var run = await _study.Run();

        Assert.Equal(Enumerable.Repeat(ActionEnd.Published, 4), run.Ends);
        Assert.Equal([2, 2], _study.Cluster.Jobs.Select(j => j.Record.Tasks));
        Assert.Equal(4, _study.Cluster.Calls("sbatch").Count);
    }

    [Fact]
    public async Task What_is_tried_again_in_a_way_that_Slurm_refuses_fails_alone()
    {
        _study.Resources = new Resources { MemoryMebibytes = 1024 };
        _study.Cluster.Fault("sbatch", """
            job=$(cat)
            case $job in
            *--mem=2048M*) refuse "sbatch: error: Memory specification can not be satisfied" ;;
            *) printf '%s\n' "$job" | genuine "$@" ;;
            esac
            """);
        _study.Cluster.Node = task => task.Index == 0 ? task.Dies("OUT_OF_MEMORY") : task.Works();
        var run = await _study.Run();

        Assert.Equal([ActionEnd.Failed, ActionEnd.Published, ActionEnd.Published, ActionEnd.Published], run.Ends);
        var finding = Assert.Single(run.Results[_study.Actions[0].Key].Findings);
        Assert.Equal("SCAL5111", finding.Code);
        Assert.Contains("Memory specification can not be satisfied", finding.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_refusal_in_words_that_nobody_knows_is_one_when_nothing_came_of_two_calls()
    {
        _study.Cluster.Fault("sbatch", "refuse 'sbatch: error: Batch job submission failed: Unspecified error'");
        var refused = await Assert.ThrowsAsync<InfrastructureException>(_study.Run);

        Assert.Equal("SCAL5102", refused.Diagnostic.Code);
        Assert.Contains("Unspecified error", refused.Message, StringComparison.Ordinal);
        Assert.Equal(2, _study.Cluster.Calls("sbatch").Count);
    }

    [Fact]
    public async Task A_node_that_cannot_write_the_store_is_left_out_and_its_row_runs_elsewhere()
    {
        var fault = new Diagnostic("SCAL4010", "A file could not be written, since its file system is read-only.");
        _study.Cluster.Node = task => task is { Index: 0, Job.Record.Earlier.Losses: 0 } ? task.Ends(ActionEnd.Failed, "FAILED", finding: fault) : task.Works();
        var run = await _study.Run();

        Assert.Equal(Enumerable.Repeat(ActionEnd.Published, 4), run.Ends);
        Assert.False(string.IsNullOrEmpty(_study.Cluster.Jobs[^1].Record.Resources.Exclude));
    }

    [Fact]
    public async Task A_store_that_no_node_can_write_fails_with_the_nodes_own_words()
    {
        var fault = new Diagnostic("SCAL4010", "A file could not be written, since its file system is read-only.");
        _study.Cluster.Node = task => task.Index == 0 ? task.Ends(ActionEnd.Failed, "FAILED", finding: fault) : task.Works();
        var run = await _study.Run();

        Assert.Equal(["SCAL4010"], run.Codes.Take(1));
    }

    [Fact]
    public async Task What_the_study_says_wins_over_what_the_environment_says()
    {
        _study.Resources = new Resources { Partition = "gpu", Account = "mine", Flags = ["--reservation=night", "--comment=x"] };
        await _study.Run();

        Assert.Equal("--parsable --partition=gpu --account=mine --reservation=night", _study.Cluster.Calls("sbatch")[0].Arguments);
    }

    [Fact]
    public async Task A_shell_without_Slurm_leaves_the_jobs_of_others_alone()
    {
        _study.Cluster.IsFull = true;
        var first = _study.NewController(leavesJobs: true);
        var running = first.Run();
        await FakeCluster.Until(() => _study.Cluster.Jobs is [{ Folder.Claim: not null }], "claimed");
        string squeue = Path.Combine(_study.Cluster.Programs, "squeue");
        File.Move(squeue, squeue + ".away");
        var refused = await Assert.ThrowsAsync<InfrastructureException>(_study.NewController().Run);
        File.Move(squeue + ".away", squeue);

        Assert.Equal("SCAL5101", refused.Diagnostic.Code);
        Assert.Null(_study.Cluster.Jobs[0].Folder.CancelledBy);
        Assert.Empty(_study.Cluster.Calls("scancel"));
        first.Stop();
        await Task.WhenAny(running);
    }

    [Fact]
    public async Task Stopping_a_second_run_leaves_the_jobs_of_the_first()
    {
        _study.Cluster.IsFull = true;
        var first = _study.NewController();
        var running = first.Run();
        await FakeCluster.Until(() => _study.Cluster.Jobs is [{ Folder.Claim: not null }], "claimed");
        var second = _study.NewController();
        var beside = second.Run();
        await FakeCluster.Until(() => second.Seen.Text.Contains("in job 17 already", StringComparison.Ordinal), "adopted");
        second.Stop();
        await beside;
        _study.Cluster.IsFull = false;
        await running;

        Assert.Equal(Enumerable.Repeat(ActionEnd.Stopped, 4), second.Ends);
        Assert.Equal(Enumerable.Repeat(ActionEnd.Published, 4), first.Ends);
        Assert.Contains("leaving job 17", second.Seen.Text, StringComparison.Ordinal);
        Assert.Empty(_study.Cluster.Calls("scancel"));
    }

    [Fact]
    public async Task A_job_that_no_node_of_its_partition_can_take_now_is_warned_of_and_waited_for()
    {
        _study.Cluster.IsFull = true;
        var run = _study.NewController();
        var running = run.Run();
        await FakeCluster.Until(() => _study.Cluster.Jobs is [{ Folder.Claim: not null }], "claimed");
        _study.Cluster.Change(() => _study.Cluster.Jobs[0].WaitsFor = HopelessReasons.NothingLikeThat);
        await FakeCluster.Until(() => run.Seen.Warnings.Contains("SCAL5105"), "warned");
        _study.Cluster.IsFull = false;
        await running;

        Assert.Equal(Enumerable.Repeat(ActionEnd.Published, 4), run.Ends);
    }

    [Fact]
    public async Task A_row_that_failed_under_a_controller_that_died_is_executed_again()
    {
        var go = new TaskCompletionSource();
        bool fails = true;
        _study.Cluster.Node = task => task.Index != 0 ? task.WorksAfter(go.Task) : fails ? task.Ends(ActionEnd.Failed, "FAILED", finding: new Diagnostic("SCAL5002", "It threw.")) : task.Works();
        var first = _study.NewController(leavesJobs: true);
        var running = first.Run();
        await FakeCluster.Until(() => first.Results.ContainsKey(_study.Actions[0].Key), "failed");
        first.Kill(running);
        fails = false;
        var second = _study.NewController();
        var going = second.Run();
        await FakeCluster.Until(() => second.Results.ContainsKey(_study.Actions[0].Key), "done");
        go.SetResult();
        await going;

        Assert.Equal(Enumerable.Repeat(ActionEnd.Published, 4), second.Ends);
    }

    [Fact]
    public async Task A_limit_of_tasks_at_once_is_divided_over_the_arrays()
    {
        _study.Cluster.TakesArraysOf(2);
        _study.Resources = new Resources { Limit = 3 };
        await _study.Run();

        Assert.All(_study.Cluster.Jobs, j => Assert.Contains("--array=0-1%1", j.Script, StringComparison.Ordinal));
    }

    [Fact]
    public void A_copy_of_the_tool_that_is_damaged_is_made_again()
    {
        using var folder = new TemporaryFolder();
        foreach (string file in new[] { "install/dotnet", "install/host/fxr/10.0.0/libhostfxr.so", "install/shared/Microsoft.NETCore.App/10.0.0/all.dll", "tool/dotnet-scaling.dll" })
        {
            folder.Write(file, file);
        }

        var host = new ToolHost(folder["tool/dotnet-scaling.dll"], [], folder["tool"], folder["install/shared/Microsoft.NETCore.App/10.0.0"]);
        var found = new List<Diagnostic>();
        using var store = ContentStore.Open(folder["store"], found.Add);
        string copy = new StagedTool(store) { Host = host }.Command[1];
        File.WriteAllText(copy, "something else");

        Assert.Equal(copy, new StagedTool(store) { Host = host }.Command[1]);
        Assert.Equal("tool/dotnet-scaling.dll", File.ReadAllText(copy));
        Assert.Equal("SCAL4002", Assert.Single(found).Code);
    }
}

// What the queue says is evidence: an answer that fails, lacks something or contradicts another never makes a success, never a second submission.
using Scaling.Engine.Workers;

namespace Scaling.Engine.Tests.Executors;

public sealed class QueueEvidenceTests : IDisposable
{
    private readonly ClusterStudy _study = new(2);
    private readonly TaskCompletionSource _go = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public void Dispose() => _study.Dispose();

    /// <summary>The queue was looked at more than so often from now on.</summary>
    private async Task UntilLookedAgain(int times)
    {
        int looks = _study.Cluster.Calls("squeue").Count;
        await FakeCluster.Until(() => _study.Cluster.Calls("squeue").Count > looks + times, "more looks");
    }

    /// <summary>Slurm tells the truth again, the rows end, and nothing was submitted twice.</summary>
    private async Task EndWell(ClusterStudy.Controller controller, Task running)
    {
        _study.Cluster.Mend("squeue");
        _go.SetResult();
        await running;

        _study.Check();
        Assert.Equal([ActionEnd.Published, ActionEnd.Published], controller.Ends);
        Assert.Single(_study.Cluster.Jobs);
    }

    [Theory]
    [InlineData("exit 0")]
    [InlineData("echo 'slurm_load_jobs error: Unable to contact slurm controller (connect failure)' >&2; exit 1")]
    [InlineData("echo 'Segmentation fault'; head -c 200 /dev/urandom; exit 0")]
    [InlineData("genuine \"$@\" | head -c 9; exit 0")]
    public async Task A_queue_that_answers_nothing_or_nonsense_while_a_job_runs_means_nothing(string answer)
    {
        _study.Cluster.Node = task => task.WorksAfter(_go.Task);
        var controller = _study.NewController();
        var running = controller.Run();
        await FakeCluster.Until(() => controller.Seen.Began == 2, "both began");
        _study.Cluster.Fault("squeue", answer);
        await UntilLookedAgain(4);
        await EndWell(controller, running);
    }

    [Theory]
    [InlineData("exit 0")]
    [InlineData("echo 'No jobs in the system'; exit 0")]
    [InlineData("genuine \"$@\" | head -c 40; exit 0")]
    [InlineData("echo 'slurm_load_jobs error: Socket timed out on send/recv operation' >&2; exit 1")]
    public async Task An_empty_queue_and_a_scontrol_that_says_nothing_of_the_job_prove_no_end(string answer)
    {
        _study.Cluster.HasNoAccounting();
        _study.Cluster.Node = task => task.WorksAfter(_go.Task);
        var controller = _study.NewController();
        var running = controller.Run();
        await FakeCluster.Until(() => controller.Seen.Began == 2, "both began");
        _study.Cluster.Fault("squeue", "exit 0");
        _study.Cluster.Fault("scontrol", answer);
        int asked = _study.Cluster.Calls("scontrol").Count;
        await FakeCluster.Until(() => _study.Cluster.Calls("scontrol").Count > asked + 4, "asked about the job alone");
        _study.Cluster.Mend("squeue");
        _study.Cluster.Mend("scontrol");
        _go.SetResult();
        await running;

        _study.Check();
        Assert.Equal([ActionEnd.Published, ActionEnd.Published], controller.Ends);
        Assert.Single(_study.Cluster.Jobs);
    }

    [Fact]
    public async Task Without_any_answer_of_the_queue_results_are_taken_all_the_same()
    {
        _study.Cluster.Fault("squeue", "exit 1");
        var run = await _study.Run();

        Assert.Equal([ActionEnd.Published, ActionEnd.Published], run.Ends);
    }

    [Fact]
    public async Task COMPLETED_without_a_result_is_no_success_and_is_tried_again()
    {
        _study.Cluster.Node = task => task.Job.Number == "17" && task.Index == 1 ? Task.FromResult("COMPLETED") : task.Works();
        var run = await _study.Run();

        Assert.Equal([ActionEnd.Published, ActionEnd.Published], run.Ends);
        Assert.Equal(2, _study.Cluster.Jobs.Count);
        Assert.Single(_study.Cluster.Jobs[1].Tasks);
    }

    [Fact]
    public async Task A_task_that_says_it_published_what_is_not_in_the_store_is_tried_again()
    {
        _study.Cluster.Node = task => task.Job.Number == "17" ? task.Ends(ActionEnd.Published) : task.Works();
        var run = await _study.Run();

        Assert.Equal([ActionEnd.Published, ActionEnd.Published], run.Ends);
        Assert.Contains("what it published is not in the store", run.Seen.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task COMPLETED_for_ever_without_a_result_fails_at_last()
    {
        _study.Cluster.Node = task => task.Index == 0 ? task.Dies("COMPLETED") : task.Works();
        _study.IsAsked = a => a.Point == "r0000";
        var run = await _study.Run();

        Assert.Equal([ActionEnd.Failed], run.Ends);
        Assert.Equal(["SCAL5112"], run.Codes);
        Assert.Equal(4, _study.Cluster.Jobs.Count);
    }

    [Fact]
    public async Task RUNNING_for_ever_does_not_keep_a_result_that_is_there()
    {
        _study.Cluster.Node = async task =>
        {
            await task.Dies("RUNNING", published: true);
            await task.Over;
            return "COMPLETED";
        };
        var run = await _study.Run();

        Assert.Equal([ActionEnd.Published, ActionEnd.Published], run.Ends);
        Assert.Single(_study.Cluster.Jobs);
    }

    [Fact]
    public async Task A_result_without_a_word_of_its_task_counts_as_executed()
    {
        _study.Cluster.Node = task => task.Dies("FAILED", published: true);
        var run = await _study.Run();

        Assert.Equal([ActionEnd.Published, ActionEnd.Published], run.Ends);
        Assert.All(run.Results.Values, r => Assert.Equal(0.25, r.Seconds));
        Assert.Single(_study.Cluster.Jobs);
    }

    [Fact]
    public async Task Purged_jobs_are_known_by_accounting_and_their_end_is_told_in_its_words()
    {
        _study.Cluster.Remembers = TimeSpan.Zero;
        _study.Cluster.Node = task => task.Index == 0 ? task.Dies("TIMEOUT") : task.Works();
        var run = await _study.Run();

        Assert.Equal([ActionEnd.Failed, ActionEnd.Published], run.Ends);
        Assert.Equal(["SCAL5110"], run.Codes);
        Assert.NotEmpty(_study.Cluster.Calls("sacct"));
    }

    [Fact]
    public async Task Purged_jobs_without_accounting_are_lost_and_tried_again()
    {
        _study.Cluster.Remembers = TimeSpan.Zero;
        _study.Cluster.HasNoAccounting();
        _study.Cluster.Node = task => task.Index == 0 && task.Job.Number == "17" ? task.Dies("NODE_FAIL") : task.Works();
        var run = await _study.Run();

        Assert.Equal([ActionEnd.Published, ActionEnd.Published], run.Ends);
        Assert.Contains("Slurm has no record of it any more", run.Seen.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_job_that_scontrol_does_not_know_and_accounting_says_runs_is_gone()
    {
        _study.Cluster.Remembers = TimeSpan.Zero;
        _study.Cluster.Fault("sacct", "genuine \"$@\" | sed 's/|FAILED|/|RUNNING|/'"); // A runaway job of slurmdbd.
        _study.Cluster.Node = task => task.Job.Number == "17" ? task.Dies("FAILED") : task.Works();
        var run = await _study.Run();

        Assert.Equal([ActionEnd.Published, ActionEnd.Published], run.Ends);
    }

    [Fact]
    public async Task An_unknown_state_is_waited_out_and_told()
    {
        _study.Cluster.Node = async task =>
        {
            await _go.Task;
            return await task.Works();
        };
        _study.Cluster.Fault("squeue", "genuine \"$@\" | sed 's/|RUNNING|/|TELEPORTING|/'");
        var controller = _study.NewController();
        var running = controller.Run();
        await FakeCluster.Until(() => controller.Seen.Text.Contains("TELEPORTING", StringComparison.Ordinal), "told");
        await UntilLookedAgain(3);
        await EndWell(controller, running);
    }

    [Fact]
    public async Task Answers_that_contradict_each_other_submit_nothing_a_second_time()
    {
        // squeue in turn: ended, running, nothing, waiting.
        _study.Cluster.Node = task => task.WorksAfter(_go.Task);
        _study.Pace = _study.Pace with { Grace = TimeSpan.FromMilliseconds(1500) };
        _study.Cluster.Fault("squeue", "case $((call % 4)) in 0) genuine \"$@\" | sed 's/RUNNING/COMPLETED/';; 1) genuine \"$@\";; 2) ;; 3) genuine \"$@\" | sed 's/RUNNING/PENDING/';; esac");
        _study.Cluster.Fault("scontrol", "genuine \"$@\" | sed 's/JobState=RUNNING/JobState=SUSPENDED/'");
        var controller = _study.NewController();
        var running = controller.Run();
        await FakeCluster.Until(() => _study.Cluster.Calls("squeue").Count > 12, "looks");
        _go.SetResult();
        await running;

        _study.Check();
        Assert.Equal([ActionEnd.Published, ActionEnd.Published], controller.Ends);
        Assert.Single(_study.Cluster.Jobs);
    }

    [Fact]
    public async Task A_number_that_a_strangers_job_has_got_says_nothing_of_ours()
    {
        _study.Cluster.Node = task => task.Job.Number == "17" ? task.Dies("NODE_FAIL") : task.Works();
        _study.Cluster.Remembers = TimeSpan.Zero;
        _study.Cluster.HasNoAccounting();
        _study.Cluster.Fault("squeue", "echo '17|RUNNING|2026-11-28T15:00:00|n9|bash|None'; genuine \"$@\"");
        _study.Cluster.Fault("scontrol", "case $* in *' 17') echo 'JobId=17 JobName=bash UserId=v(1001) GroupId=v(1001) MCS_label=N/A Priority=1 JobState=RUNNING Reason=None Dependency=(null) ExitCode=0:0 SubmitTime=2026-11-28T15:00:00 NodeList=n9';; *) genuine \"$@\";; esac");
        var run = await _study.Run();

        Assert.Equal([ActionEnd.Published, ActionEnd.Published], run.Ends);
        Assert.Equal(2, _study.Cluster.Jobs.Skip(1).Sum(j => j.Tasks.Count));
        Assert.DoesNotContain(_study.Cluster.Calls("scancel"), c => c.Arguments == "17");
    }

    [Fact]
    public async Task A_number_that_another_job_of_ours_has_got_is_told_apart_by_the_name()
    {
        // slurmctld lost its state and counts from 17 again: the lost rows go into another job 17.
        _study.Cluster.Remembers = TimeSpan.Zero;
        _study.Cluster.HasNoAccounting();
        _study.Cluster.Node = task =>
        {
            bool first = _study.Cluster.Jobs[0] == task.Job;
            return first ? task.Dies("NODE_FAIL") : task.Works();
        };
        _study.Cluster.Fault("sbatch", "rm -f \"$spool/numbers/17\"; genuine \"$@\"");
        var run = await _study.Run();

        Assert.Equal([ActionEnd.Published, ActionEnd.Published], run.Ends);
        Assert.Equal(["17"], _study.Cluster.Jobs.Select(j => j.Number).Distinct());
        Assert.Equal(2, _study.Cluster.Jobs.Skip(1).Sum(j => j.Tasks.Count));
    }

    [Fact]
    public async Task The_queue_is_looked_at_less_and_less_while_nothing_changes()
    {
        _study.Pace = _study.Pace with { FirstQuery = TimeSpan.FromMilliseconds(100), LongestQuery = TimeSpan.FromSeconds(2) };
        _study.Cluster.IsFull = true;
        var controller = _study.NewController();
        var running = controller.Run();
        await FakeCluster.Until(() => _study.Cluster.Calls("squeue").Count >= 8, "eight looks");
        DateTime[] at = [.. _study.Cluster.Calls("squeue").Select(c => c.At)];
        _study.Cluster.IsFull = false;
        await running;

        // Of a machine under load every look may come late, and none early.
        Assert.True(at[7] - at[6] > TimeSpan.FromSeconds(0.7), $"{at[7] - at[6]}");
    }
}

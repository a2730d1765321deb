// The cluster of the tests does what a cluster does, and leaves nothing.
using System.Diagnostics;
using Scaling.Engine.Executors.Slurm;
using Scaling.TestKit;

namespace Scaling.Slurm.Tests;

public sealed class SlurmClusterTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    /// <summary>In the script, not by --export: with names it has each node ask a login shell for the user's environment first, which takes seconds.</summary>
    private string Out => $"OUT='{_folder.Path}'; ";

    public void Dispose() => _folder.Dispose();

    [SlurmFact]
    public async Task An_array_runs_on_both_nodes_and_nothing_is_left_of_the_cluster()
    {
        string folder;
        await using (var cluster = (await SlurmCluster.TryStart(new() { MaxArraySize = 8 }))!)
        {
            folder = cluster.Folder;
            string job = await cluster.Submit(Out + "echo $SLURMD_NODENAME > \"$OUT/$SLURM_ARRAY_TASK_ID\"; sleep 1", "--array=0-3");
            await cluster.Reaches(job, "COMPLETED");
            Assert.Equal(["n1", "n2"], Enumerable.Range(0, 4).Select(i => File.ReadAllText(_folder[$"{i}"]).Trim()).Distinct().Order());

            var sights = SlurmAnswers.Queue((await cluster.Command("squeue", "--noheader", "--states=all", $"--jobs={job}", $"--format={SlurmAnswers.QueueFormat}")).Output);
            Assert.Equal(ArrayIndexes.Of(Enumerable.Range(0, 4)), ArrayIndexes.Of(sights.SelectMany(s => s.Tasks!.Each)));
            Assert.All(sights, s => Assert.Equal((job, JobPhase.Completed), (s.Job, s.State.Phase)));
            Assert.Equal("8", SlurmAnswers.Setting((await cluster.Command("scontrol", "show", "config")).Output, "MaxArraySize"));
            Assert.Contains("Invalid job array specification", (await cluster.Command("sbatch", "--array=0-9", "--wrap=true")).Error, StringComparison.Ordinal);

            await cluster.Submit("trap '' TERM; sleep 600 & wait; sleep 600");
            await Seen(() => Task.FromResult(cluster.Processes().Any(p => p.StartsWith("slurmstepd", StringComparison.Ordinal))));
            Assert.True(cluster.Processes().Count >= 6, string.Join(", ", cluster.Processes()));
        }

        Assert.Empty(ProcessesOf(folder));
        Assert.False(Directory.Exists(folder));
    }

    [SlurmFact]
    public async Task A_cluster_that_does_not_start_shows_its_logs_and_leaves_nothing()
    {
        string[] before = Directory.GetDirectories("/tmp", "slurm-*");

        var failure = await Assert.ThrowsAsync<InvalidOperationException>(() => SlurmCluster.TryStart(new() { More = "SelectType=select/nonsense", Patience = TimeSpan.FromSeconds(3) }));

        Assert.Contains("--- slurmctld", failure.Message, StringComparison.Ordinal);
        Assert.Contains("select/nonsense", failure.Message, StringComparison.Ordinal);
        string folder = failure.Message.Split('\n')[0].Split('\'')[^2];
        Assert.DoesNotContain(folder, before);
        Assert.Empty(ProcessesOf(folder));
        Assert.False(Directory.Exists(folder));
    }

    [SlurmFact]
    public async Task A_job_is_requeued_and_lives_through_a_controller_that_is_killed()
    {
        await using var cluster = (await SlurmCluster.TryStart(new() { MessageTimeout = TimeSpan.FromSeconds(3) }))!;
        string job = await cluster.Submit(Out + "echo x >> \"$OUT/begun\"; [ \"${SLURM_RESTART_COUNT:-0}\" -ge 1 ] || sleep 600; while [ ! -e \"$OUT/end\" ]; do sleep 0.2; done", "--requeue");
        await cluster.Reaches(job, "RUNNING");
        await Seen(() => Task.FromResult(File.Exists(_folder["begun"])));
        Assert.Equal(0, (await cluster.Command("scontrol", "requeue", job)).ExitCode);
        await cluster.Reaches(job, "PENDING");
        await cluster.BeginNow(job);
        await cluster.Reaches(job, "RUNNING");
        await Seen(() => Task.FromResult(File.ReadAllLines(_folder["begun"]).Length == 2));

        await cluster.StateIsSaved();
        cluster.KillController();
        var silent = await cluster.Command("squeue", "--noheader", $"--jobs={job}");
        Assert.Equal((1, ""), (silent.ExitCode, silent.Output));
        Assert.False(SlurmAnswers.SaysThereIsNone(silent.Error));
        await cluster.StartController();
        _folder.Write("end", "");
        await cluster.Reaches(job, "COMPLETED");
        Assert.Equal(2, File.ReadAllLines(_folder["begun"]).Length);

        await cluster.RestartController();
        Assert.Equal("COMPLETED", await cluster.State(job));
    }

    [SlurmFact]
    public async Task Nodes_are_drained_and_fail_and_come_back()
    {
        await using var cluster = (await SlurmCluster.TryStart())!;
        await cluster.Drain(2);
        string on1 = await cluster.Submit("sleep 600", "--no-requeue");
        await cluster.Reaches(on1, "RUNNING");
        string on2 = await cluster.Submit("sleep 600", "--nodelist=n2");
        Assert.Equal("n1", (await cluster.Command("squeue", "--noheader", $"--jobs={on1}", "--format=%N")).Output.Trim());
        Assert.Equal("PENDING", await cluster.State(on2));
        await cluster.Resume(2);
        await cluster.Reaches(on2, "RUNNING");

        await cluster.Fail(1);
        await cluster.Reaches(on1, "NODE_FAIL");
        await cluster.StartSlurmd(1);
        cluster.KillSlurmd(2, withJobs: false);
        Assert.Contains(cluster.Processes(), p => p.StartsWith("slurmstepd", StringComparison.Ordinal));
        await cluster.StartSlurmd(2);
        Assert.Equal("RUNNING", await cluster.State(on2));
    }

    [SlurmFact]
    public async Task An_urgent_job_takes_the_place_of_another_and_what_no_partition_allows_is_refused()
    {
        await using var cluster = (await SlurmCluster.TryStart())!;
        string pushed = await cluster.Submit("sleep 600", "--exclusive", "--nodes=2", "--no-requeue");
        await cluster.Reaches(pushed, "RUNNING");
        string urgent = await cluster.Submit("true", "--partition=urgent", "--exclusive", "--nodes=2");
        await cluster.Reaches(pushed, "PREEMPTED");
        await cluster.Reaches(urgent, "COMPLETED");

        foreach (string asked in new[] { "--partition=nowhere", "--partition=short --time=10", "--nodes=3", "--mem=1T", "--partition=drained" })
        {
            var reply = await cluster.Command("sbatch", ["--parsable", "--wrap=true", .. asked.Split(' ')]);
            Assert.Equal((asked, SubmissionFault.Refused), (asked, SlurmAnswers.FaultOf(reply.ExitCode, reply.Error)));
        }
    }

    [SlurmFact]
    public async Task A_controller_that_does_not_answer_in_time_may_have_heard()
    {
        await using var cluster = (await SlurmCluster.TryStart(new() { MessageTimeout = TimeSpan.FromSeconds(3) }))!;
        SlurmReply reply;
        using (cluster.FreezeController())
        {
            reply = await cluster.Command("sbatch", "--parsable", "--job-name=ghost", "--output=/dev/null", "--wrap=true");
        }

        Assert.Null(SlurmAnswers.Submitted(reply.Output));
        Assert.Equal(SubmissionFault.Ambiguous, SlurmAnswers.FaultOf(reply.ExitCode, reply.Error));
        await Seen(async () => SlurmAnswers.Queue((await cluster.Command("squeue", "--noheader", "--states=all", "--name=ghost", $"--format={SlurmAnswers.QueueFormat}")).Output) is [{ Name: "ghost" }]);
    }

    private static async Task Seen(Func<Task<bool>> holds)
    {
        for (var since = Stopwatch.StartNew(); !await holds(); await Task.Delay(100))
        {
            Assert.True(since.Elapsed < TimeSpan.FromSeconds(30), "not seen in time");
        }
    }

    /// <summary>Looked for in another way than the cluster does: by command line, environment and working folder.</summary>
    private static List<string> ProcessesOf(string folder) => [.. Directory.EnumerateDirectories("/proc").Where(d => char.IsAsciiDigit(Path.GetFileName(d)[0])).Select(d =>
    {
        try
        {
            string told = $"{File.ReadAllText(d + "/cmdline")} {File.ReadAllText(d + "/environ")} {new FileInfo(d + "/cwd").LinkTarget}";
            return told.Contains(folder, StringComparison.Ordinal) ? told : "";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }).Where(told => told.Length > 0)];
}

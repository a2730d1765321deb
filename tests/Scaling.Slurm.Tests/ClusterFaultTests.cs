// Faults of a real cluster while a study runs: of processes, of nodes, of Slurm itself, of time, and of people.
using Scaling.EndToEnd;

namespace Scaling.Slurm.Tests;

public sealed class ClusterFaultTests(RunningCluster running) : IClassFixture<RunningCluster>, IDisposable
{
    private readonly Login _login = new(running.Cluster);

    private SlurmCluster Cluster => _login.Cluster;

    private Tool Tool => _login.Tool;

    public void Dispose() => _login.Dispose();

    [SlurmFact]
    public void A_worker_that_is_killed_on_its_node_is_tried_again_and_the_others_are_not()
    {
        _login.WriteSlow(4000);
        var run = _login.Start();
        _login.Begins("misbehave-row", 4);
        Tool.Signal(_login.Workers("misbehave-row")[0], "KILL");
        var ended = run.Succeeds();

        Login.AssertSaid(ended, "submitted again");
        Assert.Equal(5, Tool.Journal("misbehave-row"));
        Assert.Equal(5, File.ReadAllLines(_login.Folder["results/study/work/rows.csv"]).Length);
        Assert.Equal([4, 1], _login.Jobs.Where(j => j.Record.Stage == "work").Select(j => j.Record.Keys.Count));
    }

    [SlurmFact]
    public void A_task_that_is_killed_with_all_its_processes_is_tried_again()
    {
        _login.WriteSlow(4000);
        var run = _login.Start();
        _login.Begins("misbehave-row", 4);
        int task = Login.Parent(_login.Workers("misbehave-row")[0]);
        int[] all = [Login.Parent(task), task, .. Tool.Children(task)]; // The job's script, the task, its workers.
        Array.ForEach(all, id => Tool.Signal(id, "KILL"));
        var ended = run.Succeeds();

        Login.AssertSaid(ended, "it ended without a result; submitted again");
        Assert.Equal(5, Tool.Journal("misbehave-row"));
        Assert.Equal(5, File.ReadAllLines(_login.Folder["results/study/work/rows.csv"]).Length);
    }

    [SlurmFact]
    public async Task A_drained_node_finishes_its_tasks_and_those_of_a_node_that_fails_go_to_another()
    {
        // Two of four tasks on each node; n2 is drained while it works, then n1 fails, and n2 takes its tasks when it is back.
        _login.WriteSlow(8000);
        var run = _login.Start();
        _login.Begins("misbehave-row", 4);
        string job = _login.JobOf("work").Number;
        await Cluster.Drain(2);
        try
        {
            string[] lost = (await Cluster.Command("squeue", "--noheader", "--array", $"--jobs={job}", "--nodelist=n1", "--format=%i")).Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
            Assert.Equal(2, lost.Length);
            await Cluster.Fail(1);
            await Cluster.Resume(2);
            foreach (string task in lost)
            {
                await Cluster.Reaches(task, "PENDING");
                await Cluster.BeginNow(task);
            }

            run.Succeeds();
        }
        finally
        {
            await Cluster.StartSlurmd(1);
            if ((await Cluster.NodeState(2)).StartsWith("drain", StringComparison.Ordinal))
            {
                await Cluster.Resume(2);
            }
        }

        Assert.Equal(6, Tool.Journal("misbehave-row"));
        Assert.Equal(5, File.ReadAllLines(_login.Folder["results/study/work/rows.csv"]).Length);
        Assert.Single(_login.Jobs, j => j.Record.Stage == "work"); // Slurm requeued them; nothing was submitted again.
        Assert.Equal(["n2", "n2"], (await Task.WhenAll(Directory.EnumerateFiles(Path.Combine(_login.JobOf("work").Folder.Path, "tasks"), "*.1.begun").Select(f => File.ReadAllTextAsync(f)))).Select(t => t.Contains("n2", StringComparison.Ordinal) ? "n2" : t));
    }

    [SlurmFact]
    public async Task Scancel_by_somebody_else_fails_what_ran_and_the_next_run_goes_on()
    {
        _login.WriteSteps(30);
        var run = _login.Start();
        _login.Begins("checkpoint.step2", 1);
        await Cluster.Command("scancel", _login.JobOf("work").Number);
        var ended = run.End();

        Assert.Equal(1, ended.ExitCode);
        Login.AssertSaid(ended, "SCAL5113");
        Login.AssertSaid(ended, "CANCELLED");
        Assert.InRange(Tool.Journal("checkpoint"), 2, 29);

        _login.Start().Succeeds();
        Assert.Equal(30, Tool.Journal("checkpoint"));
        Assert.Equal(2, _login.Jobs.Count(j => j.Record.Stage == "work"));
    }

    [SlurmFact]
    public async Task While_slurmctld_is_dead_what_runs_is_finished_and_counts_and_the_rest_runs_when_it_is_back()
    {
        _login.WriteSlow(5000, "{ limit: 2 }");
        var run = _login.Start();
        _login.Begins("misbehave-row", 2);
        string tasks = Path.Combine(_login.JobOf("work").Folder.Path, "tasks");
        await Cluster.StateIsSaved(); // What it has not written down it does not know when it is back.
        Cluster.KillController();
        try
        {
            _login.Until(() => Directory.GetFiles(tasks, "*.ended").Length == 2, "two tasks were finished without slurmctld");
            Assert.Equal(2, Tool.Journal("misbehave-row"));
        }
        finally
        {
            await Cluster.StartController();
        }

        run.Succeeds();
        Assert.Equal(4, Tool.Journal("misbehave-row"));
        _login.AssertNothingTwice();
    }

    /// <summary>It writes down what happened up to five seconds late. A cluster of its own, since what comes of it may drain nodes.</summary>
    [SlurmFact]
    public async Task Slurmctld_that_is_killed_before_it_wrote_down_a_job_costs_no_result()
    {
        await using var cluster = (await SlurmCluster.TryStart())!;
        using var login = new Login(cluster);
        login.WriteSlow(4000);
        var run = login.Start();
        login.Begins("misbehave-row", 2);
        cluster.KillController();
        await cluster.StartController();

        run.Succeeds();
        Assert.Equal(5, File.ReadAllLines(login.Folder["results/study/work/rows.csv"]).Length);
        Assert.InRange(login.Tool.Journal("misbehave-row"), 4, 8); // What Slurm ended, since it did not know it any more, is executed again.
    }

    [SlurmFact]
    public async Task A_preempted_task_goes_on_from_its_checkpoint_when_the_node_is_free()
    {
        _login.WriteSteps(30, "{ cpus: 2 }");
        var run = _login.Start();
        _login.Begins("checkpoint.step2", 1);
        string job = _login.JobOf("work").Number;
        string urgent = await Cluster.Submit("sleep 3", "--partition=urgent", "--nodes=2", "--cpus-per-task=2");
        await Cluster.Reaches($"{job}_0", "PENDING");
        await Cluster.Reaches(urgent, "COMPLETED");
        await Cluster.BeginNow($"{job}_0");

        run.Succeeds();
        Assert.Equal(30, Tool.Journal("checkpoint"));
        Assert.Single(_login.Jobs, j => j.Record.Stage == "work");
        Assert.Equal(1, _login.JobOf("work").Folder.News()[0].LastBegun);
    }

    [SlurmFact]
    public async Task Slurmctld_that_does_not_answer_sbatch_is_given_the_job_once()
    {
        _login.WriteSlow(500);
        UnderWay run;
        using (Cluster.FreezeController())
        {
            run = _login.Start();
            _login.Until(() => run.Said.Contains("Whether Slurm took the job is not clear", StringComparison.Ordinal), "sbatch had no answer");
        }

        run.Succeeds();
        Assert.Equal((1, 4), (Tool.Journal("echo"), Tool.Journal("misbehave-row")));
        _login.AssertNothingTwice();
        Assert.Equal("", await _login.Queue());

        // Nor was it given twice: each name of a job has one number.
        string[] jobs = (await Cluster.Command("squeue", "--noheader", "--states=all", "--format=%F %j")).Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        string[] mine = [.. jobs.Select(j => j.Trim()).Where(j => _login.Jobs.Any(own => j.EndsWith(own.Record.Token, StringComparison.Ordinal))).Distinct()];
        Assert.Equal(_login.Jobs.Count, mine.Length);
    }

    /// <summary>A minute is the shortest limit there is, and Slurm looks at limits every 30 s: it warns 60 s before, which is at its next look.</summary>
    [SlurmFact]
    public async Task What_left_a_checkpoint_goes_on_after_its_time_limit_and_what_left_none_fails()
    {
        _login.WriteSteps(60, "{ time: 10m }", """
              long: { uses: misbehave, with: { how: slow, milliseconds: 100000 }, resources: { time: 1m } }

            """);
        var run = _login.Start();
        _login.Begins("checkpoint.step2", 1);
        var (folder, _, number) = _login.JobOf("work");
        Assert.Equal(0, (await Cluster.Command("scontrol", "update", $"jobid={number}_0", "TimeLimit=1")).ExitCode);
        _login.Until(() => folder.News()[0].LastEnded == 0, "the task was stopped");
        await Cluster.Reaches($"{number}_0", "PENDING");
        Assert.Equal(0, (await Cluster.Command("scontrol", "update", $"jobid={number}_0", "TimeLimit=10")).ExitCode);
        await Cluster.BeginNow($"{number}_0");
        var ended = run.End();

        Assert.Equal(1, ended.ExitCode);
        Login.AssertSaid(ended, "The time limit came before the action was done, and it left nothing to go on from");
        Login.AssertSaid(ended, "SCAL5110");
        Assert.Equal(1, Tool.Journal("misbehave"));
        Assert.Equal((0, 1), (ended.Count("work", "failed"), ended.Count("long", "failed")));
        Assert.Equal(60, Tool.Journal("checkpoint"));
        Assert.Equal((1, 1), (folder.News()[0].LastBegun, _login.Jobs.Count(j => j.Record.Stage == "work")));
        _login.WriteSteps(60);
        _login.AssertSame(_login.RunHere("study.yaml", "--set", "work.pause=0"), "work/digest.txt");
    }
}

// Whoever submitted jobs may die, be stopped or have company: on a real Slurm, nothing runs twice and nothing is lost.
using System.Text.RegularExpressions;
using Scaling.EndToEnd;

namespace Scaling.Slurm.Tests;

public sealed class ControllerTests(RunningCluster running) : IClassFixture<RunningCluster>, IDisposable
{
    private readonly Login _login = new(running.Cluster);

    private Tool Tool => _login.Tool;

    public void Dispose() => _login.Dispose();

    [SlurmFact]
    public async Task A_controller_that_is_killed_while_jobs_run_is_replaced_by_another()
    {
        _login.WriteSlow(6000);
        var detached = Tool.Run("run", "study.yaml", "--executor", "slurm", "--detach");
        Assert.True(detached.ExitCode == 0, detached.Error);
        var controller = Regex.Match(detached.Error, @"process (\d+) on");
        Assert.True(controller.Success, detached.Error);
        _login.Begins("misbehave-row", 2);

        Tool.Signal(int.Parse(controller.Groups[1].Value), "KILL");
        var status = Tool.Run("status", "study.yaml");
        var attached = _login.Call("attach", "study.yaml", "--json").Succeeds();

        Assert.Contains($"job {_login.JobOf("work").Number}", status.Output, StringComparison.Ordinal);
        Assert.Matches("work +job [0-9]+ +4 tasks: [1-4] running, 0 ended; Slurm says: ", status.Output);
        Login.AssertSaid(attached, "in job");
        Assert.Equal((1, 4), (Tool.Journal("echo"), Tool.Journal("misbehave-row")));
        Assert.Equal(5, File.ReadAllLines(_login.Folder["results/study/work/rows.csv"]).Length);
        _login.AssertNothingTwice();
        Assert.Equal("", await _login.Queue());
        var nothing = Tool.Run("attach", "study.yaml");
        Assert.Equal(2, nothing.ExitCode);
        Login.AssertSaid(nothing, "SCAL1085");
    }

    [SlurmFact]
    public void A_second_run_beside_the_first_waits_for_the_same_jobs()
    {
        _login.WriteSlow(3000);
        var first = _login.Start();
        _login.JobOf("work");
        var second = _login.Start("--out", _login.Folder["second"]);

        first.Succeeds();
        Assert.Contains("in job", second.Succeeds().Error, StringComparison.Ordinal);

        Assert.Equal((1, 4), (Tool.Journal("echo"), Tool.Journal("misbehave-row")));
        Assert.Equal(File.ReadAllText(_login.Folder["results/study/work/rows.csv"]), File.ReadAllText(_login.Folder["second/study/work/rows.csv"]));
        Assert.Single(_login.Jobs, j => j.Record.Stage == "work");
        _login.AssertNothingTwice();
    }

    [SlurmFact]
    public async Task Two_runs_that_are_started_at_once_submit_each_action_once()
    {
        _login.WriteSlow(500);
        var both = new[] { _login.Start(), _login.Start("--out", _login.Folder["second"]) };

        Assert.All(both, run => run.Succeeds());

        Assert.Equal((1, 4), (Tool.Journal("echo"), Tool.Journal("misbehave-row")));
        _login.AssertNothingTwice();
        Assert.Equal("", await _login.Queue());
    }

    [SlurmFact]
    public async Task Interrupted_it_cancels_its_jobs_and_the_next_run_goes_on_from_their_checkpoints()
    {
        _login.WriteSteps(30);
        var run = _login.Start();
        _login.Begins("checkpoint.step3", 1);
        Tool.Signal(run.Id, "INT");
        var interrupted = run.End();

        Assert.Equal(130, interrupted.ExitCode);
        Assert.Equal("", await _login.Queue());
        int done = Tool.Journal("checkpoint");
        Assert.InRange(done, 3, 29);

        _login.Start().Succeeds();
        Assert.Equal(30, Tool.Journal("checkpoint"));
        Assert.Equal(1, Tool.Journal("checkpoint.step1"));
        _login.AssertSame(_login.RunHere("study.yaml", "--set", "work.pause=0"), "work/digest.txt");
    }

    [SlurmFact]
    public async Task Cancel_ends_the_jobs_and_the_run_that_waits_for_them()
    {
        _login.WriteSteps(30);
        var run = _login.Start();
        _login.Begins("checkpoint.step2", 1);
        var cancelled = Tool.Run("cancel", "study.yaml");
        var ended = run.End();

        Assert.True(cancelled.ExitCode == 0, cancelled.Error);
        Assert.Matches("Cancelled job [0-9]+ of 'work', 1 task.", cancelled.Error);
        Login.AssertSaid(cancelled, "Asked the run that waited");
        Assert.Equal(130, ended.ExitCode);
        _login.Until(() => _login.Queue().GetAwaiter().GetResult().Length == 0, "the queue was empty");
        Assert.InRange(Tool.Journal("checkpoint"), 2, 29);
        Assert.Contains("No jobs of", Tool.Run("cancel", "study.yaml").Error, StringComparison.Ordinal);

        _login.Start().Succeeds();
        Assert.Equal(30, Tool.Journal("checkpoint"));
        Assert.Equal("", await _login.Queue());
    }

    [SlurmFact]
    public async Task Stopped_attach_leaves_the_jobs_alone()
    {
        _login.WriteSlow(5000);
        var run = _login.Start();
        _login.Begins("misbehave-row", 1);
        run.Kill();
        var attached = _login.Call("attach", "study.yaml");
        _login.Until(() => attached.Said.Contains("in job", StringComparison.Ordinal), "it attached");
        Tool.Signal(attached.Id, "INT");

        Assert.Equal(130, attached.End().ExitCode);
        Assert.Equal(_login.JobOf("work").Number, (await _login.Queue()).Split('_')[0]);
        Assert.Equal(0, _login.Start().Succeeds().Count("work", "failed"));
        Assert.Equal(4, Tool.Journal("misbehave-row"));
    }
}

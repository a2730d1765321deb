// What a user reads when a real Slurm refuses, is not there, or its nodes cannot do the work: our part is a snapshot, Slurm's own words are there.
using System.Text.RegularExpressions;
using Scaling.EndToEnd;
using Scaling.TestKit;

namespace Scaling.Slurm.Tests;

public sealed class ClusterDiagnosticsTests(RunningCluster running) : IClassFixture<RunningCluster>, IDisposable
{
    private readonly Login _login = new(running.Cluster);

    private Tool Tool => _login.Tool;

    public void Dispose() => _login.Dispose();

    [SlurmFact]
    public async Task A_refusal_is_told_with_the_words_of_Slurm_and_nothing_is_left_waiting()
    {
        string said = "";
        foreach (var (resources, words) in new[]
        {
            ("{ partition: nowhere }", "invalid partition specified: nowhere"),
            ("{ partition: short, time: 2h }", "Requested time limit is invalid"),
            ("{ gres: \"gpu:8\" }", "Invalid generic resource (gres) specification"),
            ("{ nodes: 3 }", "Node count specification invalid"),
        })
        {
            _login.WriteSlow(10, resources);
            var refused = _login.Run();

            Assert.True(refused.ExitCode == 5 && refused.Error.Contains(words, StringComparison.OrdinalIgnoreCase), refused.Error);
            said += $"resources: {resources}\n{Findings(refused)}\n";
        }

        Assert.Equal("", await _login.Queue());
        Assert.Equal(0, Tool.Journal("misbehave-row"));
        await Snapshot.Match(said);

        // What was refused keeps nobody from going on.
        _login.WriteSlow(10);
        _login.Start().Succeeds();
        Assert.Equal((1, 4), (Tool.Journal("echo"), Tool.Journal("misbehave-row")));
    }

    /// <summary>Slurm's own default: what a partition does not allow is accepted.</summary>
    [SlurmFact]
    public async Task Where_Slurm_accepts_what_it_will_never_begin_the_job_is_cancelled_and_the_reason_told()
    {
        await using var lenient = (await SlurmCluster.TryStart(new SlurmClusterOptions { EnforcePartLimits = false }))!;
        using var login = new Login(lenient);
        login.WriteSlow(10, "{ partition: short, time: 2h }");

        var refused = login.Run();

        Assert.True(refused.ExitCode == 5, refused.Error);
        Login.AssertSaid(refused, "SCAL5103", "PartitionTimeLimit");
        Assert.Equal("", await login.Queue());
    }

    [SlurmFact]
    public async Task Without_the_commands_of_Slurm_it_says_where_to_run_it()
    {
        _login.WriteSlow(10);
        string env = Directory.CreateDirectory(_login.Folder["bin"]).FullName;
        File.CreateSymbolicLink(Path.Combine(env, "env"), "/usr/bin/env");
        Tool.Environment["PATH"] = env;

        var refused = _login.Run();

        Assert.True(refused.ExitCode == 5, refused.Error);
        await Snapshot.Match(Findings(refused));
    }

    /// <summary>In a container that was not given the folder of the store, for example.</summary>
    [SlurmFact]
    public async Task Nodes_that_do_not_see_the_store_are_told_by_name()
    {
        _login.WriteSlow(10, $"{{ pack: 4, wrap: [unshare, -m, sh, -c, 'mount -t tmpfs none \"$0\" && exec \"$@\"', \"{_login.Store}\"] }}");

        var failed = _login.Run();

        Assert.Equal(1, failed.ExitCode);
        Assert.Equal(0, Tool.Journal("misbehave-row"));
        Assert.Equal(2, _login.Jobs.Count(j => j.Record.Stage == "work")); // The other node was tried.
        await Snapshot.Match(Findings(failed));
    }

    [SlurmFact]
    public async Task Nodes_that_cannot_write_the_store_are_told_by_name()
    {
        _login.WriteSlow(10, $"{{ pack: 4, wrap: [unshare, -m, sh, -c, 'mount --bind \"$0\" \"$0\" && mount -o remount,ro,bind \"$0\" && exec \"$@\"', \"{_login.Store}\"] }}");

        var failed = _login.Run();

        Assert.Equal(1, failed.ExitCode);
        Assert.Equal(0, Tool.Journal("misbehave-row"));
        await Snapshot.Match(Findings(failed));
    }

    [SlurmFact]
    public async Task A_store_that_the_login_node_cannot_write_is_told_before_anything_is_submitted()
    {
        _login.WriteSlow(10);
        Directory.CreateDirectory(_login.Store);
        Tool.Within = ["unshare", "-m", "sh", "-c", "mount --bind \"$0\" \"$0\" && mount -o remount,ro,bind \"$0\" && exec \"$@\"", _login.Store];

        var refused = _login.Run();

        Assert.Equal(5, refused.ExitCode);
        Assert.Empty(_login.Jobs);
        await Snapshot.Match(Findings(refused));
    }

    /// <summary>What was found wrong, and Slurm's own words left out, which differ from version to version.</summary>
    private string Findings(Ended ended) => Regex.Replace(
        _login.Scrubbed(string.Join('\n', ended.Error.Split('\n').SkipWhile(l => !l.EndsWith(" failed", StringComparison.Ordinal) && !l.Contains("error SCAL", StringComparison.Ordinal)))), @"(?<=refuses the job of '\w+': ).*?(?=\. Mend)", "WORDS OF SLURM");
}

// What sbatch is given: every script that the executor writes looks like these.
using Scaling.Engine.Executors;
using Scaling.Engine.Executors.Slurm;
using Scaling.TestKit;

namespace Scaling.Engine.Tests.Executors;

[System.Runtime.Versioning.UnsupportedOSPlatform("windows")]
public sealed class JobScriptTests
{
    private static readonly string[] Command = ["/store/tools/0123/dotnet/dotnet", "/store/tools/0123/tool/dotnet-scaling.dll", "task", "/store/jobs/3f9a1c07d2e4b681", "/store"];

    private static readonly JobRecord Plain = new()
    {
        Schema = JobRecord.CurrentSchema, Token = "3f9a1c07d2e4b681", Pipeline = "quickstart", Path = "/study/quickstart.yaml", Stage = "runs", Keys = [new string('a', 64), new string('b', 64), new string('c', 64)],
        Resources = Resources.None, Controller = "0123456789abcdef",
    };

    [Fact]
    public Task Without_resources_a_site_decides() => Match(Plain);

    [Fact]
    public Task Everything_that_resources_can_say_is_an_option() => Match(Plain with
    {
        Resources = new Resources
        {
            Partition = "gpu,long", Account = "physics", Qos = "high", Constraint = "a100|h100", Exclude = "n[7-9],m1", Gres = "gpu:h100:1", Nodes = 2, TasksPerNode = 4, Cpus = 8, MemoryMebibytes = 65536,
            Time = TimeSpan.FromMinutes(90.5), Pack = 2, Limit = 5, Flags = ["--reservation=maintenance", "--mail-type=END,FAIL", "--comment=two words \"quoted\""], Wrap = ["apptainer", "exec", "--nv", "/images/cuda 12.sif"],
        },
        Pack = 2,
    });

    [Fact]
    public Task Packed_rows_are_fewer_tasks() => Match(Plain with { Pack = 2, SideBySide = 2, Resources = new Resources { Pack = 2, Cpus = 2 } });

    [Fact]
    public Task What_measures_speed_has_its_node_for_itself() => Match(Plain with { Exclusive = true });

    [Fact]
    public Task A_node_is_asked_what_it_is() => Match(Plain with { IsProbe = true, Keys = [new string('a', 64)] });

    [Fact]
    public Task Spaces_quotes_and_percent_signs_in_paths_stay_what_they_are() =>
        Match(Plain with { Path = "/study/100% \"mine\"\n/p.yaml" }, "/my store/100%a/it's \"one\" \\ $HOME/jobs/3f9a1c07d2e4b681", ["/my store/100%/it's/dotnet", "task", "$HOME", "`date`", ""]);

    /// <summary>Slurm counts whole minutes, and sends the signal so many seconds before the end: never later than half of a short limit leaves room for.</summary>
    [Theory]
    [InlineData(null, null, 120)]
    [InlineData(30, 1, 30)]
    [InlineData(61, 2, 30)]
    [InlineData(600, 10, 60)]
    [InlineData(86400, 1440, 300)]
    public void A_task_is_told_in_time_and_its_limit_is_rounded_up(int? seconds, int? minutes, int notice)
    {
        string script = Of(Plain with { Resources = new Resources { Time = seconds is { } s ? TimeSpan.FromSeconds(s) : null } }, "/store/jobs/3f9a1c07d2e4b681", Command);

        Assert.Equal(minutes?.ToString(System.Globalization.CultureInfo.InvariantCulture), FakeJob.Option(script, "time"));
        Assert.Equal($"B:USR1@{notice}", FakeJob.Option(script, "signal"));
    }

    [Fact]
    public async Task Shell_and_worker_get_the_words_as_they_are_and_the_exit_code_comes_back()
    {
        using var folder = new TemporaryFolder();
        string worker = folder.Write("worker %a 'x' \"y\"", "#!/bin/sh\nfor word; do printf '<%s>' \"$word\"; done > \"$0.out\"\nexit 7\n");
        File.SetUnixFileMode(worker, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        string script = Of(Plain, folder["job"], [worker, "it's", "$HOME \"a\"", "", "100%"]);
        using var shell = System.Diagnostics.Process.Start(new System.Diagnostics.ProcessStartInfo("sh") { RedirectStandardInput = true })!;
        await shell.StandardInput.WriteAsync(script);
        shell.StandardInput.Close();
        await shell.WaitForExitAsync();

        Assert.Equal(7, shell.ExitCode);
        Assert.Equal("<it's><$HOME \"a\"><><100%>", File.ReadAllText(worker + ".out"));
    }

    [Fact]
    public async Task A_worker_that_saved_a_checkpoint_on_the_signal_is_requeued()
    {
        using var folder = new TemporaryFolder();
        Directory.CreateDirectory(folder["bin"]);
        foreach (var (name, text) in new[]
        {
            ("worker", "#!/bin/sh\ntrap 'exit 75' USR1\n: > \"$1\"\nwhile :; do sleep 0.05; done\n"), ("scontrol", "#!/bin/sh\nprintf '%s\\n' \"$*\" > \"$OUT\"\n"),
        })
        {
            File.SetUnixFileMode(folder.Write($"bin/{name}", text), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }

        var start = new System.Diagnostics.ProcessStartInfo("sh", [folder.Write("script", Of(Plain, folder["job"], [folder["bin/worker"], folder["began"]]))]);
        start.Environment["PATH"] = $"{folder["bin"]}:{Environment.GetEnvironmentVariable("PATH")}";
        start.Environment["OUT"] = folder["requeued"];
        (start.Environment["SLURM_ARRAY_JOB_ID"], start.Environment["SLURM_ARRAY_TASK_ID"]) = ("17", "3");
        using var shell = System.Diagnostics.Process.Start(start)!;
        await FakeCluster.Until(() => File.Exists(folder["began"]), "began");
        using (var kill = System.Diagnostics.Process.Start("sh", ["-c", $"kill -s USR1 {shell.Id}"]))
        {
            await kill.WaitForExitAsync();
        }

        await shell.WaitForExitAsync();
        Assert.Equal(75, shell.ExitCode);
        Assert.Equal("requeue 17_3", File.ReadAllText(folder["requeued"]).Trim());
    }

    [Fact]
    public async Task What_sbatch_gets_is_what_was_written_beside_the_job()
    {
        using var study = new ClusterStudy(3) { Resources = new Resources { Partition = "gpu", Limit = 2 } };
        await study.Run();
        var job = study.Cluster.Jobs[0];

        Assert.Equal(File.ReadAllText(Path.Combine(job.Folder.Path, "script.sh")), job.Script);
        string root = Path.GetDirectoryName(study.Store)!;
        await Snapshot.Match(System.Text.RegularExpressions.Regex.Replace(job.Script.Replace(job.Folder.Token, "TOKEN").Replace(root, "/ROOT"), "tools/[0-9a-f]{64}", "tools/DIGEST"));
    }

    private static Task Match(JobRecord record, string folder = "/store/jobs/3f9a1c07d2e4b681", string[]? command = null, [System.Runtime.CompilerServices.CallerMemberName] string method = "") =>
        Snapshot.Match(Of(record, folder, command ?? Command), method: method);

    private static string Of(JobRecord record, string folder, string[] command) => JobScript.Of(record, new JobFolder(folder), command);
}

// What a user has on a login node: the built tool, a folder with a store that all nodes see, and Slurm's commands.
using System.Diagnostics;
using System.Text;
using System.Text.RegularExpressions;
using Scaling.EndToEnd;
using Scaling.Engine.Executors.Slurm;
using Scaling.TestKit;

namespace Scaling.Slurm.Tests;

/// <summary>A cluster for the tests of a class.</summary>
public sealed class RunningCluster : IAsyncLifetime
{
    private SlurmCluster? _cluster;

    /// <summary>The cluster, both nodes in use.</summary>
    public SlurmCluster Cluster => _cluster ?? throw new InvalidOperationException(SlurmCluster.Missing);

    public async Task InitializeAsync() => _cluster = await SlurmCluster.TryStart(new SlurmClusterOptions { KillWait = TimeSpan.FromSeconds(5) });

    public async Task DisposeAsync()
    {
        if (_cluster is not null)
        {
            await _cluster.DisposeAsync();
        }
    }
}

/// <summary>The tool beside a cluster.</summary>
public sealed class Login : IDisposable
{
    /// <summary>A study of four rows that take their time, so long each.</summary>
    private const string SlowStudy = """
          rows: { uses: echo, with: { text: slow, count: 4 } }
          work: { uses: misbehave-row, needs: rows, with: { milliseconds: MILLISECONDS }RESOURCES }

        """;

    private readonly List<UnderWay> _calls = [];

    public Login(SlurmCluster cluster)
    {
        Cluster = cluster;
        foreach (var (name, value) in cluster.Environment)
        {
            Tool.Environment[name] = value;
        }

        Tool.Environment["SCALING_SLURM_POLL"] = "1";
        Tool.Environment["SCALING_TEST_JOURNAL"] = Tool.Folder["journal"];
    }

    public SlurmCluster Cluster { get; }

    public Tool Tool { get; } = new();

    public TemporaryFolder Folder => Tool.Folder;

    /// <summary>The store. Default: as <see cref="EndToEnd.Tool"/> has it.</summary>
    public string Store => Tool.Environment.GetValueOrDefault("SCALING_CACHE") ?? Folder["store"];

    /// <summary>Every job that was written, the ended ones too, the oldest first.</summary>
    public IReadOnlyList<(JobFolder Folder, JobRecord Record)> Jobs =>
        [.. (Directory.Exists(JobFolder.Root(Store)) ? Directory.EnumerateDirectories(JobFolder.Root(Store)) : []).Select(f => new JobFolder(f)).Select(f => (f, f.Read()!)).Where(j => j.Item2 is not null).OrderBy(j => j.Item2.Made)];

    /// <summary>Writes study.yaml: stages <c>rows</c> and <c>work</c>, four rows of it.</summary>
    /// <param name="milliseconds">That a row takes.</param>
    /// <param name="resources">Of <c>work</c>; empty for none.</param>
    public void WriteSlow(int milliseconds, string resources = "") =>
        Tool.Write("study.yaml", SlowStudy.Replace("MILLISECONDS", $"{milliseconds}").Replace("RESOURCES", resources.Length == 0 ? "" : $", resources: {resources}"));

    /// <summary>Writes study.yaml: stages <c>rows</c> and <c>work</c>, one action that saves a checkpoint after each of its steps.</summary>
    /// <param name="steps">Each with a pause of a second before, unless it goes on from a checkpoint.</param>
    /// <param name="resources">Of <c>work</c>; empty for none.</param>
    /// <param name="more">Stages.</param>
    public void WriteSteps(int steps, string resources = "", string more = "") =>
        Tool.Write("study.yaml", $"  rows: {{ uses: echo, with: {{ count: 2 }} }}\n  work: {{ uses: checkpoint, needs: rows, with: {{ steps: {steps}, pause: 1000 }}{(resources.Length == 0 ? "" : $", resources: {resources}")} }}\n{more}");

    /// <summary>Runs the study on the cluster.</summary>
    public UnderWay Start(params string[] arguments) => Call(["run", "study.yaml", "--executor", "slurm", "--json", .. arguments]);

    /// <summary>Calls the tool.</summary>
    public UnderWay Call(params string[] arguments)
    {
        var call = new UnderWay(Tool.Start(arguments));
        _calls.Add(call);
        return call;
    }

    /// <summary>Runs the study on the cluster to its end.</summary>
    public Ended Run(params string[] arguments) => Start(arguments).End();

    /// <summary>Runs the study to its end on this machine, with a store, results and a journal of its own: what a run on the cluster has to come to.</summary>
    /// <returns>The folder of its results.</returns>
    public string RunHere(string pipeline = "study.yaml", params string[] arguments)
    {
        using var here = new Tool();
        foreach (var (name, value) in Tool.Environment.Where(v => v.Key is not ("SCALING_CACHE" or "SCALING_TEST_JOURNAL")))
        {
            here.Environment[name] = value;
        }

        var ended = Tool.End(here.Start(["run", Folder[pipeline], "--executor", "local", "--out", Folder["here"], .. arguments]), UnderWay.Patience);
        Assert.True(ended.ExitCode == 0, ended.Error);
        return Folder[Path.Combine("here", Path.GetFileNameWithoutExtension(pipeline))];
    }

    /// <summary>Waits until that many actions of a kind have begun.</summary>
    public void Begins(string journal, int count) => Until(() => Tool.Journal(journal) >= count, $"{count} of {journal} began");

    /// <summary>Waits until something holds.</summary>
    public void Until(Func<bool> holds, string what)
    {
        var ended = new Stopwatch();
        for (var waited = Stopwatch.StartNew(); !holds(); Thread.Sleep(20))
        {
            if (_calls.Count > 0 && _calls.TrueForAll(c => c.HasEnded))
            {
                ended.Start();
            }

            if (waited.Elapsed > TimeSpan.FromSeconds(60) || ended.Elapsed > TimeSpan.FromSeconds(10))
            {
                Assert.True(holds(), $"Waited {waited.Elapsed.TotalSeconds:0} s until {what}.\n{Shell("squeue --states=all")}{Shell("sinfo -N -o '%N %P %T %C %E'")}{string.Join("---\n", _calls.Select(c => c.Said))}");
                return;
            }
        }

        string Shell(string command) => Cluster.Command("sh", "-c", command).GetAwaiter().GetResult().Output;
    }

    /// <summary>Ids of the worker processes that execute actions of a kind now.</summary>
    public int[] Workers(string journal) => [.. Directory.EnumerateFiles(Folder["journal"], journal + ".*").Select(File.ReadAllText).Where(id => id.Length > 0).Distinct().Select(int.Parse).Where(id => Directory.Exists($"/proc/{id}"))];

    /// <summary>Id of a process' parent.</summary>
    public static int Parent(int process) => int.Parse(File.ReadLines($"/proc/{process}/status").Single(l => l.StartsWith("PPid:", StringComparison.Ordinal)).Split('\t')[1]);

    /// <summary>The job of a stage, whose number is known.</summary>
    public (JobFolder Folder, JobRecord Record, string Number) JobOf(string stage)
    {
        Until(() => Jobs.Any(j => j.Record.Stage == stage && j.Folder.Claim is not null), $"there was a job of {stage}");
        var (folder, record) = Jobs.Last(j => j.Record.Stage == stage && j.Folder.Claim is not null);
        return (folder, record, folder.Claim!);
    }

    /// <summary>Numbers of jobs in the queue that have not ended.</summary>
    public async Task<string> Queue() => (await Cluster.Command("squeue", "--noheader", "--states=pending,running,suspended,configuring", "--format=%i")).Output.Trim();

    /// <summary>No action was in two jobs, and no task was begun anew: what Slurm was asked is what was needed, once.</summary>
    public void AssertNothingTwice()
    {
        string[] keys = [.. Jobs.SelectMany(j => j.Record.Keys)];
        Assert.Equal(keys.Length, keys.Distinct().Count());
        Assert.All(Jobs, j => Assert.Equal(Enumerable.Range(0, j.Record.Tasks).Select(i => $"{i}.0.begun").Order(StringComparer.Ordinal), Directory.EnumerateFiles(Path.Combine(j.Folder.Path, "tasks"), "*.begun").Select(f => Path.GetFileName(f)!).Order(StringComparer.Ordinal)));
    }

    /// <summary>It said so.</summary>
    public static void AssertSaid(Ended ended, params string[] texts) => Assert.All(texts, text => Assert.True(ended.Error.Contains(text, StringComparison.Ordinal), $"'{text}' is not in:\n{ended.Error}"));

    /// <summary>The result files of a stage are those that a run on this machine gave.</summary>
    /// <param name="here">The folder of its results.</param>
    /// <param name="file">STAGE/FILE.</param>
    public void AssertSame(string here, string file) => Assert.Equal(File.ReadAllText(Path.Combine(here, file)), File.ReadAllText(Folder[Path.Combine("results", Path.GetFileName(here), file)]));

    /// <summary>What the tool said, as it is the same on every machine: without Slurm's own words, numbers, times and folders.</summary>
    public string Scrubbed(string text)
    {
        text = text.Replace(Store, "STORE").Replace(Folder.Path, "FOLDER").Replace(Cluster.Folder, "CLUSTER");
        foreach (var (pattern, name) in new[] { (@"\b[0-9a-f]{64}\b", "DIGEST"), (@"(?<=jobs/)[0-9a-f]{16}\b", "TOKEN"), (@"\bjob \d+\b", "job N"), (@"\bJob \d+\b", "Job N"), (@"\bprocess \d+", "process N"), (@"\b\d+(\.\d+)? s\b", "SPAN"), (@"\b[0-9a-f]{12}\b", "KEY"), (@"(?<=lives/)[0-9a-f]{16}\b", "LIFE") })
        {
            text = Regex.Replace(text, pattern, name);
        }

        return text;
    }

    /// <summary>Leaves nothing on the cluster for the next test.</summary>
    public void Dispose()
    {
        foreach (var call in _calls)
        {
            call.Kill();
        }

        _ = Cluster.Command("scancel", "--user=root").GetAwaiter().GetResult();
        for (var waited = Stopwatch.StartNew(); Cluster.Command("squeue", "--noheader").GetAwaiter().GetResult().Output.Length > 0 && waited.Elapsed < TimeSpan.FromSeconds(30); Thread.Sleep(100))
        {
        }

        Tool.Dispose();
    }
}

/// <summary>A call of the tool that runs: what it says is read as it says it.</summary>
public sealed class UnderWay
{
    /// <summary>The longest that any call of these tests may take, with much to spare.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    private readonly StringBuilder _error = new();
    private readonly Process _process;
    private readonly Task<string> _output;

    public UnderWay(Process process)
    {
        (_process, Id) = (process, process.Id);
        process.EnableRaisingEvents = true;
        process.Exited += (_, _) => HasEnded = true;
        _output = process.StandardOutput.ReadToEndAsync();
        process.ErrorDataReceived += (_, line) =>
        {
            lock (_error)
            {
                _error.Append(line.Data).Append('\n');
            }
        };
        process.BeginErrorReadLine();
    }

    public int Id { get; }

    public bool HasEnded { get; private set; }

    /// <summary>What it has said so far.</summary>
    public string Said
    {
        get
        {
            lock (_error)
            {
                return _error.ToString();
            }
        }
    }

    /// <summary>Ends it at once, with its workers; what it submitted stays.</summary>
    public void Kill()
    {
        if (!HasEnded)
        {
            Tool.KillNow(_process, workers: true);
        }
    }

    /// <summary>Waits until it has ended.</summary>
    public Ended End()
    {
        if (!_process.WaitForExit(Patience))
        {
            Kill();
            Assert.Fail($"it did not end within {Patience.TotalMinutes:0} minutes; it said:\n{Said}");
        }

        _process.WaitForExit(); // And until all that it said was read.
        return new Ended(_process.ExitCode, _output.GetAwaiter().GetResult(), Said);
    }

    /// <summary>Waits until it has ended well.</summary>
    public Ended Succeeds()
    {
        var ended = End();
        Assert.True(ended.ExitCode == 0, $"exit code {ended.ExitCode}: {ended.Error}");
        return ended;
    }
}

// A real Slurm of two nodes on the loopback of one machine: its own munged, slurmctld and two slurmd in a temporary folder, all of them ended with it.
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Runtime.Versioning;
using System.Security.Cryptography;

namespace Scaling.Slurm.Tests;

/// <summary>What a command of Slurm came to.</summary>
/// <param name="ExitCode">Its exit code.</param>
/// <param name="Output">Standard output.</param>
/// <param name="Error">Standard error.</param>
public sealed record SlurmReply(int ExitCode, string Output, string Error);

/// <summary>How a cluster is set up. The defaults are for tests that wait for faults: everything that has a timeout has a short one.</summary>
public sealed record SlurmClusterOptions
{
    /// <summary>One more than the largest index of an array; 2 or more.</summary>
    public int MaxArraySize { get; init; } = 1001;

    /// <summary>Jobs that Slurm holds at once, ended ones of the last MinJobAge included; what is more is refused for now.</summary>
    public int MaxJobCount { get; init; } = 10_000;

    /// <summary>How long Slurm remembers a job that ended; 2 s or more.</summary>
    public TimeSpan MinJobAge { get; init; } = TimeSpan.FromSeconds(300);

    /// <summary>From the terminating signal to the killing one.</summary>
    public TimeSpan KillWait { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>How long a node may be silent. Slurm takes up to three times as long to call it down; <see cref="SlurmCluster.Fail"/> does not wait.</summary>
    public TimeSpan SlurmdTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long a command waits for an answer of slurmctld; one that asks twice, as squeue does, twice as long.</summary>
    public TimeSpan MessageTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long everything that is waited for may take.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Processors of each node, the machine's or not: nothing is bound to them.</summary>
    public int Cpus { get; init; } = 2;

    /// <summary>Whether what a partition does not allow is refused at once; else it is accepted and waits for ever, which is Slurm's own default.</summary>
    public bool EnforcePartLimits { get; init; } = true;

    /// <summary>More lines of slurm.conf.</summary>
    public string More { get; init; } = "";
}

/// <summary>
/// The cluster. Nodes are n1 and n2. Partitions: <c>p</c> (default, both nodes), <c>short</c> (at most 2 minutes), <c>one</c> (n1 alone), <c>urgent</c> (both; takes the nodes of jobs of <c>p</c>, which are requeued or, with --no-requeue,
/// end as PREEMPTED), <c>down</c> and <c>drained</c> (in these states). There is no accounting. A requeued job waits for two minutes, which no setting shortens: <see cref="BeginNow"/>.
/// </summary>
public sealed class SlurmCluster : IAsyncDisposable
{
    private static readonly string[] Programs = ["/usr/sbin/slurmctld", "/usr/sbin/slurmd", "/usr/sbin/munged", "/usr/bin/sbatch", "/usr/bin/squeue", "/usr/bin/scontrol", "/usr/bin/scancel", "/usr/bin/srun"];

    private readonly Dictionary<string, Process> _daemons = [];

    private readonly SlurmClusterOptions _options;

    private SlurmCluster(string folder, SlurmClusterOptions options) => (Folder, _options) = (folder, options);

    /// <summary>Why there can be none here; null where there can.</summary>
    public static string? Missing { get; } =
        !OperatingSystem.IsLinux() ? "Slurm runs on Linux alone."
        : Programs.FirstOrDefault(p => !File.Exists(p)) is { } missing ? $"{missing} is not there (apt-get install --no-install-recommends slurm-wlm munge)."
        : !System.Environment.IsPrivilegedProcess ? "The daemons of Slurm need root."
        : null;

    /// <summary>Of configuration, state and logs; its name has no space, since slurm.conf takes none.</summary>
    public string Folder { get; }

    /// <summary>What a process needs to speak with this cluster.</summary>
    public IReadOnlyDictionary<string, string> Environment => new Dictionary<string, string>
    {
        ["SLURM_CONF"] = Path.Combine(Folder, "slurm.conf"), ["PATH"] = $"/usr/bin:/usr/sbin:/bin:{System.Environment.GetEnvironmentVariable("PATH")}",
    };

    /// <summary>Starts one.</summary>
    /// <param name="options">Null for the defaults.</param>
    /// <returns>Null where there can be none; <see cref="Missing"/> says why.</returns>
    /// <exception cref="InvalidOperationException">It could not be started, with the logs of all daemons; nothing of it is left.</exception>
    public static async Task<SlurmCluster?> TryStart(SlurmClusterOptions? options = null)
    {
        if (Missing is not null || !OperatingSystem.IsLinux())
        {
            return null;
        }

        // /tmp, since the path of munge's socket must be short.
        var cluster = new SlurmCluster(Directory.CreateDirectory($"/tmp/slurm-{RandomNumberGenerator.GetHexString(8, lowercase: true)}").FullName, options ?? new());
        try
        {
            cluster.Configure();
            cluster.Protect();
            cluster.Start("munged", "/usr/sbin/munged", "--foreground", $"--key-file={cluster.Folder}/munge.key", $"--socket={cluster.Folder}/munge.socket", $"--pid-file={cluster.Folder}/munge.pid", $"--log-file={cluster.Folder}/log/munge.log", $"--seed-file={cluster.Folder}/munge.seed", "--num-threads=2");
            await cluster.Until(() => Task.FromResult(File.Exists($"{cluster.Folder}/munge.socket")), "munged made its socket");
            await cluster.StartController();
            await Task.WhenAll(cluster.StartSlurmd(1), cluster.StartSlurmd(2));
            return cluster;
        }
        catch (Exception e)
        {
            string logs = cluster.Logs();
            await cluster.DisposeAsync();
            throw new InvalidOperationException($"The cluster in '{cluster.Folder}' did not start: {e.Message}\n{logs}", e);
        }
    }

    /// <summary>Runs a command of Slurm, or any other, in the cluster's environment.</summary>
    /// <param name="name">For example <c>squeue</c>.</param>
    /// <param name="arguments">Its arguments.</param>
    public Task<SlurmReply> Command(string name, params string[] arguments) => Run(name, arguments, null);

    /// <summary>Submits a script by standard input.</summary>
    /// <param name="script">Without its first line, which is of sh.</param>
    /// <param name="arguments">Of sbatch, after --parsable.</param>
    /// <returns>The job's number.</returns>
    public async Task<string> Submit(string script, params string[] arguments)
    {
        var reply = await Run("sbatch", ["--parsable", "--output=/dev/null", .. arguments], $"#!/bin/sh\n{script}\n");
        Assert.True(reply.ExitCode == 0, reply.Error);
        return reply.Output.Trim();
    }

    /// <summary>The state of a job or a task in squeue's words, ended ones too; several tasks' with commas between, empty for a job that is not known.</summary>
    public async Task<string> State(string job) => string.Join(',', (await Command("squeue", "--noheader", "--states=all", "--array", $"--jobs={job}", "--format=%T")).Output.Split('\n', StringSplitOptions.RemoveEmptyEntries));

    /// <summary>Waits until a job, or each task of its array, is in a state.</summary>
    public Task Reaches(string job, string state) => Until(async () => (await State(job)).Split(',').All(s => s == state), $"job {job} was {state}", async () => $"{await State(job)}\n{(await Command("scontrol", "show", "job", job)).Output}\n{Logs()}");

    /// <summary>Lets a requeued job begin without its two minutes of waiting; in three seconds, since a slurmd takes a job that it ended in the same second for one that is to stay ended, and fails it.</summary>
    /// <param name="job">A job or a task, <c>12_3</c>.</param>
    public async Task BeginNow(string job) => Assert.Equal(0, (await Command("scontrol", "update", $"jobid={job}", "StartTime=now+3")).ExitCode);

    /// <summary>Starts slurmctld, which takes up what it left in its folder, and waits until it answers.</summary>
    public async Task StartController()
    {
        Start("slurmctld", "/usr/sbin/slurmctld", "-D");
        await Until(async () => (await Command("scontrol", "ping")).Output.Contains("is UP", StringComparison.Ordinal), "slurmctld answered");
    }

    /// <summary>
    /// Has slurmctld write down all that happened so far. By itself it does so up to five seconds late, and of jobs that its backfill scheduler began only when something else happens. A job of the name <c>saved</c>, cancelled at once,
    /// is that something.
    /// </summary>
    public async Task StateIsSaved()
    {
        string job = await Submit("true", "--hold", "--job-name=saved");
        await Command("scancel", job);
        var since = DateTime.UtcNow;
        await Until(() => Task.FromResult(File.GetLastWriteTimeUtc(Path.Combine(Folder, "state", "job_state")) > since), "slurmctld wrote its state");
    }

    /// <summary>
    /// Kills slurmctld, without a word. What happened since it wrote its state it does not know when it starts again: a job that it had acknowledged is unknown and its number given to another; one that ran waits, is begun a second time and,
    /// where the first still runs, held for <c>launch_failed_requeued_held</c> on a drained node (<see cref="StateIsSaved"/>).
    /// </summary>
    public void KillController() => Kill("slurmctld");

    /// <summary>Stops slurmctld as a service would, and starts it again.</summary>
    public async Task RestartController()
    {
        await Stop("slurmctld");
        await StartController();
    }

    /// <summary>Stops slurmctld in its tracks, so that commands get no answer, until it is disposed of.</summary>
    public IDisposable FreezeController() => new Frozen(_daemons["slurmctld"].Id);

    /// <summary>Starts a node's slurmd and waits until the node may be used.</summary>
    /// <param name="node">1 or 2.</param>
    public async Task StartSlurmd(int node)
    {
        Start($"slurmd{node}", "/usr/sbin/slurmd", "-D", "-N", $"n{node}");
        await Until(async () => await NodeState(node) is "idle" or "mixed" or "allocated" or "draining" or "drained", $"node n{node} was up", () => NodeState(node));
    }

    /// <summary>Kills a node's slurmd.</summary>
    /// <param name="node">1 or 2.</param>
    /// <param name="withJobs">Whether all that ran on the node dies with it, as when its power fails. Else the jobs run on, and Slurm does not know: what it calls NODE_FAIL later may live.</param>
    public void KillSlurmd(int node, bool withJobs)
    {
        Kill($"slurmd{node}");
        if (withJobs)
        {
            KillAll(p => Belongs(p) && (EnvironmentOf(p).Contains($"SLURMD_NODENAME=n{node}", StringComparison.Ordinal) || Opened(p).Contains($"{Folder}/log/slurmd.n{node}.log")));
        }
    }

    /// <summary>A node's power fails, and Slurm is told at once: its jobs end as NODE_FAIL or are requeued.</summary>
    /// <param name="node">1 or 2.</param>
    public async Task Fail(int node)
    {
        KillSlurmd(node, withJobs: true);
        await Update(node, "down");
    }

    /// <summary>Lets a node take no more jobs; what runs goes on.</summary>
    /// <param name="node">1 or 2.</param>
    public Task Drain(int node) => Update(node, "drain");

    /// <summary>Lets it take jobs again.</summary>
    /// <param name="node">1 or 2.</param>
    public Task Resume(int node) => Update(node, "resume");

    /// <summary>In sinfo's word, without the star of one that does not answer.</summary>
    /// <param name="node">1 or 2.</param>
    public async Task<string> NodeState(int node) => (await Command("sinfo", "--noheader", "--Node", $"--nodes=n{node}", "--partition=p", "--format=%T")).Output.Trim().TrimEnd('*');

    /// <summary>What the daemons wrote, the last of each.</summary>
    public string Logs() => string.Join('\n', Directory.EnumerateFiles(Path.Combine(Folder, "log")).Where(f => new FileInfo(f).Length > 0).Order(StringComparer.Ordinal).Select(f => $"--- {Path.GetFileName(f)}\n{string.Join('\n', File.ReadLines(f).TakeLast(30))}"));

    /// <summary>Processes of this cluster, by what they are called and their id: its daemons, its steps and what its jobs run.</summary>
    public IReadOnlyList<string> Processes() => [.. Ids().Where(Belongs).Select(p => $"{Read(p, "comm").Trim()} {p}")];

    /// <summary>Cancels every job, ends every process and removes the folder.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_daemons.TryGetValue("slurmctld", out var controller) && !controller.HasExited)
        {
            await Run("scancel", ["--user=root"], null, TimeSpan.FromSeconds(10));
            for (int i = 0; i < 30 && Processes().Any(p => p.StartsWith("slurmstepd", StringComparison.Ordinal)); i++)
            {
                await Task.Delay(100);
            }
        }

        foreach (string daemon in new[] { "slurmd1", "slurmd2", "slurmctld", "munged" }.Where(_daemons.ContainsKey))
        {
            await Stop(daemon);
        }

        KillAll(Belongs);
        for (int i = 0; i < 30 && Directory.Exists(Folder); i++)
        {
            try
            {
                Directory.Delete(Folder, recursive: true);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // What was just killed may still have been writing.
                await Task.Delay(100);
            }
        }
    }

    private async Task Until(Func<Task<bool>> holds, string what, Func<Task<string>>? seen = null)
    {
        var since = Stopwatch.StartNew();
        while (!await holds())
        {
            if (since.Elapsed > _options.Patience)
            {
                throw new TimeoutException($"Waited {_options.Patience.TotalSeconds:F0} s until {what}{(seen is null ? "" : $"; it is '{await seen()}'")}.");
            }

            await Task.Delay(100);
        }
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private static IEnumerable<int> Ids() => Directory.EnumerateDirectories("/proc").Select(d => int.TryParse(Path.GetFileName(d), NumberStyles.None, CultureInfo.InvariantCulture, out int id) ? id : 0).Where(id => id > 0 && id != System.Environment.ProcessId);

    /// <summary>A file of /proc; empty where the process has ended, as one that is no more than its parent's memory of it.</summary>
    private static string Read(int process, string file)
    {
        try
        {
            return File.ReadAllText($"/proc/{process}/{file}");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }

    private static string EnvironmentOf(int process) => Read(process, "environ");

    private static HashSet<string> Opened(int process)
    {
        try
        {
            return [.. Directory.EnumerateFiles($"/proc/{process}/fd").Select(f => File.ResolveLinkTarget(f, returnFinalTarget: false)?.FullName ?? "")];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    /// <summary>By the configuration in its environment or, since munged is told nothing by it and steps write over theirs, by a file of the folder that it holds open.</summary>
    private bool Belongs(int process) => EnvironmentOf(process).Contains($"SLURM_CONF={Folder}/slurm.conf\0", StringComparison.Ordinal) || Opened(process).Any(f => f.StartsWith(Folder + "/", StringComparison.Ordinal));

    private static void Send(string signal, int process) => Process.Start(new ProcessStartInfo("/bin/kill", [signal, process.ToString(CultureInfo.InvariantCulture)]) { RedirectStandardError = true })!.WaitForExit();

    private static void KillAll(Func<int, bool> which)
    {
        // Twice over: a process may start another between the look and the signal.
        for (int round = 0; round < 3; round++)
        {
            foreach (int id in Ids().Where(which).ToList())
            {
                Send("-KILL", id);
            }
        }
    }

    private async Task Update(int node, string state) => Assert.Equal(0, (await Command("scontrol", "update", $"nodename=n{node}", $"state={state}", "reason=test")).ExitCode);

    [SupportedOSPlatform("linux")]
    private void Protect()
    {
        // munged wants a key that nobody else reads, and a folder that everybody may enter.
        File.SetUnixFileMode(Folder, (UnixFileMode)0b111_101_101);
        File.SetUnixFileMode(Path.Combine(Folder, "munge.key"), UnixFileMode.UserRead);
    }

    private void Configure()
    {
        foreach (string folder in new[] { "state", "spool/n1", "spool/n2", "log" })
        {
            Directory.CreateDirectory(Path.Combine(Folder, folder));
        }

        File.WriteAllBytes(Path.Combine(Folder, "munge.key"), RandomNumberGenerator.GetBytes(1024));

        string host = Dns.GetHostName().Split('.')[0];
        string Node(int n) => $"NodeName=n{n} NodeHostname={host} NodeAddr=127.0.0.1 Port={FreePort()} CPUs={_options.Cpus} RealMemory=2000 State=UNKNOWN";
        File.WriteAllText(Path.Combine(Folder, "slurm.conf"), $"""
            ClusterName=test
            SlurmctldHost={host}(127.0.0.1)
            SlurmctldPort={FreePort()}
            SlurmUser=root
            SlurmdUser=root
            AuthType=auth/munge
            AuthInfo=socket={Folder}/munge.socket
            CryptoType=crypto/munge
            MpiDefault=none
            ProctrackType=proctrack/linuxproc
            TaskPlugin=task/none
            SwitchType=switch/none
            SelectType=select/cons_tres
            SelectTypeParameters=CR_CPU
            SchedulerType=sched/backfill
            SchedulerParameters=bf_interval=2,sched_interval=2,batch_sched_delay=1,default_queue_depth=1000
            AccountingStorageType=accounting_storage/none
            JobAcctGatherType=jobacct_gather/none
            StateSaveLocation={Folder}/state
            SlurmdSpoolDir={Folder}/spool/%n
            SlurmctldPidFile={Folder}/slurmctld.pid
            SlurmdPidFile={Folder}/slurmd.%n.pid
            SlurmctldLogFile={Folder}/log/slurmctld.log
            SlurmdLogFile={Folder}/log/slurmd.%n.log
            MailProg=/bin/true
            ReturnToService=2
            SlurmdTimeout={_options.SlurmdTimeout.TotalSeconds:F0}
            SlurmctldTimeout=10
            MessageTimeout={_options.MessageTimeout.TotalSeconds:F0}
            KillWait={_options.KillWait.TotalSeconds:F0}
            UnkillableStepTimeout=10
            InactiveLimit=0
            JobRequeue=1
            MinJobAge={_options.MinJobAge.TotalSeconds:F0}
            MaxArraySize={_options.MaxArraySize}
            MaxJobCount={_options.MaxJobCount}
            EnforcePartLimits={(_options.EnforcePartLimits ? "ALL" : "NO")}
            PreemptType=preempt/partition_prio
            PreemptMode=REQUEUE
            {Node(1)}
            {Node(2)}
            PartitionName=p Nodes=n1,n2 Default=YES MaxTime=INFINITE State=UP PriorityTier=1
            PartitionName=short Nodes=n1,n2 MaxTime=2 State=UP PriorityTier=1
            PartitionName=one Nodes=n1 MaxTime=INFINITE State=UP PriorityTier=1
            PartitionName=urgent Nodes=n1,n2 MaxTime=INFINITE State=UP PriorityTier=10 PreemptMode=OFF
            PartitionName=down Nodes=n1,n2 MaxTime=INFINITE State=DOWN
            PartitionName=drained Nodes=n1,n2 MaxTime=INFINITE State=DRAIN
            {_options.More}

            """);
    }

    /// <summary>Output goes to a file, not a pipe: steps inherit it and outlive their slurmd.</summary>
    private void Start(string name, string program, params string[] arguments)
    {
        string output = $"{Folder}/log/{name}.out";
        var start = new ProcessStartInfo("/bin/sh", ["-c", "exec \"$@\" </dev/null >>\"$0\" 2>&1", output, program, .. arguments]) { WorkingDirectory = Folder };
        foreach (var (variable, value) in Environment)
        {
            start.Environment[variable] = value;
        }

        _daemons[name] = Process.Start(start)!;
    }

    private void Kill(string daemon)
    {
        _daemons[daemon].Kill();
        _daemons[daemon].WaitForExit();
    }

    private async Task Stop(string daemon)
    {
        var process = _daemons[daemon];
        if (!process.HasExited)
        {
            Send("-CONT", process.Id);
            Send("-TERM", process.Id);
            using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(10));
            try
            {
                await process.WaitForExitAsync(patience.Token);
            }
            catch (OperationCanceledException)
            {
                Kill(daemon);
            }
        }
    }

    private async Task<SlurmReply> Run(string name, string[] arguments, string? input, TimeSpan? limit = null)
    {
        var start = new ProcessStartInfo("/usr/bin/env", [name, .. arguments]) { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true, WorkingDirectory = Folder };
        foreach (var (variable, value) in Environment)
        {
            start.Environment[variable] = value;
        }

        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        await process.StandardInput.WriteAsync(input);
        process.StandardInput.Close();
        using var patience = new CancellationTokenSource(limit ?? _options.Patience);
        try
        {
            await process.WaitForExitAsync(patience.Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
        }

        return new(process.HasExited ? process.ExitCode : -1, await output, await error);
    }

    private sealed class Frozen : IDisposable
    {
        private readonly int _process;

        public Frozen(int process)
        {
            _process = process;
            Send("-STOP", process);
        }

        public void Dispose() => Send("-CONT", _process);
    }
}

// A stage of so many rows, a store, a fake cluster, and controllers that run the one on the other; with the promises that hold whatever Slurm says.
using System.Collections.Concurrent;
using System.Globalization;
using System.Text.Json.Nodes;
using Microsoft.Win32.SafeHandles;
using Scaling.Engine.Execution;
using Scaling.Engine.Executors;
using Scaling.Engine.Executors.Local;
using Scaling.Engine.Executors.Slurm;
using Scaling.Engine.Files;
using Scaling.Engine.Keys;
using Scaling.Engine.Pipelines;
using Scaling.Engine.Planning;
using Scaling.Engine.Plugins;
using Scaling.Engine.Store;
using Scaling.Engine.Workers;
using Scaling.Sdk;
using Scaling.TestKit;

namespace Scaling.Engine.Tests.Executors;

/// <summary>A study on a cluster.</summary>
internal sealed class ClusterStudy : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly string? _memory;
    private readonly ContentStore _nodes;
    private readonly List<Controller> _controllers = [];
    private readonly DateTime _began = DateTime.UtcNow;

    /// <summary>Begins one.</summary>
    /// <param name="rows">Of the stage; at least 1.</param>
    /// <param name="inMemory">Whether its store lies in memory where the system has room for it there: what a disk takes to flush 40 000 files is no part of it.</param>
    public ClusterStudy(int rows = 1, bool inMemory = false)
    {
        if (inMemory && Directory.Exists("/dev/shm") && new DriveInfo("/dev/shm").AvailableFreeSpace > 1L << 30)
        {
            Directory.CreateSymbolicLink(_folder["store"], _memory = Directory.CreateDirectory($"/dev/shm/scaling-test-{Guid.NewGuid():N}").FullName);
        }

        _nodes = ContentStore.Open(_folder["store"], _ => { });
        Cluster = new FakeCluster(_folder["slurm"], _nodes);
        Actions = [.. Enumerable.Range(0, rows).Select(Action)];
        foreach (string file in new[] { "install/dotnet", "install/host/fxr/10.0.0/libhostfxr.so", "install/shared/Microsoft.NETCore.App/10.0.0/all.dll", "tool/dotnet-scaling.dll" })
        {
            _folder.Write(file, file);
        }
    }

    public FakeCluster Cluster { get; }

    public IReadOnlyList<ActionSpec> Actions { get; private set; }

    public string Store => _nodes.Root;

    public Resources Resources { get; set; } = Resources.None;

    public string PipelinePath { get; set; } = "/study/p.yaml";

    public bool IsBatch { get; set; }

    public bool IsExclusive { get; set; }

    /// <summary>Scaled down three hundred times.</summary>
    public SlurmPace Pace { get; set; } = new()
    {
        Look = TimeSpan.FromMilliseconds(20), FirstQuery = TimeSpan.FromMilliseconds(60), LongestQuery = TimeSpan.FromMilliseconds(240), Grace = TimeSpan.FromMilliseconds(100),
        Command = TimeSpan.FromSeconds(30), Stop = TimeSpan.FromSeconds(5), Full = TimeSpan.FromMilliseconds(80),
    };

    public StageNode Stage => new()
    {
        Id = "work",
        Location = new SourceLocation("p.yaml", 3, 3),
        Type = new StageType(new StageDescriptor(new StageDeclaration { Type = "work", Summary = "", Outputs = [new OutputFile("work.csv", "work")], Exclusive = IsExclusive }, [], Contract.Revision), "/plugin.dll", [], []),
        Settings = [],
        SettingLocations = new Dictionary<string, SourceLocation>(),
        Files = [],
        Inputs = [],
        Patience = TimeSpan.FromMinutes(1),
        Executor = ExecutorKind.Slurm,
        Resources = Resources,
    };

    /// <summary>Executes actions that are published already.</summary>
    public void AskAgain() => Actions = [.. Actions.Select(a => a with { Again = true })];

    /// <summary>A controller that has not begun.</summary>
    public Controller NewController(bool leavesJobs = false)
    {
        var controller = new Controller(this, _folder.Path, leavesJobs);
        _controllers.Add(controller);
        return controller;
    }

    /// <summary>Runs it by one controller, and looks whether every promise was kept.</summary>
    public async Task<Controller> Run()
    {
        var controller = NewController();
        await controller.Run();
        Check();
        return controller;
    }

    /// <summary>What holds whatever Slurm says.</summary>
    public void Check()
    {
        using var store = ContentStore.Open(Store, _ => { });
        foreach (var (key, result) in _controllers.SelectMany(c => c.Results))
        {
            Assert.True(result.End is not (ActionEnd.Published or ActionEnd.Found) || store.Find(key) is not null, "success was told of what is not in the store");
        }

        if (Actions.All(a => !a.Again))
        {
            Assert.All(Cluster.Executions.Where(e => !e.IsLost).GroupBy(e => e.Key), e => Assert.Single(e));
        }

        // A job that executed anything is the one that its folder names.
        foreach (var (job, folder) in Cluster.Jobs.Select(j => (j, j.Folder)).DistinctBy(j => (j.j.Number, j.Folder.Token)))
        {
            bool worked = Directory.EnumerateFiles(Path.Combine(folder.Path, "tasks"), "*.begun").Any(f => File.ReadAllText(f).Contains($"\"{job.Number}\"", StringComparison.Ordinal));
            Assert.True(!worked || folder.Claim == job.Number, $"job {job.Number} worked in a folder of job {folder.Claim}");
        }

        Assert.DoesNotContain(Cluster.Jobs.SelectMany(j => j.Tasks), t => t.State.StartsWith("BROKEN", StringComparison.Ordinal));

        // Questions a controller: one look at the queue an interval, one question more about each submission, two an interval about each job that the queue does not show.
        int intervals = (int)((DateTime.UtcNow - _began) / Pace.FirstQuery) + 2;
        int submissions = Cluster.Calls("sbatch").Count;
        Assert.InRange(Cluster.Calls("squeue").Count(c => c.Arguments.StartsWith("--me", StringComparison.Ordinal)), 0, _controllers.Count * intervals);
        Assert.InRange(Cluster.Calls("squeue").Count(c => c.Arguments.Contains("--name=", StringComparison.Ordinal)), 0, _controllers.Count * (submissions + 1));
        Assert.InRange(Cluster.Calls("sacct").Count, 0, _controllers.Count * intervals * Math.Max(1, Cluster.Jobs.Count));
    }

    public void Dispose()
    {
        _controllers.ForEach(c => c.Dispose());
        Cluster.Dispose();
        _nodes.Dispose();
        if (_memory is not null)
        {
            Directory.Delete(_memory, recursive: true);
        }

        _folder.Dispose();
    }

    private static ActionSpec Action(int number)
    {
        string point = number.ToString("'r'0000", CultureInfo.InvariantCulture);
        KeyEntry[] entries = [new(EntryKind.Format, "key", ActionKey.FormatRevision), new(EntryKind.Stage, "type", "work"), new(EntryKind.Setting, "row", point)];
        return new ActionSpec { Key = ActionKey.Of(entries), Entries = entries, Assembly = "/plugin.dll", Stage = "work", Settings = NoSettings, Point = point, Row = new Dictionary<string, string> { ["row"] = point } };
    }

    private static readonly JsonObject NoSettings = [];

    /// <summary>A run as one process has it.</summary>
    internal sealed class Controller : IDisposable
    {
        private readonly ClusterStudy _study;
        private readonly ContentStore _store;
        private readonly WorkerPool _workers;
        private readonly CancellationTokenSource _stop = new();

        public Controller(ClusterStudy study, string folder, bool leavesJobs)
        {
            _study = study;
            _store = ContentStore.Open(study.Store, _ => { });
            _workers = new WorkerPool(WorkerCommand.OfThisTool, study.Store);
            var code = new StageCode(null, _store);
            var host = new ToolHost(Path.Combine(folder, "tool/dotnet-scaling.dll"), [], Path.Combine(folder, "tool"), Path.Combine(folder, "install/shared/Microsoft.NETCore.App/10.0.0"));
            Executor = new SlurmExecutor(
                new Pipeline("p", study.PipelinePath, 0, [study.Stage]), _store, new LocalExecutor(_workers, _store, 1, Seen, code), code, Seen, new SlurmCommands(study.Pace.Command) { Folder = study.Cluster.Programs }, study.Pace,
                new StagedTool(_store) { Host = host }, "0.0.0", TimeProvider.System) { LeavesJobs = leavesJobs };
        }

        public SlurmExecutor Executor { get; }

        public SeenRun Seen { get; } = new();

        /// <summary>By key.</summary>
        public ConcurrentDictionary<string, ActionResult> Results { get; } = new();

        /// <summary>How its actions ended, in the order of the rows.</summary>
        public IEnumerable<ActionEnd> Ends => _study.Actions.Where(a => Results.ContainsKey(a.Key)).Select(a => Results[a.Key].End);

        /// <summary>Codes of what its actions failed with.</summary>
        public IEnumerable<string> Codes => _study.Actions.Where(a => Results.ContainsKey(a.Key)).SelectMany(a => Results[a.Key].Findings).Select(f => f.Code);

        public async Task Run()
        {
            var stage = _study.Stage;
            IReadOnlyList<IReadOnlyList<ActionSpec>> groups = _study.IsBatch ? [_study.Actions] : [.. _study.Actions.Where(a => _study.IsAsked(a)).Select(a => new[] { a })];
            var running = Executor.Execute(stage, groups, (action, result) => Assert.True(Results.TryAdd(action.Key, result), "an action was told twice"), _stop.Token);
            await running.WaitAsync(TimeSpan.FromSeconds(Math.Max(20, _study.Actions.Count / 100)));
        }

        /// <summary>Ctrl-C.</summary>
        public void Stop() => _stop.Cancel();

        /// <summary>As kill -9 leaves it: its life is there, and its lock free. The executor has to be one that leaves its jobs.</summary>
        public void Kill(Task running)
        {
            Assert.True(Executor.LeavesJobs);
            string life = Path.Combine(_study.Store, "lives", _store.Live().Token);
            byte[] said = new byte[512];
            using (var held = new SafeFileHandle(LibC.Open(life, LibC.ReadOnly | LibC.CloseOnExec, 0), ownsHandle: true)) // It is locked, and .NET would ask for the lock.
            {
                said = said[..RandomAccess.Read(held, said, 0)];
            }

            _stop.Cancel();
            Assert.True(running.Wait(TimeSpan.FromSeconds(10)));
            Results.Clear(); // Nobody heard of them.
            _store.Dispose();
            File.WriteAllBytes(life, said);
        }

        public void Dispose()
        {
            _stop.Cancel();
            _workers.Dispose();
            _store.Dispose();
            _stop.Dispose();
        }
    }

    /// <summary>Which rows are run. Default: all.</summary>
    public Func<ActionSpec, bool> IsAsked { get; set; } = _ => true;
}

/// <summary>What a run told.</summary>
internal sealed class SeenRun : IRunObserver
{
    public ConcurrentQueue<string> News { get; } = new();

    /// <summary>Codes.</summary>
    public ConcurrentQueue<string> Warnings { get; } = new();

    public int Done;

    public int Began;

    /// <summary>All that was said of the queue.</summary>
    public string Text => string.Join('\n', News);

    public void Queued(StageNode stage, string news) => News.Enqueue(news);

    void IRunObserver.Done(StageNode stage, string? point, string key, bool executed, double seconds) => Interlocked.Increment(ref Done);

    public void Started(StageNode stage, string? point, string key) => Interlocked.Increment(ref Began);

    public void Round(FeedbackCircle circle, int round)
    {
    }

    public void Planned(StageNode stage, int actions, int cached, IReadOnlyList<string> reasons)
    {
    }

    public void Fetching(StageNode stage, IReadOnlyList<NativePackage> packages)
    {
    }

    public void Preparing(StageNode stage)
    {
    }

    public void Prepared(StageNode stage, bool executed, double seconds)
    {
    }

    public void Progressed(StageNode stage, string? point, StageProgress progress)
    {
    }

    public void Waiting(StageNode stage, string? point, string reason) => News.Enqueue(reason);

    public void Stopped(StageNode stage, string? point, string key)
    {
    }

    public void Failed(StageNode stage, Failure failure)
    {
    }

    public void Warned(StageNode stage, string? point, Diagnostic warning)
    {
        News.Enqueue(warning.Message);
        Warnings.Enqueue(warning.Code);
    }

    public void FoundDamage(Diagnostic finding) => News.Enqueue(finding.Message);

    public void Ended(StageOutcome summary)
    {
    }
}

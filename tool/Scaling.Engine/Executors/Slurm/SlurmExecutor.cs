// Runs the actions of stages in jobs of a Slurm cluster. SLURM.md beside this file tells the protocol.
using System.Collections.Concurrent;
using System.Globalization;
using System.Security.Cryptography;
using Scaling.Engine.Execution;
using Scaling.Engine.Executors.Local;
using Scaling.Engine.Planning;
using Scaling.Engine.Plugins;
using Scaling.Engine.Store;
using Scaling.Engine.Workers;
using Scaling.Sdk;

namespace Scaling.Engine.Executors.Slurm;

/// <summary>The executor for Slurm.</summary>
public sealed class SlurmExecutor : IExecutor
{
    private const int UsualMaxArraySize = 1001;
    private static readonly string SubmissionKey = Convert.ToHexStringLower(SHA256.HashData("slurm submissions"u8));
    private readonly LocalExecutor _here;
    private readonly StageCode _code;
    private readonly ConcurrentBag<TaskUsage> _usage = [];
    private int _maxArraySize;

    /// <summary>Of a pipeline.</summary>
    /// <param name="pipeline">Whose stages run.</param>
    /// <param name="store">On a folder that all nodes see.</param>
    /// <param name="here">Executes what belongs on this machine.</param>
    /// <param name="code">Brings the code of stages that are packages.</param>
    /// <param name="observer">Takes what happens.</param>
    /// <param name="commands">Calls Slurm.</param>
    /// <param name="pace">How often.</param>
    /// <param name="tool">What tasks run.</param>
    /// <param name="version">Of the tool.</param>
    /// <param name="time">The clock.</param>
    public SlurmExecutor(Pipeline pipeline, ContentStore store, LocalExecutor here, StageCode code, IRunObserver observer, SlurmCommands commands, SlurmPace pace, StagedTool tool, string version, TimeProvider time)
    {
        (Pipeline, Store, _here, _code, Observer, Pace, Tool, Version, Time) = (pipeline, store, here, code, observer, pace, tool, version, time);
        Commands = commands;
        Queue = new QueueWatch(commands, pace, time);
    }

    /// <summary>Whether jobs are left to themselves when the run is stopped. Default: they are cancelled.</summary>
    public bool LeavesJobs { get; init; }

    /// <summary>Where the run puts results, absolute, for whoever attaches to it. Default: not told.</summary>
    public string? ResultsFolder { get; init; }

    /// <summary>What the tasks that ended have used, by stage in the order of the pipeline.</summary>
    public IReadOnlyList<StageUsage> Usage => [.. Pipeline.Stages.Select(s => StageUsage.Of(s.Id, [.. _usage.Where(u => u.Stage == s.Id)])).Where(u => u.Tasks > 0)];

    internal Pipeline Pipeline { get; }

    internal ContentStore Store { get; }

    internal IRunObserver Observer { get; }

    internal SlurmPace Pace { get; }

    internal StagedTool Tool { get; }

    internal string Version { get; }

    internal TimeProvider Time { get; }

    internal SlurmCommands Commands { get; }

    internal QueueWatch Queue { get; }

    /// <inheritdoc/>
    public async Task<StageNode> Placed(StageNode stage, CancellationToken halt)
    {
        if (!stage.AwaitsNode)
        {
            return stage;
        }

        var probe = NodeProbe.Of(stage.Resources);
        if (probe.Known(Store) is null)
        {
            halt.ThrowIfCancellationRequested();
            Observer.Queued(stage, "asking a node what kind of machine it is, since speeds are of a kind of machine");
            var result = new ActionResult(ActionEnd.Stopped, [], 0);
            var work = new StageJobs(this, stage, [[probe.Action]], (_, ended) => result = ended, halt) { IsProbe = true };
            await work.Run().ConfigureAwait(false);
            halt.ThrowIfCancellationRequested();
            if (probe.Known(Store) is null)
            {
                throw new StageFailedException(result.Reasons);
            }
        }

        return stage with { DeviceClass = probe.Known(Store) };
    }

    /// <summary>A pipeline with the kinds of machines that nodes have told by now.</summary>
    /// <param name="pipeline">Linked.</param>
    /// <param name="store">Keeps what they told.</param>
    public static Pipeline AsKnown(Pipeline pipeline, ContentStore store) => pipeline with { Stages = [.. pipeline.Stages.Select(s => NodeProbe.AsKnown(s, store))] };

    /// <inheritdoc/>
    /// <remarks>What the machine lacks here, nodes may have: the stage is not asked.</remarks>
    public Task<IReadOnlyList<NativePackage>> Natives(StageNode stage, CancellationToken halt) => _code.Natives.Bring(stage, missing =>
    {
        Observer.Fetching(stage, missing);
        return Task.CompletedTask;
    }, halt);

    /// <inheritdoc/>
    public async Task Execute(StageNode stage, IReadOnlyList<IReadOnlyList<ActionSpec>> groups, Action<ActionSpec, ActionResult> ended, CancellationToken halt)
    {
        if (groups.Count == 0)
        {
            return;
        }

        if (IsOfThisMachine(groups[0][0]))
        {
            await _here.Execute(stage, groups, ended, halt).ConfigureAwait(false);
            return;
        }

        var ready = new List<IReadOnlyList<ActionSpec>>();
        foreach (var group in groups)
        {
            var coded = await _code.Ready(stage.Type, group, halt).ConfigureAwait(false);
            ready.Add([.. (await LocalExecutor.WithNatives(stage, coded, Natives, halt).ConfigureAwait(false)).Select(a => a with { Assembly = Tool.Moved(a.Assembly) })]);
        }

        await new StageJobs(this, stage, ready, ended, halt).Run().ConfigureAwait(false);
    }

    /// <summary>Whether what an action reads is a part of this machine's .NET, which nodes need not have.</summary>
    private static bool IsOfThisMachine(ActionSpec action) => action.Kind == ActionKind.Prepare && action.Reads.Any(r => r.Path.StartsWith(ToolHost.Current.Dotnet + "/", StringComparison.Ordinal));

    /// <summary>Tasks that one array may have: MaxArraySize, or max_array_tasks where a site sets it lower.</summary>
    internal async Task<int> LargestArray()
    {
        if (_maxArraySize == 0)
        {
            var answer = await Commands.Call("scontrol", ["show", "config"]).ConfigureAwait(false);
            int? size = Number(SlurmAnswers.Setting(answer.Output, "MaxArraySize"));
            int? tasks = Number(SlurmAnswers.Setting(answer.Output, "SchedulerParameters")?.Split(',').FirstOrDefault(p => p.StartsWith("max_array_tasks=", StringComparison.Ordinal))?.Split('=')[1]);
            if (size is null)
            {
                return UsualMaxArraySize; // No answer; the next time it is asked again.
            }

            _maxArraySize = Math.Min(size.Value, tasks ?? int.MaxValue);
        }

        return _maxArraySize;

        static int? Number(string? text) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int number) && number > 0 ? number : null;
    }

    /// <summary>Of all controllers of a store, one at a time looks which actions are in jobs, and writes jobs for others.</summary>
    /// <param name="stop">Ends the waiting.</param>
    internal async Task<Lease> BeginSubmitting(CancellationToken stop)
    {
        var watch = Store.Watch();
        string? silent = null;
        while (true)
        {
            if (Store.Leases.TryTake(SubmissionKey, Store.Live(), silent, out string? other) is { } lease)
            {
                return lease;
            }

            silent = other is not null && watch.IsGone(Leases.LifeOf(other)) ? other : null;
            await Task.Delay(TimeSpan.FromMilliseconds(100), stop).ConfigureAwait(false);
        }
    }

    internal void Used(TaskUsage usage) => _usage.Add(usage);
}

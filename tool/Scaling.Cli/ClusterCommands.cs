// attach and cancel: what runs of a pipeline in jobs, whoever submitted it.
using System.Runtime.InteropServices;
using Scaling.Engine;
using Scaling.Engine.Execution;
using Scaling.Engine.Executors;
using Scaling.Engine.Executors.Slurm;
using Scaling.Engine.Files;
using Scaling.Engine.Pipelines;
using Scaling.Engine.Store;

namespace Scaling.Cli;

internal static partial class ClusterCommands
{
    private const int Terminate = 15;

    /// <summary>Goes on with what is in jobs, as the run that submitted it would; stopped, it leaves the jobs alone.</summary>
    public static Task<int> Attach(Commands.Invocation call)
    {
        var jobs = JobsOf(call);
        if (jobs.Count == 0)
        {
            throw new UsageException(
                "SCAL1085", $"No jobs of {call.PipelinePath} are under way in the store {call.StoreFolder}.",
                "'dotnet scaling status' says what is missing, and 'dotnet scaling run' runs it; a run that used another store is found with --cache, and jobs belong to the pipeline's file: a copy has none.");
        }

        var console = CommandConsole.Now;
        string[] sets = [.. jobs[^1].Record.Overrides];
        if (call.Sets.Count == 0 && sets.Length > 0)
        {
            console.Say($"As it was run: {string.Join(' ', sets.Select(s => $"--set {s}"))}");
        }

        return RunCommand.Run(call with { LeavesJobs = true, AttachedSets = call.Sets.Count == 0 ? sets : null, AttachedResults = jobs[^1].Record.ResultsFolder, AttachedExecutor = call.Executor ?? (SaysSlurm(call.Pipeline) ? null : ExecutorKind.Slurm) });
    }

    /// <summary>Whether pipeline or profile send a stage to a cluster: then they say which, as they did to the run. Else its <c>--executor slurm</c> did.</summary>
    private static bool SaysSlurm(string pipeline) =>
        PipelineReader.Read(pipeline).Document is { } document
        && document.Stages.Select(s => s.Placement).Append(document.Placement).Append(UserProfile.Read().Placement).Any(p => p.Executor == ExecutorKind.Slurm);

    /// <summary>Cancels the jobs of a pipeline, and ends the runs on this machine that wait for them.</summary>
    public static async Task<int> Cancel(Commands.Invocation call)
    {
        var console = CommandConsole.Now;
        var jobs = JobsOf(call, cancelled: true);
        var commands = new SlurmCommands(new SlurmPace().Command);
        foreach (var (folder, record) in jobs)
        {
            folder.Cancel(record.Path); // Before any ends: a controller that sees one end shall know why.
        }

        string? unheard = await commands.Cancel(jobs).ConfigureAwait(false);
        if (unheard is not null)
        {
            throw new InfrastructureException("SCAL5104", $"Slurm did not cancel all jobs: {unheard}.", "Type it again when Slurm answers: tasks that begin meanwhile see that they are not wanted, and end.");
        }

        foreach (var (folder, record) in jobs)
        {
            console.Say($"Cancelled job {folder.Claim ?? "(not submitted yet)"} of '{record.Stage}', {record.Tasks} task{(record.Tasks == 1 ? "" : "s")}.");
            folder.Close();
        }

        using var store = ContentStore.Open(call.StoreFolder, console.FoundDamage);
        string[] paths = [.. jobs.Select(j => j.Record.Path).Append(call.PipelinePath!).Distinct()];
        foreach (string runner in paths.SelectMany(path => new RunHistory(store, path) { LeavesDamage = true }.Runners).Distinct())
        {
            if (runner.Split(' ') is ["process", var id, "on", var host] && host == Environment.MachineName && int.TryParse(id, out int process))
            {
                console.Say(Signal(process, Terminate) == 0 ? $"Asked the run that waited, {runner}, to stop." : $"The run {runner} could not be asked to stop.");
            }
            else
            {
                console.Say($"A run of it is {runner}; it stops when it sees that its jobs were cancelled.");
            }
        }

        if (jobs.Count == 0)
        {
            console.Say($"No jobs of {call.PipelinePath} are under way.");
        }

        return ExitCode.Done;
    }

    /// <summary>The jobs of the pipeline that are under way.</summary>
    /// <param name="call">Names the pipeline and the store.</param>
    /// <param name="cancelled">Also those that are cancelled.</param>
    public static IReadOnlyList<(JobFolder Folder, JobRecord Record)> JobsOf(Commands.Invocation call, bool cancelled = false) =>
        [.. JobFolder.Open(Path.GetFullPath(call.StoreFolder), cancelled).Where(j => IsSame(j.Record.Path, Path.GetFullPath(call.Pipeline)))];

    /// <summary>Whether two paths lead to one file: homes of clusters are links.</summary>
    private static bool IsSame(string path, string other) =>
        path == other || (FileIdentity.TryOf(path, out var one) && FileIdentity.TryOf(other, out var two) && (one.Device, one.Inode) == (two.Device, two.Inode));

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Signal(int process, int signal);
}

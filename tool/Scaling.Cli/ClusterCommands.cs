// attach and cancel: what runs of a pipeline in jobs, whoever submitted it.
using System.Runtime.InteropServices;
using Scaling.Engine;
using Scaling.Engine.Execution;
using Scaling.Engine.Executors;
using Scaling.Engine.Executors.Slurm;
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
                "'dotnet scaling status' says what is missing, and 'dotnet scaling run' runs it; a run that used another store is found with --cache.");
        }

        var console = CommandConsole.Now;
        string[] sets = [.. jobs[^1].Record.Overrides];
        if (call.Sets.Count == 0 && sets.Length > 0)
        {
            console.Say($"As it was run: {string.Join(' ', sets.Select(s => $"--set {s}"))}");
        }

        return RunCommand.Run(call with { LeavesJobs = true, AttachedSets = call.Sets.Count == 0 ? sets : null, AttachedExecutor = call.Executor ?? ExecutorKind.Slurm });
    }

    /// <summary>Cancels the jobs of a pipeline, and ends the runs on this machine that wait for them.</summary>
    public static async Task<int> Cancel(Commands.Invocation call)
    {
        var console = CommandConsole.Now;
        var jobs = JobsOf(call, cancelled: true);
        var commands = new SlurmCommands(new SlurmPace().Command);
        foreach (var (folder, _) in jobs)
        {
            folder.Cancel(call.PipelinePath!); // Before any ends: a controller that sees one end shall know why.
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
        foreach (string runner in new RunHistory(store, call.PipelinePath!) { LeavesDamage = true }.Runners)
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
        [.. JobFolder.Open(Path.GetFullPath(call.StoreFolder), cancelled).Where(j => j.Record.Path == Path.GetFullPath(call.Pipeline))];

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Signal(int process, int signal);
}

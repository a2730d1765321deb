// task: what a job of a cluster runs on a node. Not for people: its script types it.
using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using Scaling.Engine.Executors.Slurm;
using Scaling.Engine.Planning;
using Scaling.Engine.Workers;

namespace Scaling.Cli;

internal static class TaskCommand
{
    private const PosixSignal TimeRunsOut = (PosixSignal)10; // SIGUSR1, which Slurm sends before the limit.

    public static async Task<int> Run(string folder, string store)
    {
        CommandConsole.Choose([]);
        using var stop = new CancellationTokenSource();
        bool late = false;
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop); // Slurm may send it more than once.
        using var notice = PosixSignalRegistration.Create(TimeRunsOut, Stop);
        try
        {
            var task = TaskIdentity.Of(Environment.GetEnvironmentVariable) ?? throw new UsageException("SCAL1086", "This is no job of Slurm.", "'task' is for the scripts of jobs; a plan's actions are executed anywhere by 'dotnet scaling execute'.");
            var job = new JobFolder(folder);
            var console = CommandConsole.For(moves: false);
            console.Say($"Job {task.Job}, task {task.Index}{(task.Restart > 0 ? $", begun anew for the {task.Restart}. time" : "")}, on {task.Node}, process {Environment.ProcessId}.");
            using var session = Session.Open(store, console);
            session.DemandStore();
            return await new TaskRun(session.Store, job, task, TimeProvider.System).Run((keys, sideBySide) => Execute(session, job, task, keys, sideBySide, console, stop.Token), () => late, console.Say).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            return Commands.Report(e, stop.IsCancellationRequested);
        }

        void Stop(PosixSignalContext signal)
        {
            signal.Cancel = true;
            late |= signal.Signal == TimeRunsOut;
            if (!stop.IsCancellationRequested)
            {
                CommandConsole.Now.Say(signal.Signal == TimeRunsOut ? "Its time is running out; stopping." : $"Stopping on {signal.Signal}.");
            }

            stop.Cancel();
        }
    }

    private static async Task<IReadOnlyDictionary<string, ActionResult>> Execute(Session session, JobFolder job, TaskIdentity task, IReadOnlyList<string> keys, int sideBySide, ICommandConsole console, CancellationToken stop)
    {
        var progress = new TaskProgress(job, task, TimeProvider.System);
        var plan = FrozenPlan.Read(job.PlanPath);
        var frozen = plan.Stages[0];
        var mine = keys.ToHashSet(StringComparer.Ordinal);
        var results = new ConcurrentDictionary<string, ActionResult>();
        await new PlanExecution(session, plan, frozen, console) { Heard = progress.Hear, IsRun = false }.Execute([.. frozen.Actions.Where(a => mine.Contains(a.Key)).Select(frozen.Spec)], sideBySide, (stage, action, result) =>
        {
            results[action.Key] = result;
            PlanExecution.Tell(console, stage, action, result);
        }, stop).ConfigureAwait(false);
        return results;
    }
}

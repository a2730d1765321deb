// run --detach: the same command in a session of its own, which outlives the terminal.
using System.Diagnostics;
using System.Text.Json.Nodes;
using Scaling.Engine;
using Scaling.Engine.Execution;
using Scaling.Engine.Store;

namespace Scaling.Cli;

internal static class Detached
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    /// <summary>Starts it, and returns when it is at work, or has ended.</summary>
    /// <param name="call">Checked before: what is wrong with the pipeline has been said.</param>
    /// <param name="arguments">The command line without <c>--detach</c>.</param>
    /// <returns>The exit code.</returns>
    public static async Task<int> Start(Commands.Invocation call, IReadOnlyList<string> arguments)
    {
        string pipeline = Path.GetFullPath(call.Pipeline);
        using var store = ContentStore.Open(call.StoreFolder, CommandConsole.Now.FoundDamage);
        string log = Path.Combine(store.Root, "runs", $"{Path.GetFileNameWithoutExtension(pipeline)}.{store.Now:yyyyMMdd-HHmmss}.{Environment.ProcessId}.log");
        Directory.CreateDirectory(Path.GetDirectoryName(log)!);
        var host = ToolHost.Current;
        foreach (string other in new RunHistory(store, pipeline) { LeavesDamage = true }.Runners)
        {
            CommandConsole.Now.Say($"{other} runs it already; this run goes on beside it, with the same jobs.");
        }

        var start = new ProcessStartInfo("/bin/sh", ["-c", "exec setsid \"$@\" </dev/null >>\"$0\" 2>&1", log, host.Program, .. host.Arguments, .. arguments]) { UseShellExecute = false };
        using var process = Process.Start(start)!;
        var history = new RunHistory(store, pipeline) { LeavesDamage = true };
        string me = $"process {process.Id} on {Environment.MachineName}";
        for (long since = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(since) < Patience && !process.HasExited && !history.Runners.Contains(me);)
        {
            await Task.Delay(100).ConfigureAwait(false);
        }

        if (process.HasExited && process.ExitCode != ExitCode.Done)
        {
            Console.Error.Write(File.ReadAllText(log));
            return process.ExitCode;
        }

        CommandConsole.Now.Say(process.HasExited ? $"It is done already. What it said: {log}" : $"{me} runs it. What it says: {log}");
        if (call.Json)
        {
            JsonText.PrintLine("scaling.detached/1", new JsonObject { ["path"] = pipeline, ["process"] = process.Id, ["host"] = Environment.MachineName, ["log"] = log });
        }

        string said = string.Concat(call.Sets.Select(s => $" --set '{s}'")) + (call.NamedStore is { } named ? $" --cache {named}" : "");
        CommandConsole.Now.Say($"dotnet scaling status {call.Pipeline}{said}    how far it is; 'attach' goes on where that process does not, 'cancel' ends it");
        return ExitCode.Done;
    }
}

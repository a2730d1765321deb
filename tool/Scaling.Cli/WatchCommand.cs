// check --watch: checks again whenever the pipeline file, or a file that it names, has changed.
using System.Diagnostics;
using Scaling.Sdk;

namespace Scaling.Cli;

internal static class WatchCommand
{
    /// <summary>How often files are looked at. Longer where a look is slow: it takes a twentieth of the time at most.</summary>
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(400);

    /// <summary>Editors write in pieces: no longer changing for so long is done.</summary>
    private static readonly TimeSpan Settled = TimeSpan.FromMilliseconds(150);

    /// <summary>What always changes, such as a log, is not waited for.</summary>
    private const int MostUnsettled = 20;

    /// <summary>Ends when it is interrupted, with the exit code of that.</summary>
    public static async Task<int> Run(Commands.Invocation call)
    {
        string file = call.Pipeline;
        CommandConsole.Now.Say($"Watching {file} and the files that it names. Ctrl-C ends it.");
        while (true)
        {
            string seen = WatchedFiles.Look(file);
            await CheckOnce(call, file).ConfigureAwait(false);
            await Change(file, seen, call.Stop).ConfigureAwait(false);
        }
    }

    /// <summary>What is wrong stands above the line that counts it, so that the last line is how things are now.</summary>
    private static async Task CheckOnce(Commands.Invocation call, string file)
    {
        string outcome;
        try
        {
            outcome = await LookCommands.NothingFound(call, file).ConfigureAwait(false);
        }
        catch (Exception e) when (e is not UsageException and not OperationCanceledException)
        {
            var findings = Commands.Findings(e);
            Session.Print(findings);
            int errors = findings.Count(f => f.Severity == Severity.Error);
            outcome = $"{file}: {errors} {(errors == 1 ? "finding" : "findings")}.";
        }

        Console.Out.WriteLine($"{TimeProvider.System.GetLocalNow():HH:mm:ss} {outcome}");
    }

    /// <summary>Waits until something has changed and has come to rest.</summary>
    private static async Task Change(string file, string seen, CancellationToken stop)
    {
        string now = seen;
        while (now == seen)
        {
            long begun = Stopwatch.GetTimestamp();
            now = WatchedFiles.Look(file);
            var pause = Stopwatch.GetElapsedTime(begun) * 20;
            await Task.Delay(now != seen || pause < Interval ? Interval : pause, stop).ConfigureAwait(false);
        }

        for (int i = 0; i < MostUnsettled; i++)
        {
            string before = now;
            await Task.Delay(Settled, stop).ConfigureAwait(false);
            now = WatchedFiles.Look(file);
            if (now == before)
            {
                return;
            }
        }
    }
}

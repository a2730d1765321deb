// logs: what the actions of a stage last printed.
using System.Text.Json.Nodes;
using Scaling.Engine.Execution;
using Scaling.Engine.Planning;
using Scaling.Engine.Store;
using Scaling.Sdk;

namespace Scaling.Cli;

internal static class LogsCommand
{
    private static readonly TimeSpan FollowInterval = TimeSpan.FromMilliseconds(250);

    /// <summary>A log that is there.</summary>
    private sealed record Log(FoundAction Action, ActionState State, string Path, long Bytes, DateTimeOffset Written);

    public static Task<int> Run(Commands.Invocation call) => LookCommands.WithPipeline(call, async (session, pipeline, console) =>
    {
        var actions = await StageActions.Of(call, session, pipeline, console).ConfigureAwait(false);
        var logs = Logs(call.Target, actions, session.Store);
        if (call.Json)
        {
            JsonText.Print("scaling.logs/1", pipeline, Answer(actions.Stage, logs));
            return ExitCode.Done;
        }

        bool named = call.Target.Contains('@', StringComparison.Ordinal);
        if (call.Follow)
        {
            await Follow(OneToFollow(call, actions, logs, session.Store), session.Store, call.Stop).ConfigureAwait(false);
        }
        else if (logs.Count == 0)
        {
            string batch = actions.Stage.Declaration.FanOut?.Mode == FanOutMode.Batch && named ? " The rows of its batch print into one log, that of the first." : "";
            throw new UsageException("SCAL1052", $"{call.Target} has printed nothing.{batch}", named ? $"'dotnet scaling logs {actions.Stage.Id} {call.Pipeline}' lists what there is." : "What it found stands where it ran, and 'status' tells how that ended.");
        }
        else if (logs is [var only] && (named || !actions.FansOut))
        {
            using var output = Console.OpenStandardOutput();
            using var log = Open(only.Path);
            await log.CopyToAsync(output, call.Stop).ConfigureAwait(false);
        }
        else
        {
            foreach (var log in logs)
            {
                Console.Out.WriteLine(FormattableString.Invariant($"{Word(log.State),-9} {ByteCount.Text(log.Bytes),8}  {log.Written.UtcDateTime:yyyy-MM-dd HH:mm:ss}Z  {log.Action.Name}"));
            }
        }

        return ExitCode.Done;
    });

    /// <summary>What is not done first, then what runs; in each the newest first. Of a row that has another key now and no log yet, the log of the last run.</summary>
    private static IReadOnlyList<Log> Logs(string target, StageActions actions, ContentStore store)
    {
        var printed = new List<Log>();
        var known = actions.Now.Concat(actions.Before.Where(b => actions.Now.All(n => n.Key != b.Key)));
        foreach (var action in actions.Named(target, [.. known]))
        {
            if (new FileInfo(store.LogPath(action.Key)) is { Exists: true, Length: > 0 } file && printed.TrueForAll(p => p.Action.Name != action.Name))
            {
                printed.Add(new Log(action, StageActions.State(store, action.Key), file.FullName, file.Length, file.LastWriteTimeUtc));
            }
        }

        return [.. printed.OrderByDescending(l => l.State).ThenByDescending(l => l.Written).ThenBy(l => l.Action.Name, StringComparer.Ordinal)];
    }

    private static FoundAction OneToFollow(Commands.Invocation call, StageActions actions, IReadOnlyList<Log> logs, ContentStore store)
    {
        FoundAction[] candidates = [.. actions.Named(call.Target, actions.Now.Count > 0 ? actions.Now : actions.Before)];
        FoundAction[] running = [.. candidates.Where(a => StageActions.State(store, a.Key) == ActionState.Running)];
        return (running, candidates, logs) switch
        {
            ([var one], _, _) => one,
            (_, [var one], _) => one,
            ([], _, [var log]) => log.Action,
            _ => throw new UsageException("SCAL1053", $"--follow takes one action, and {call.Target} names {candidates.Length}{(running.Length > 0 ? $", of which {running.Length} run" : "")}.", $"Name one, for example {actions.Stage.Id}@{(running.Length > 0 ? running : candidates)[0].Name}."),
        };
    }

    /// <summary>Prints what is there and what comes, until the action has ended; one that has not begun is waited for.</summary>
    private static async Task Follow(FoundAction action, ContentStore store, CancellationToken stop)
    {
        using var output = Console.OpenStandardOutput();
        long at = 0;
        bool begun = store.Read(action.Key) is not null || File.Exists(store.LogPath(action.Key)); // Of one that failed, its log is what is left.
        while (true)
        {
            bool running = StageActions.State(store, action.Key) == ActionState.Running;
            begun |= running;
            at = await CopyFrom(at).ConfigureAwait(false);
            if (begun && !running)
            {
                return;
            }

            await Task.Delay(FollowInterval, stop).ConfigureAwait(false);
        }

        async Task<long> CopyFrom(long position)
        {
            string path = store.LogPath(action.Key);
            if (!File.Exists(path))
            {
                return 0;
            }

            using var log = Open(path);
            log.Position = position <= log.Length ? position : 0; // It was begun again.
            await log.CopyToAsync(output, stop).ConfigureAwait(false);
            await output.FlushAsync(stop).ConfigureAwait(false);
            return log.Position;
        }
    }

    private static FileStream Open(string path) => new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);

    private static JsonObject Answer(StageNode stage, IReadOnlyList<Log> logs) => new()
    {
        ["stage"] = stage.Id,
        ["logs"] = new JsonArray([.. logs.Select(l => JsonText.WithoutNulls(new JsonObject
        {
            ["point"] = l.Action.Point, ["prepares"] = l.Action.Prepares ? true : null, ["key"] = l.Action.Key, ["state"] = Word(l.State).Replace(' ', '_'), ["bytes"] = l.Bytes,
            ["written"] = JsonText.Of(l.Written), ["path"] = l.Path,
        }))]),
    };

    private static string Word(ActionState state) => state switch
    {
        ActionState.Done => "done",
        ActionState.Running => "running",
        _ => "not done",
    };
}

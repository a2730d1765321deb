// verify: whether what a pipeline's stages gave is whole, and whether it can be repeated.
using System.Text.Json.Nodes;
using Scaling.Engine.Execution;
using Scaling.Engine.Planning;
using Scaling.Engine.Store;
using Scaling.Sdk;

namespace Scaling.Cli;

internal static class VerifyCommand
{
    public static Task<int> Run(Commands.Invocation call) => LookCommands.WithPipeline(call, async (session, pipeline, console) =>
    {
        int count = call.ReplayCount;
        var ahead = await new Outlook(pipeline, session.Store, session.Workers, console, session.Code).Look(call.Stop).ConfigureAwait(false);
        int missing = ahead.Sum(a => a.Missing.Count);
        int open = ahead.Count(a => a.Outlook == StageOutlook.Depends);
        var replays = new List<Replay>();
        if (count > 0)
        {
            using var replayer = new Replayer(session.Store, Scaling.Engine.Workers.WorkerCommand.OfThisTool, session.Code, console);
            await foreach (var replay in replayer.Replay(ahead, count, call.Seed, call.Stop).ConfigureAwait(false))
            {
                replays.Add(replay);
                if (!call.Json)
                {
                    Console.Out.WriteLine($"{replay.Name,-30} {replay.Verdict.InWords(),-14} {replay.Detail}".TrimEnd());
                }
            }
        }

        call.Stop.ThrowIfCancellationRequested();
        int elsewhere = ahead.Sum(a => a.Plan?.Actions.Count(action => session.Store.IsElsewhere(action.Key, a.Result?.Collection)) ?? 0);
        string[] damaged = [.. Damaged(ahead, session.Store)];
        int present = ahead.Sum(a => (a.Plan?.Actions.Count ?? 0) - a.Missing.Count) - damaged.Length - elsewhere;
        Diagnostic[] findings =
        [
            .. damaged.Select(name => new Diagnostic("SCAL3032", $"The entry of {name} is damaged or gone, and the table that its stage gave still tells of it.") { Hint = "'dotnet scaling run --from STAGE' makes it again." }),
            .. replays.Where(r => r.Verdict is ReplayVerdict.Differs or ReplayVerdict.Failed).Select(Finding),
        ];
        int exit = findings.Length == 0 ? ExitCode.Done : ExitCode.Of(findings, ExitCode.StageFailed);
        if (call.Json)
        {
            JsonText.Print("scaling.verify/1", pipeline, new JsonObject
            {
                ["exit_code"] = exit,
                ["present"] = present,
                ["damaged"] = JsonText.Of(damaged),
                ["elsewhere"] = elsewhere,
                ["missing"] = missing,
                ["unknown_stages"] = open,
                ["replays"] = new JsonArray([.. replays.Select(ToJson)]),
            });
        }
        else
        {
            Console.Out.WriteLine($"{present} {(present == 1 ? "action is" : "actions are")} whole in the store{(elsewhere == 0 ? "" : $"; {elsewhere} {(elsewhere == 1 ? "is" : "are")} only in the remote that the tables of {(elsewhere == 1 ? "its row" : "their rows")} were brought from")}{(missing + open == 0 ? "." : $"; {missing} {(missing == 1 ? "is" : "are")} not there{(open > 0 ? $", and {open} {(open == 1 ? "stage" : "stages")} after them" : "")}: 'dotnet scaling run' makes them.")}");
        }

        Session.Print(findings);
        return exit;
    });

    /// <summary>Rows whose entries cannot be found, though the collection of their stage can: planning does not look at those. Rows that never came are no damage.</summary>
    private static IEnumerable<string> Damaged(IReadOnlyList<StageAhead> ahead, ContentStore store)
    {
        foreach (var stage in ahead.Where(a => a.Plan is not null))
        {
            var missing = stage.Missing.Select(m => m.Key).ToHashSet(StringComparer.Ordinal);
            foreach (var action in stage.Plan!.Actions.Where(a => !missing.Contains(a.Key) && !store.IsElsewhere(a.Key, stage.Result?.Collection) && store.Find(a.Key) is null))
            {
                yield return action.Point is null ? stage.Stage.Id : $"{stage.Stage.Id}@{action.Point}";
            }
        }
    }

    private static Diagnostic Finding(Replay replay) => replay.Verdict == ReplayVerdict.Failed
        ? new Diagnostic("SCAL3031", $"{replay.Name} failed when it was repeated: {replay.Detail}") { Location = replay.Stage.Location }
        : new Diagnostic("SCAL3030", $"{replay.Name} gave other files when it was repeated, though '{replay.Stage.Declaration.Type}' is declared {replay.Stage.Declaration.Determinism.ToString().ToLowerInvariant()}: {replay.Detail}.")
        {
            Location = replay.Stage.Location, Hint = "A stage that cannot be repeated has to declare that; or this machine computes otherwise than the one that published.",
        };

    private static JsonObject ToJson(Replay replay) => new()
    {
        ["stage"] = replay.Stage.Id,
        ["point"] = replay.Point,
        ["key"] = replay.Key,
        ["determinism"] = replay.Stage.Declaration.Determinism.ToString().ToLowerInvariant(),
        ["verdict"] = replay.Verdict.InWords().Replace(' ', '_'),
        ["detail"] = replay.Detail.Length > 0 ? replay.Detail : null,
    };
}

// verify: whether what a pipeline's stages gave is whole, and whether it can be repeated.
using System.Text.Json.Nodes;
using Scaling.Engine.Execution;
using Scaling.Engine.Planning;
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

        var findings = replays.Where(r => r.Verdict is ReplayVerdict.Differs or ReplayVerdict.Failed).Select(Finding).ToList();
        if (call.Json)
        {
            JsonText.Print("scaling.verify/1", ToJson(ahead, missing, open, replays));
        }
        else
        {
            int whole = ahead.Sum(a => (a.Plan?.Actions.Count ?? 0) - a.Missing.Count);
            Console.Out.WriteLine($"{whole} {(whole == 1 ? "action is" : "actions are")} whole in the store{(missing + open == 0 ? "." : $"; {missing} {(missing == 1 ? "is" : "are")} not there{(open > 0 ? $", and {open} {(open == 1 ? "stage" : "stages")} after them" : "")}: 'dotnet scaling run' makes them.")}");
        }

        Session.Print(findings);
        return findings.Count == 0 ? ExitCode.Done : ExitCode.Of(findings, ExitCode.StageFailed);
    });

    private static Diagnostic Finding(Replay replay) => replay.Verdict == ReplayVerdict.Failed
        ? new Diagnostic("SCAL3031", $"{replay.Name} failed when it was repeated: {replay.Detail}") { Location = replay.Stage.Location }
        : new Diagnostic("SCAL3030", $"{replay.Name} gave other bytes when it was repeated, though '{replay.Stage.Declaration.Type}' is declared exact: {replay.Detail}.")
        {
            Location = replay.Stage.Location, Hint = "A stage that cannot be repeated has to declare that; or this machine computes otherwise than the one that published.",
        };

    private static JsonObject ToJson(IReadOnlyList<StageAhead> ahead, int missing, int open, List<Replay> replays) => new()
    {
        ["whole"] = ahead.Sum(a => (a.Plan?.Actions.Count ?? 0) - a.Missing.Count),
        ["missing"] = missing,
        ["unknown_stages"] = open,
        ["replays"] = new JsonArray([.. replays.Select(r => new JsonObject
        {
            ["stage"] = r.Stage.Id, ["point"] = r.Point, ["key"] = r.Key, ["determinism"] = r.Stage.Declaration.Determinism.ToString().ToLowerInvariant(), ["verdict"] = r.Verdict.InWords(), ["detail"] = r.Detail,
        })]),
    };
}

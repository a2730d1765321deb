// plan, why, check, graph, schema: they look and change nothing.
using System.Text.Json;
using System.Text.Json.Nodes;
using Scaling.Engine.Execution;
using Scaling.Engine.Pipelines;
using Scaling.Engine.Planning;
using Scaling.Engine.Workers;
using Scaling.Sdk;

namespace Scaling.Cli;

internal static class LookCommands
{
    /// <summary>Also what <c>check</c> answers where the pipeline is refused.</summary>
    public const string CheckSchema = "scaling.check/1";

    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true, Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static Task<int> Plan(Commands.Invocation call) => WithPipeline(call, async (session, pipeline, console) =>
    {
        var target = call.PriceTarget;
        var prices = new List<PricedQuantity>();
        var ahead = await new Outlook(pipeline, session.Store, session.Workers, console, session.Code).Look(call.Stop).ConfigureAwait(false);
        foreach (var stage in ahead)
        {
            Console.Out.WriteLine($"{stage.Stage.Id,-10} {stage.Stage.Declaration.Type,-12} {Outlook(stage)}");
            foreach (string reason in stage.Outlook == StageOutlook.Depends ? [] : stage.Reasons)
            {
                Console.Out.WriteLine($"{"",-24}{reason}");
            }

            if (target is not null && stage.Missing.Count > 0)
            {
                var price = await Priced(session, stage, target, call.Stop).ConfigureAwait(false);
                PriceText.Lines(price).ForEach(line => Console.Out.WriteLine($"{"",-24}{line}"));
                prices.AddRange(price);
            }
        }

        int run = ahead.Sum(a => a.Missing.Count);
        int open = ahead.Count(a => a.Outlook == StageOutlook.Depends);
        Console.Out.WriteLine(run + open == 0 ? "Nothing to do." : $"To run: {run} {(run == 1 ? "action" : "actions")}{(open > 0 ? $", and what {open} {(open == 1 ? "stage" : "stages")} after them will need" : "")}.");
        if (target is not null)
        {
            Console.Out.WriteLine(prices.Count == 0 ? "Nothing of it has a price." : FormattableString.Invariant($"Price on {target.Device} at {target.Utilisation:0.##} of its peak:"));
            PriceText.Lines(Prices.Combined(prices)).ForEach(line => Console.Out.WriteLine($"  {line}"));
        }

        return ExitCode.Done;
    }, withoutFiles: call.PriceTarget is null ? null : finding => Session.Print([finding]));

    /// <summary>What the missing actions of a stage cost; a device that it does not know is a mistake on the command line.</summary>
    private static async Task<IReadOnlyList<PricedQuantity>> Priced(Session session, StageAhead stage, PriceTarget target, CancellationToken stop)
    {
        try
        {
            var actions = await session.Code.Ready(stage.Stage.Type, stage.Missing, stop).ConfigureAwait(false);
            return await session.Workers.Price(actions, target).ConfigureAwait(false);
        }
        catch (StageFailedException e)
        {
            throw new UsageException(e.Diagnostics[0].Code, e.Diagnostics[0].Message, e.Diagnostics[0].Hint);
        }
    }

    public static Task<int> Why(Commands.Invocation call) => WithPipeline(call, async (session, pipeline, console) =>
    {
        string[] target = call.Target.Split('@', 2);
        if (pipeline.Stages.All(s => s.Id != target[0]))
        {
            string[] ids = [.. pipeline.Stages.Select(s => s.Id)];
            throw new UsageException("SCAL1004", $"There is no stage '{target[0]}'. There are: {string.Join(", ", ids)}.", NearestSpelling.Hint(target[0], ids));
        }

        var ahead = await new Outlook(pipeline, session.Store, session.Workers, console, session.Code).Look(call.Stop).ConfigureAwait(false);
        var stage = ahead.First(a => a.Stage.Id == target[0]);
        var explainer = new Explainer(session.Store, new RunHistory(session.Store, pipeline.Path).Last, pipeline);
        if (target is [_, var point])
        {
            return WhyPoint(stage, point, explainer);
        }

        Console.Out.WriteLine($"{stage.Stage.Id} ({stage.Stage.Declaration.Type}): {Outlook(stage)}");
        foreach (string reason in stage.Reasons)
        {
            Console.Out.WriteLine($"  {reason}");
        }

        if (stage.Outlook == StageOutlook.Done && explainer.Recorded(stage.Stage) is { } recorded)
        {
            // Planning has executed an enumerating stage, and another pipeline or run may have executed any.
            var known = recorded.Actions.Select(a => a.Key).ToHashSet();
            var changed = explainer.Why(stage.Plan!, [.. stage.Plan!.Actions.Where(a => !known.Contains(a.Key))]);
            PrintUnder("Since the last run of this pipeline:", changed);
            PrintUnder("When it last ran, that was because:", changed.Count > 0 ? [] : recorded.Reasons);
        }

        return ExitCode.Done;
    });

    private static void PrintUnder(string head, IReadOnlyList<string> reasons)
    {
        foreach (string line in reasons.Count == 0 ? [] : reasons.Prepend(head))
        {
            Console.Out.WriteLine($"  {line}");
        }
    }

    public static Task<int> Check(Commands.Invocation call) => WithPipeline(call, (_, pipeline, _) =>
    {
        if (call.Json)
        {
            JsonAnswer.Print(CheckSchema, new JsonObject
            {
                ["pipeline"] = pipeline.Name, ["file"] = call.Pipeline, ["exit_code"] = ExitCode.Done, ["findings"] = new JsonArray(),
                ["stages"] = new JsonArray([.. pipeline.Stages.Select(s => new JsonObject { ["id"] = s.Id, ["uses"] = s.Declaration.Type })]),
            });
        }
        else
        {
            Console.Out.WriteLine($"{call.Pipeline}: {pipeline.Stages.Count} {(pipeline.Stages.Count == 1 ? "stage" : "stages")}, no findings.");
        }

        return Task.FromResult(ExitCode.Done);
    });

    public static Task<int> Graph(Commands.Invocation call)
    {
        string[] formats = ["mermaid", "dot", "json"];
        if (!formats.Contains(call.GraphFormat))
        {
            throw new UsageException("SCAL1005", $"--format takes {string.Join(", ", formats)}, found '{call.GraphFormat}'.", NearestSpelling.Hint(call.GraphFormat, formats));
        }

        return WithPipeline(call, (_, pipeline, _) =>
        {
            if (call.GraphFormat == "json")
            {
                JsonAnswer.Print("scaling.graph/1", PipelineGraph.Json(pipeline));
            }
            else
            {
                Console.Out.WriteLine(call.GraphFormat == "dot" ? PipelineGraph.Dot(pipeline) : PipelineGraph.Mermaid(pipeline));
            }

            return Task.FromResult(ExitCode.Done);
        });
    }

    public static async Task<int> Schema(Commands.Invocation call)
    {
        if (call.PipelineOrNone is not { } file)
        {
            Console.Out.WriteLine(await SchemaText(call.StoreFolder).ConfigureAwait(false));
            return ExitCode.Done;
        }

        var open = await Session.Open(file, call.StoreFolder, Quiet(), call.LockUse).ConfigureAwait(false);
        using var session = open.Session;
        Console.Out.WriteLine(await SchemaText(session, open.Pipeline.Stages.Select(s => s.Type.Descriptor)).ConfigureAwait(false));
        return ExitCode.Done;
    }

    /// <summary>The schema of pipelines of built-in stages.</summary>
    public static async Task<string> SchemaText(string storeFolder)
    {
        using var session = Session.Open(storeFolder, Quiet());
        return await SchemaText(session, []).ConfigureAwait(false);
    }

    private static async Task<string> SchemaText(Session session, IEnumerable<StageDescriptor> used)
    {
        var builtIn = new List<StageDescriptor>();
        foreach (string type in session.Catalog.BuiltIn)
        {
            builtIn.AddRange((await session.Catalog.DescribeBuiltIn(type).ConfigureAwait(false)).Select(t => t.Descriptor));
        }

        StageDescriptor[] all = [.. builtIn, .. used.Where(u => builtIn.TrueForAll(b => b.Declaration.Type != u.Declaration.Type)).DistinctBy(u => u.Declaration.Type)];
        return PipelineSchema.For(all).ToJsonString(Indented);
    }

    /// <summary>Opens a pipeline and looks at it.</summary>
    public static async Task<int> WithPipeline(Commands.Invocation call, Func<Session, Pipeline, IRunObserver, Task<int>> look, Action<Diagnostic>? withoutFiles = null)
    {
        var console = Quiet();
        var open = await Session.Open(call.Pipeline, call.StoreFolder, console, call.LockUse, withoutFiles).ConfigureAwait(false);
        using var session = open.Session;
        return await look(session, open.Pipeline, console).ConfigureAwait(false);
    }

    private static ICommandConsole Quiet() => CommandConsole.New(moves: false);

    private static string Outlook(StageAhead stage) => stage switch
    {
        { Outlook: StageOutlook.Depends } => "not known yet: " + string.Join("; ", stage.Reasons),
        { Outlook: StageOutlook.Done, Plan.FansOut: true } => $"nothing to do, {stage.Plan.Actions.Count} actions cached",
        { Outlook: StageOutlook.Done } => "nothing to do, cached",
        { Plan.FansOut: true } => $"{stage.Missing.Count} of {stage.Plan.Actions.Count} actions to run",
        _ => "to run",
    };

    private static int WhyPoint(StageAhead stage, string point, Explainer explainer)
    {
        var points = stage.Plan?.Actions.Where(a => a.Point?.StartsWith(point, StringComparison.Ordinal) ?? false).ToArray() ?? [];
        if (stage.Plan is { } plan && points.Length == 0)
        {
            throw new UsageException("SCAL1006", $"The stage '{stage.Stage.Id}' has no row '{point}'. Its rows begin: {string.Join(", ", plan.Actions.Take(5).Select(a => a.Point ?? "(it has no rows)"))}.");
        }

        foreach (var action in points)
        {
            var reasons = stage.Missing.Contains(action) ? explainer.Why(stage.Plan!, action) : ["nothing to do, cached"];
            Console.Out.WriteLine($"{stage.Stage.Id}@{action.Point} {action.Key[..12]}: {string.Join("; ", reasons)}");
        }

        if (stage.Plan is null)
        {
            Console.Out.WriteLine($"{stage.Stage.Id}: {Outlook(stage)}");
        }

        return ExitCode.Done;
    }
}

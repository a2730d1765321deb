// check, graph, schema: they look and change nothing.
using System.Text.Json.Nodes;
using Scaling.Engine.Execution;
using Scaling.Engine.Pipelines;
using Scaling.Engine.Planning;
using Scaling.Sdk;

namespace Scaling.Cli;

internal static class LookCommands
{
    /// <summary>Also what <c>check</c> answers where the pipeline is refused.</summary>
    public const string CheckSchema = "scaling.check/1";

    public static Task<int> Check(Commands.Invocation call) => call.Watch ? WatchCommand.Run(call) : call.Json ? WithPipeline(call, (_, pipeline, _) =>
    {
        JsonText.Print(CheckSchema, pipeline, new JsonObject
        {
            ["exit_code"] = ExitCode.Done, ["findings"] = JsonText.Of(pipeline.Warnings),
            ["stages"] = new JsonArray([.. pipeline.Stages.Select(s => new JsonObject { ["id"] = s.Id, ["uses"] = s.Declaration.Type })]),
        });
        return Task.FromResult(ExitCode.Done);
    }) : CheckForPeople(call);

    private static async Task<int> CheckForPeople(Commands.Invocation call)
    {
        Console.Out.WriteLine(await NothingFound(call, call.Pipeline).ConfigureAwait(false));
        return ExitCode.Done;
    }

    /// <summary>Checks a pipeline, prints what it is warned of, and says that nothing else was found.</summary>
    /// <exception cref="PipelineRefusedException">Something was.</exception>
    public static async Task<string> NothingFound(Commands.Invocation call, string file)
    {
        string said = "";
        await WithPipeline(call, (_, pipeline, _) =>
        {
            Session.Print(pipeline.Warnings);
            string found = pipeline.Warnings.Count switch { 0 => "no findings", 1 => "1 warning", var some => $"{some} warnings" };
            said = $"{file}: {pipeline.Stages.Count} {(pipeline.Stages.Count == 1 ? "stage" : "stages")}, {found}.";
            return Task.FromResult(ExitCode.Done);
        }).ConfigureAwait(false);
        return said;
    }

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
                JsonText.Print("scaling.graph/1", pipeline, PipelineGraph.Json(pipeline));
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
        Console.Out.WriteLine(SchemaText(await Stages(call).ConfigureAwait(false)));
        return ExitCode.Done;
    }

    /// <summary>The schema of pipelines of built-in stages.</summary>
    public static async Task<string> SchemaText(string storeFolder)
    {
        using var session = Session.Open(storeFolder, Quiet());
        return SchemaText(await BuiltIn(session).ConfigureAwait(false));
    }

    /// <summary>The built-in stages, and those of the pipeline's plugins where one is named: of two of a name the pipeline's.</summary>
    public static async Task<IReadOnlyList<StageDescriptor>> Stages(Commands.Invocation call)
    {
        if (call.PipelineOrNone is not { } file)
        {
            using var alone = Session.Open(call.StoreFolder, Quiet());
            return await BuiltIn(alone).ConfigureAwait(false);
        }

        var open = await Session.Open(file, call.StoreFolder, Quiet(), call.LockUse).ConfigureAwait(false);
        using var session = open.Session;
        StageDescriptor[] used = [.. open.Pipeline.Stages.Select(s => s.Type.Descriptor).DistinctBy(d => d.Declaration.Type)];
        var builtIn = await BuiltIn(session).ConfigureAwait(false);
        return [.. builtIn.Select(b => Array.Find(used, u => u.Declaration.Type == b.Declaration.Type) ?? b), .. used.Where(u => builtIn.All(b => b.Declaration.Type != u.Declaration.Type))];
    }

    private static string SchemaText(IReadOnlyList<StageDescriptor> stages) => PipelineSchema.For(stages).ToJsonString(JsonText.Indented);

    private static async Task<IReadOnlyList<StageDescriptor>> BuiltIn(Session session)
    {
        var builtIn = new List<StageDescriptor>();
        foreach (string type in session.Catalog.BuiltIn)
        {
            builtIn.AddRange((await session.Catalog.DescribeBuiltIn(type).ConfigureAwait(false)).Select(t => t.Descriptor));
        }

        return builtIn;
    }

    /// <summary>Opens the pipeline of a call, looks, and closes it.</summary>
    public static async Task<int> WithPipeline(Commands.Invocation call, Func<Session, Pipeline, IRunObserver, Task<int>> look, Action<Diagnostic>? withoutFiles = null)
    {
        var console = Quiet();
        var open = await Session.Open(call.Pipeline, call.StoreFolder, console, call.LockUse, call.Sets, withoutFiles, call.Executor).ConfigureAwait(false);
        using var session = open.Session;
        return await look(session, open.Pipeline, console).ConfigureAwait(false);
    }

    private static ICommandConsole Quiet() => CommandConsole.For(moves: false);
}

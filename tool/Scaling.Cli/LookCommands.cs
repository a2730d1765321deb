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

    public static Task<int> Check(Commands.Invocation call) => WithPipeline(call, (_, pipeline, _) =>
    {
        if (call.Json)
        {
            JsonText.Print(CheckSchema, pipeline, new JsonObject
            {
                ["exit_code"] = ExitCode.Done, ["findings"] = new JsonArray(),
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
        return PipelineSchema.For(all).ToJsonString(JsonText.Indented);
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

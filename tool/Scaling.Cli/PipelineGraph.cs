// The stages of a pipeline and what flows between them, as text that other tools draw.
using System.Text;
using System.Text.Json.Nodes;
using Scaling.Engine.Planning;

namespace Scaling.Cli;

internal static class PipelineGraph
{
    public static string Mermaid(Pipeline pipeline)
    {
        var text = new StringBuilder("flowchart LR\n");
        foreach (var stage in pipeline.Stages)
        {
            text.Append($"  {stage.Id}[\"{stage.Id}<br/>{stage.Declaration.Type}\"]\n");
        }

        foreach (var (from, to, kinds) in Edges(pipeline))
        {
            text.Append($"  {from} -->|{string.Join(", ", kinds)}| {to}\n");
        }

        foreach (var (from, to, kinds) in Feedback(pipeline))
        {
            text.Append($"  {from} -.->|{string.Join(", ", kinds)}| {to}\n");
        }

        return text.ToString().TrimEnd();
    }

    public static string Dot(Pipeline pipeline)
    {
        var text = new StringBuilder($"digraph \"{pipeline.Name}\" {{\n  rankdir=LR;\n  node [shape=box];\n");
        foreach (var stage in pipeline.Stages)
        {
            text.Append($"  \"{stage.Id}\" [label=\"{stage.Id}\\n{stage.Declaration.Type}\"];\n");
        }

        foreach (var (from, to, kinds) in Edges(pipeline))
        {
            text.Append($"  \"{from}\" -> \"{to}\" [label=\"{string.Join(", ", kinds)}\"];\n");
        }

        foreach (var (from, to, kinds) in Feedback(pipeline))
        {
            text.Append($"  \"{from}\" -> \"{to}\" [label=\"{string.Join(", ", kinds)}\", style=dashed, constraint=false];\n");
        }

        return text.Append('}').ToString();
    }

    public static JsonObject Json(Pipeline pipeline) => new()
    {
        ["stages"] = new JsonArray([.. pipeline.Stages.Select(s => new JsonObject { ["id"] = s.Id, ["uses"] = s.Declaration.Type })]),
        ["edges"] = new JsonArray([.. Edges(pipeline).Select(e => Edge(e)), .. Feedback(pipeline).Select(e => Edge(e, feedback: true))]),
    };

    private static JsonObject Edge((string From, string To, string[] Kinds) edge, bool feedback = false) =>
        JsonText.WithoutNulls(new JsonObject { ["from"] = edge.From, ["to"] = edge.To, ["kinds"] = JsonText.Of(edge.Kinds), ["feedback"] = feedback ? true : null });

    /// <summary>What comes back, round by round; what a stage takes of itself goes without saying.</summary>
    private static IEnumerable<(string From, string To, string[] Kinds)> Feedback(Pipeline pipeline) =>
        pipeline.Stages.SelectMany(stage => stage.Feedback.Where(f => f.Stage != stage.Id).GroupBy(f => f.Stage).Select(group => (group.Key, stage.Id, (string[])[.. group.Select(f => f.Role.Kind).Distinct()])));

    private static IEnumerable<(string From, string To, string[] Kinds)> Edges(Pipeline pipeline) =>
        pipeline.Stages.SelectMany(stage => stage.Inputs.Where(i => i.Source is not null).GroupBy(i => i.Source!.Id)
            .Select(group => (group.Key, stage.Id, (string[])[.. group.Select(i => i.Role.Kind).Distinct()])));
}

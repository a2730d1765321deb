// 'executor:' and 'resources:' as an editor completes and checks them.
using System.Text.Json.Nodes;
using static Scaling.Engine.Pipelines.SchemaNodes;

namespace Scaling.Engine.Executors;

/// <summary>JSON schema of what <see cref="PlacementReader"/> accepts, as far as a schema can say.</summary>
internal static class PlacementSchema
{
    private const string Line = @"^\S(.*\S)?$";
    private const string Memory = @"^[0-9]+(\.[0-9]+)?([KMGTkmgt]i?)?$";
    private const string MemoryExpected = "Expected memory such as 32G or 500M, or a number of MiB.";
    private const string TimeExpected = "Expected a time such as 90s, 30m, 4h, 2d, or as Slurm writes it.";
    private const string Time = @"^(([0-9]+\.?[0-9]*|\.[0-9]+)[smhd]|[0-9]{1,4}:[0-9]{2}:[0-9]{2}|[0-9]{1,3}-[0-9]{1,2}(:[0-9]{2}){0,2})$";
    private const string Flag = "^(--[A-Za-z][A-Za-z0-9-]*(=.+)?|-[A-Za-z]([^\\s=].*)?)$";

    /// <summary>Schema of <c>executor:</c>.</summary>
    public static JsonObject Executor() => new()
    {
        ["description"] = "Where actions run: local, on this machine, or slurm, in jobs of a cluster. --executor local outdoes it. Default: local.",
        ["enum"] = new JsonArray([.. Placement.Executors.Keys.Select(k => (JsonNode)k)]),
    };

    /// <summary>Schema of <c>resources:</c>.</summary>
    public static JsonObject Resources() => new()
    {
        ["description"] = "What a task asks of a cluster. What is not said here the pipeline says, else the profile, else the site. It enters no key.",
        ["type"] = "object",
        ["properties"] = new JsonObject
        {
            ["partition"] = Text("Partition, or several with commas."),
            ["account"] = Text("Whom it is charged to."),
            ["qos"] = Text("Quality of service."),
            ["constraint"] = Text("Features of nodes, as Slurm reads them, for example a100|h100."),
            ["exclude"] = Text("Nodes to leave out, as Slurm lists them, for example n[7-9]."),
            ["gres"] = Text("Generic resources a node, for example gpu:h100:1."),
            ["nodes"] = Count("Nodes. More than one is for trainers of yours, which start themselves on the others."),
            ["tasks_per_node"] = Count("Tasks a node."),
            ["cpus"] = Count("Processors a task."),
            ["mem"] = Described("Memory a node: 32G, 500M (K, M, G and T count by 1024), or a number of MiB. Rounded up to MiB.", Refusing(MemoryExpected, AnyOf(new JsonObject { ["type"] = "integer", ["minimum"] = 1 }, Pattern(Memory, MemoryExpected)))),
            ["time"] = Described("Time limit: 30m, 4h, 2d, or as Slurm writes it 04:00:00, 2-12, 2-12:00:00. Slurm rounds it up to minutes.", Refusing(TimeExpected, Pattern(Time, TimeExpected))),
            ["pack"] = Count("Rows that one task of an array executes."),
            ["limit"] = Count("Tasks of one array that run at once."),
            ["flags"] = Described("More options of sbatch, each as --name=value, for example --reservation=maintenance.", AnyOf(Pattern(Flag, "Expected an option as --name=value."), new JsonObject { ["type"] = "array", ["items"] = Pattern(Flag, "Expected an option as --name=value.") })),
            ["wrap"] = Described("Words before the worker's command, for example [apptainer, exec, --nv, IMAGE].", new JsonObject { ["type"] = "array", ["items"] = Pattern(Line, "Expected a text.") }),
        },
        ["additionalProperties"] = false,
    };

    private static JsonObject Text(string description) => Described(description, Pattern(Line, "Expected a text."));

    private static JsonObject Count(string description) => Described(description, new JsonObject { ["type"] = "integer", ["minimum"] = 1 });
}

// What every command wants of the runtime, loaded on a second processor while the first reads the command line.
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Scaling.Engine.Pipelines;

namespace Scaling.Cli;

/// <summary>Half of what a command takes that finds nothing to do is loading: the cryptography of the system, the parsers of YAML and JSON. None of it waits for another.</summary>
internal static class Warmup
{
    /// <summary>Begins. Nobody waits for it, and it cannot fail a command.</summary>
    public static void Begin() => new Thread(Load) { IsBackground = true, Name = "warm-up" }.Start();

    private static void Load()
    {
        PipelineReader.Warm();
        SHA256.HashData([]);
        JsonNode.Parse("""{"a":[1,"b"]}""")!["a"]!.AsArray()[1]!.GetValue<string>();
    }
}

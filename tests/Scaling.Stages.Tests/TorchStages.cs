// What the tests of train and measure share: small shapes, and the native packages that lie beside the tests.
using System.Runtime.InteropServices;
using System.Text.Json;
using Scaling.Architectures;

namespace Scaling.Stages.Tests;

/// <summary>Their tests run one after the other: torch's thread count and memory belong to the process.</summary>
[CollectionDefinition("torch", DisableParallelization = true)]
public sealed class TorchStages
{
    public static readonly DecoderShape Small = new(2, 16, 24, 4, 2, 8, 256, Tied: true);

    public static IReadOnlyList<string> NativeFolders { get; } =
    [
        .. JsonDocument.Parse(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "native.json"))).RootElement
            .GetProperty("packages").EnumerateArray().Where(p => p.TryGetProperty("folder", out _)).Select(p => p.GetProperty("folder").GetString()!),
    ];

    /// <summary>The row that sweep writes of a shape.</summary>
    public static Dictionary<string, string> Row(DecoderShape shape, long? seed = null)
    {
        var row = Vocabulary.ShapeIdentity.Select(t => t.Name).Zip(shape.Cells(), (name, value) => (name, Sdk.Table.Cell(value))).ToDictionary();
        if (seed is not null)
        {
            row["seed"] = Sdk.Table.Cell(seed);
            row["learning_rate_factor"] = "1";
            row["tokens_share"] = "1";
            row["size"] = "";
        }

        return row;
    }
}

/// <summary>A fact about machines without an NVIDIA GPU; skipped where the driver is.</summary>
internal sealed class WithoutGpuFactAttribute : FactAttribute
{
    public WithoutGpuFactAttribute()
    {
        if (NativeLibrary.TryLoad("libcuda.so.1", out _))
        {
            Skip = "this machine has NVIDIA's driver";
        }
    }
}

// libtorch for all tests of this assembly, loaded once and used by one test at a time.
using System.Text.Json;

[assembly: CollectionBehavior(DisableTestParallelization = true)]

namespace Scaling.Torch.Tests;

internal static class Libtorch
{
    private static readonly string Cache = Path.Combine(AppContext.BaseDirectory, "native-cache");

    /// <summary>The folders that native.json beside the tests names.</summary>
    public static IReadOnlyList<string> Folders { get; } =
    [
        .. JsonDocument.Parse(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "native.json"))).RootElement
            .GetProperty("packages").EnumerateArray().Where(p => p.TryGetProperty("folder", out _)).Select(p => p.GetProperty("folder").GetString()!),
    ];

    public static void Load() => NativeLibtorch.Load(Folders, Cache, _ => { });
}

// The tool and the test stages as this configuration built them.
namespace Scaling.Benchmarks;

/// <summary>Where they lie.</summary>
internal static class BuiltTool
{
    private static readonly string Configuration = new DirectoryInfo(AppContext.BaseDirectory).Parent!.Name;

    /// <summary>The tool's executable.</summary>
    public static string Program { get; } = Path.Combine(Root(), "tool", "Scaling.Cli", "bin", Configuration, "net10.0", "dotnet-scaling");

    /// <summary>The plugin of stages that only tests use.</summary>
    public static string TestPlugin { get; } = Path.Combine(Root(), "tests", "Scaling.TestPlugin", "bin", Configuration, "net10.0", "Scaling.TestPlugin.dll");

    /// <summary>The checkout's root.</summary>
    public static string Root()
    {
        var root = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(root.FullName, "ScalingPipeline.sln")))
        {
            root = root.Parent ?? throw new InvalidDataException($"there is no ScalingPipeline.sln above {AppContext.BaseDirectory}");
        }

        return root.FullName;
    }
}

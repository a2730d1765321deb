// Public loss tables that tests read and the repository does not hold.
namespace Scaling.TestKit;

/// <summary>Finds <c>shared/data</c> beside a parent folder of the checkout, or where <c>SCALING_SHARED_DATA</c> says.</summary>
public static class SharedData
{
    /// <summary>The folder, or null where this machine has none.</summary>
    public static string? Folder { get; } = Find();

    /// <summary>Path of a file below it.</summary>
    /// <param name="name">For example <c>paper/published_fits.json</c>.</param>
    public static string File(string name) => Path.Combine(Folder ?? throw new DirectoryNotFoundException("no shared/data on this machine"), name);

    private static string? Find()
    {
        if (Environment.GetEnvironmentVariable("SCALING_SHARED_DATA") is { Length: > 0 } named)
        {
            return named;
        }

        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            string data = Path.Combine(folder.FullName, "shared", "data");
            if (System.IO.File.Exists(Path.Combine(data, "README.md")))
            {
                return data;
            }
        }

        return null;
    }
}

/// <summary>A fact about public tables; skipped, with the reason, where they are absent.</summary>
public sealed class SharedDataFactAttribute : Xunit.FactAttribute
{
    /// <summary>Skips where there is no such folder.</summary>
    public SharedDataFactAttribute()
    {
        if (SharedData.Folder is null)
        {
            Skip = "shared/data is not on this machine (SCALING_SHARED_DATA names it)";
        }
    }
}

/// <summary>A theory about public tables; skipped, with the reason, where they are absent.</summary>
public sealed class SharedDataTheoryAttribute : Xunit.TheoryAttribute
{
    /// <summary>Skips where there is no such folder.</summary>
    public SharedDataTheoryAttribute()
    {
        if (SharedData.Folder is null)
        {
            Skip = "shared/data is not on this machine (SCALING_SHARED_DATA names it)";
        }
    }
}

// Which of several frameworks' files net10.0 takes.
using NuGet.Frameworks;

namespace Scaling.Plugins;

internal static class Compatible
{
    public static readonly NuGetFramework Framework = NuGetFramework.Parse("net10.0");

    /// <summary>What a project for net10.0 accepts with a warning where a package has nothing else, as the SDK sets it (AssetTargetFallback).</summary>
    private static readonly NuGetFramework[] Fallbacks = [.. new[] { "net481", "net48", "net472", "net471", "net47", "net462", "net461" }.Select(NuGetFramework.Parse)];

    /// <summary>The item for the framework nearest to net10.0, and the fallback that was needed for it; null where there is none.</summary>
    public static (T Item, NuGetFramework? Fallback)? Nearest<T>(IReadOnlyList<T> items, Func<T, NuGetFramework> framework)
    {
        var reducer = new FrameworkReducer();
        foreach (var wanted in Fallbacks.Prepend(Framework))
        {
            if (reducer.GetNearest(wanted, items.Select(framework)) is { } nearest)
            {
                return (items.First(i => framework(i).Equals(nearest)), wanted.Equals(Framework) ? null : wanted);
            }
        }

        return null;
    }
}

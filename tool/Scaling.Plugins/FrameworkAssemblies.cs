// What .NET itself brings, which no plugin may bring again: two copies of an assembly are two different sets of types.
using System.Reflection;
using NuGet.Versioning;
using Scaling.Engine;

namespace Scaling.Plugins;

/// <summary>The assemblies of the shared framework that stages run on. Their versions are those of its major and minor release, so they are the same for all its patches.</summary>
internal static class FrameworkAssemblies
{
    private static readonly Lazy<Dictionary<string, Version>> Known = new(() => Directory
        .EnumerateFiles(ToolHost.Current.Framework, "*.dll")
        .Select(path => (Name: Path.GetFileName(path), Version: VersionOf(path)))
        .Where(a => a.Version is not null)
        .ToDictionary(a => a.Name, a => a.Version!, StringComparer.OrdinalIgnoreCase));

    /// <summary>The framework's version of an assembly; null where it has none of that name.</summary>
    /// <param name="file">File name.</param>
    public static Version? Find(string file) => Known.Value.GetValueOrDefault(file);

    /// <summary>
    /// Whether the framework stands in for a package that is named like one of its assemblies: <c>System.Text.Json</c> up to 10.0.x on .NET 10. Such dependencies are cut, as the SDK cuts them when it restores for net10.0;
    /// the framework's assembly is then used, of whatever patch.
    /// </summary>
    public static bool StandsInFor(string packageId, NuGetVersion? minimum) =>
        Find(packageId + ".dll") is { } here && (minimum is null || (minimum.Major, minimum.Minor).CompareTo((here.Major, here.Minor)) <= 0);

    /// <summary>The version of an assembly; null where the file is none.</summary>
    public static Version? VersionOf(string path)
    {
        try
        {
            return AssemblyName.GetAssemblyName(path).Version;
        }
        catch (BadImageFormatException)
        {
            return null;
        }
    }
}

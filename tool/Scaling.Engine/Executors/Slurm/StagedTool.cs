// The tool with its runtime, copied into the store: nodes need neither .NET nor the tool, and a job that waits for days runs what submitted it.
using System.Security.Cryptography;
using System.Text;
using Scaling.Engine.Store;

namespace Scaling.Engine.Executors.Slurm;

/// <summary>
/// <c>tools/DIGEST</c>: <c>dotnet/</c>, the runtime that this process uses and its launcher, and <c>tool/</c>, the tool's own folder; DIGEST is of all their files. It is used where every byte is what it was, and made
/// again where one is not.
/// </summary>
/// <param name="store">Holds it.</param>
public sealed class StagedTool(ContentStore store)
{
    private const string Assembly = "dotnet-scaling.dll";
    private readonly Lock _staging = new();
    private string? _folder;

    /// <summary>What is copied. Default: what this process runs.</summary>
    public ToolHost Host { get; init; } = ToolHost.Current;

    /// <summary>What runs it on a node: words before its arguments.</summary>
    /// <exception cref="IOException">The store cannot be written.</exception>
    public IReadOnlyList<string> Command => [Path.Combine(Folder, "dotnet", "dotnet"), Path.Combine(Folder, "tool", Assembly)];

    /// <summary>Where a file of the tool's own folder lies in the copy; any other path as it is.</summary>
    /// <param name="path">Absolute.</param>
    public string Moved(string path) =>
        Path.GetRelativePath(Host.Folder, path) is var relative && !relative.StartsWith("..", StringComparison.Ordinal) && !Path.IsPathRooted(relative) ? Path.Combine(Folder, "tool", relative) : path;

    private string Folder
    {
        get
        {
            lock (_staging)
            {
                return _folder ??= Stage();
            }
        }
    }

    private string Stage()
    {
        var files = Files(Host).OrderBy(f => f.Place, StringComparer.Ordinal).Select(f => (f.Place, f.Source, Digest: store.Digest(f.Source))).ToArray();
        string digest = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Concat(files.Select(f => $"{f.Digest} {f.Place}\n")))));
        string folder = Path.Combine(store.Root, "tools", digest);
        if (Directory.Exists(folder))
        {
            if (Array.TrueForAll(files, f => File.Exists(Path.Combine(folder, f.Place)) && store.Digest(Path.Combine(folder, f.Place)) == f.Digest))
            {
                Directory.SetLastWriteTimeUtc(folder, DateTime.UtcNow); // For gc.
                return folder;
            }

            store.Quarantine(folder, $"The copy of the tool {folder} is damaged", "is made again");
        }

        string aside = $"{folder}.{Guid.NewGuid():N}";
        foreach (var (place, source, _) in files)
        {
            string path = Path.Combine(aside, place);
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.Copy(source, path);
        }

        try
        {
            Directory.Move(aside, folder);
        }
        catch (IOException) when (Directory.Exists(folder))
        {
            Directory.Delete(aside, recursive: true); // Another process was first.
        }

        return folder;
    }

    private static IEnumerable<(string Place, string Source)> Files(ToolHost host)
    {
        string resolvers = Path.Combine(host.Dotnet, "host", "fxr");
        string resolver = Directory.EnumerateDirectories(resolvers).OrderBy(f => Version.TryParse(Path.GetFileName(f).Split('-')[0], out var version) ? version : new Version()).Last();
        string launcher = Path.Combine(host.Dotnet, "dotnet");
        yield return (Path.Combine("dotnet", "dotnet"), launcher);
        foreach (string folder in new[] { resolver, host.Framework })
        {
            foreach (string file in Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories))
            {
                yield return (Path.Combine("dotnet", Path.GetRelativePath(host.Dotnet, file)), file);
            }
        }

        foreach (string file in Directory.EnumerateFiles(host.Folder, "*", SearchOption.AllDirectories).Where(f => !f.EndsWith(".pdb", StringComparison.Ordinal)))
        {
            yield return (Path.Combine("tool", Path.GetRelativePath(host.Folder, file)), file);
        }
    }
}

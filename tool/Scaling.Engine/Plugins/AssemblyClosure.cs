// The managed assemblies that a plugin reaches by reference, read from metadata without loading any.
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using Scaling.Sdk;

namespace Scaling.Engine.Plugins;

internal static class AssemblyClosure
{
    /// <summary>File names in ordinal order, the main assembly among them; the framework's and the contract's are left out.</summary>
    /// <param name="assembly">Path of the plugin's main assembly; references are looked for beside it.</param>
    public static IReadOnlyList<string> Of(string assembly)
    {
        string folder = Path.GetDirectoryName(assembly)!;
        string contract = typeof(IStage).Assembly.GetName().Name + ".dll";
        var reached = new SortedSet<string>(StringComparer.Ordinal);
        var waiting = new Stack<string>([Path.GetFileName(assembly)]);
        while (waiting.TryPop(out string? name))
        {
            if (name == contract || !File.Exists(Path.Combine(folder, name)) || !reached.Add(name))
            {
                continue;
            }

            foreach (string reference in References(Path.Combine(folder, name)))
            {
                waiting.Push(reference + ".dll");
            }
        }

        return [.. reached];
    }

    private static List<string> References(string path)
    {
        using var stream = File.OpenRead(path);
        using var image = new PEReader(stream);
        if (!image.HasMetadata)
        {
            return [];
        }

        var metadata = image.GetMetadataReader();
        return [.. metadata.AssemblyReferences.Select(handle => metadata.GetString(metadata.GetAssemblyReference(handle).Name))];
    }
}

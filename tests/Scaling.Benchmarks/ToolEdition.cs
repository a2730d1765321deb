// The built tool as a program: compiled, as the package has it on linux-x64, and as assemblies alone, as other systems run it.
namespace Scaling.Benchmarks;

/// <summary>One way to run the tool.</summary>
/// <param name="Name">For tables.</param>
/// <param name="Program">What a user starts.</param>
/// <param name="Compiled">The program that it hands over to; null where it does the work itself.</param>
internal sealed record ToolEdition(string Name, string Program, string? Compiled)
{
    private const string Folder = "compiled", Platform = "linux-x64";

    /// <summary>The one that targets are judged on comes first: the compiled one, where it lies beside the assemblies.</summary>
    /// <param name="folder">Takes a copy of the tool without it.</param>
    public static IReadOnlyList<ToolEdition> All(string folder)
    {
        string built = Path.GetDirectoryName(BuiltTool.Program)!, name = Path.GetFileName(BuiltTool.Program);
        string program = Path.Combine(built, Folder, Platform, name);
        if (!File.Exists(program))
        {
            return [new("assemblies", BuiltTool.Program, null)];
        }

        string copy = CopyWithoutCompiled(built, Path.Combine(folder, "assemblies"));
        return [new("compiled", BuiltTool.Program, program), new("assemblies", Path.Combine(copy, name), null)];
    }

    /// <summary>Null, or why the compiled tool may be another than the assemblies.</summary>
    public string? Staleness => Compiled is not null && Newest(Path.GetDirectoryName(Program)!) > File.GetLastWriteTimeUtc(Compiled)
        ? "The compiled tool is older than the assemblies beside it: run the benchmark with -p:CompileTool=true, or it is an earlier version that is measured."
        : null;

    /// <summary>Whether an executable is the one that does this edition's work.</summary>
    /// <param name="executable">As the kernel names it.</param>
    public bool IsDoneBy(string executable) => executable.EndsWith(Path.Combine(Folder, Platform, Path.GetFileName(Program)), StringComparison.Ordinal) == Compiled is not null;

    private static DateTime Newest(string folder) => new[] { "dotnet-scaling.dll", "Scaling.Engine.dll" }.Max(file => File.GetLastWriteTimeUtc(Path.Combine(folder, file)));

    /// <summary>Files are copied, as a program finds its assemblies beside its own true path; folders, plugins of hundreds of megabytes among them, are linked.</summary>
    private static string CopyWithoutCompiled(string built, string copy)
    {
        Directory.CreateDirectory(copy);
        foreach (string file in Directory.EnumerateFiles(built))
        {
            File.Copy(file, Path.Combine(copy, Path.GetFileName(file)));
        }

        foreach (string inside in Directory.EnumerateDirectories(built).Where(f => Path.GetFileName(f) != Folder))
        {
            Directory.CreateSymbolicLink(Path.Combine(copy, Path.GetFileName(inside)), inside);
        }

        return copy;
    }
}

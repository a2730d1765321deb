// Where the running tool lies and how it starts itself again: as assemblies on a runtime, or compiled to a program of its own that was started by them.
using System.Reflection;

namespace Scaling.Engine;

/// <summary>The tool as an installation has it.</summary>
/// <param name="Program">Executable that runs its assemblies: dotnet, or the tool's own start program.</param>
/// <param name="Arguments">What stands before the command line there: the assembly's path where the executable is dotnet.</param>
/// <param name="Folder">Absolute; the tool's assemblies lie there, and its <c>plugins</c>.</param>
/// <param name="Framework">Absolute; the folder of the shared framework that the assemblies run on, and that stages will.</param>
public sealed record ToolHost(string Program, IReadOnlyList<string> Arguments, string Folder, string Framework)
{
    private static ToolHost? _current;

    /// <summary>This process's. Where assemblies run, what they see of themselves; a compiled program is told once, before anything asks.</summary>
    public static ToolHost Current
    {
        get => _current ??= OfAssemblies();
        set => _current = value;
    }

    /// <summary>Absolute; the installation of .NET that the framework belongs to.</summary>
    public string Dotnet => Path.GetFullPath(Path.Combine(Framework, "..", "..", ".."));

    private static ToolHost OfAssemblies()
    {
        string[] arguments = Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet" ? [Assembly.GetEntryAssembly()!.Location] : [];
        return new ToolHost(Environment.ProcessPath!, arguments, AppContext.BaseDirectory, Path.GetDirectoryName(typeof(object).Assembly.Location)!);
    }
}

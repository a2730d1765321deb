// The tool compiled to a program, which the assemblies hand over to where it runs: it begins sooner.
using System.Runtime.InteropServices;
using Scaling.Engine;

namespace Scaling.Cli;

/// <summary>The program <c>compiled/linux-x64/dotnet-scaling</c> beside the assemblies. Where there is none, or the system is another, the assemblies do everything themselves; what they print is the same.</summary>
internal static partial class CompiledTool
{
    /// <summary>Its first argument: after it stand the parts of a <see cref="ToolHost"/>, then the command line.</summary>
    public const string Verb = "hosted";

    /// <summary>The C library that it was linked with; an older one lacks what it asks for.</summary>
    private static readonly Version OldestLibrary = new(2, 34);

    /// <summary>Becomes the program; returns where that cannot be.</summary>
    /// <param name="args">The command line.</param>
    public static void Become(string[] args)
    {
        string program = Path.Combine(AppContext.BaseDirectory, "compiled", "linux-x64", "dotnet-scaling");
        if (!OperatingSystem.IsLinux() || RuntimeInformation.ProcessArchitecture != Architecture.X64 || !File.Exists(program) || !HasLibrary())
        {
            return;
        }

        var host = ToolHost.Current;
        string?[] words = [program, Verb, host.Program, host.Arguments.Count > 0 ? host.Arguments[0] : "", host.Folder, host.Dotnet, .. args, null];
        if (Execute(program, words) < 0 && TryAllow(program))
        {
            Execute(program, words);
        }
    }

    /// <summary>Packages come without permissions.</summary>
    [System.Runtime.Versioning.SupportedOSPlatform("linux")]
    private static bool TryAllow(string program)
    {
        try
        {
            var mode = File.GetUnixFileMode(program);
            const UnixFileMode All = UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;
            File.SetUnixFileMode(program, mode | All);
            return (mode & All) != All;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false; // Somebody else installed it. The assemblies do the same, more slowly.
        }
    }

    /// <summary>What <see cref="Become"/> says.</summary>
    /// <param name="args">After the verb.</param>
    /// <returns>The command line.</returns>
    public static string[] Begin(string[] args)
    {
        ToolHost.Current = new ToolHost(args[0], args[1].Length > 0 ? [args[1]] : [], args[2], args[3]);
        return args[4..];
    }

    private static bool HasLibrary()
    {
        try
        {
            return Version.TryParse(Marshal.PtrToStringUTF8(LibraryVersion()), out var version) && version >= OldestLibrary;
        }
        catch (EntryPointNotFoundException)
        {
            return false; // Another C library than GNU's.
        }
    }

    [LibraryImport("libc", EntryPoint = "gnu_get_libc_version")]
    private static partial nint LibraryVersion();

    [LibraryImport("libc", EntryPoint = "execv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Execute(string program, string?[] words);
}

// The tool compiled to a program, which the assemblies hand over to where it runs: it begins sooner.
using System.Globalization;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using Scaling.Engine;

namespace Scaling.Cli;

/// <summary>
/// The program <c>compiled/linux-x64/dotnet-scaling</c> beside the assemblies, and <c>dotnet-scaling.needs</c>: its length in bytes and, on a second line, the version of GNU's C library that it was linked for.
/// Where one of them is missing, or the system is another, the assemblies do everything themselves; what they print is the same. SCALING_TRACE=1 says which it is, and why.
/// </summary>
internal static partial class CompiledTool
{
    /// <summary>Its first argument: after it stand the parts of a <see cref="ToolHost"/>, then the command line.</summary>
    public const string Verb = "hosted";

    /// <summary>Becomes the program; returns where that cannot be.</summary>
    /// <param name="args">The command line.</param>
    public static void Become(string[] args)
    {
        string program = Path.Combine(AppContext.BaseDirectory, "compiled", "linux-x64", "dotnet-scaling");
        bool trace = Environment.GetEnvironmentVariable("SCALING_TRACE") == "1";
        string? hindrance = "this is not Linux on x64";
        if (OperatingSystem.IsLinux() && RuntimeInformation.ProcessArchitecture == Architecture.X64 && (hindrance = Hindrance(program)) is null)
        {
            if (trace)
            {
                Console.Error.WriteLine($"Handed over to {program}.");
            }

            RemoveDiagnosticPorts();
            var host = ToolHost.Current;
            string?[] words = [program, Verb, host.Program, host.Arguments.Count > 0 ? host.Arguments[0] : "", host.Folder, host.Framework, .. args, null];
            if (Execute(program, words) < 0 && TryAllow(program))
            {
                Execute(program, words);
            }

            hindrance = trace ? $"it was not executed: {Marshal.GetLastPInvokeErrorMessage()}" : "";
        }

        if (trace)
        {
            Console.Error.WriteLine($"The assemblies run, not {program}: {hindrance}.");
        }
    }

    /// <summary>The socket and pipes in the temporary folder by which debuggers reach this process. Its runtime removes them when it ends, and does not end here.</summary>
    private static void RemoveDiagnosticPorts()
    {
        try
        {
            string status = File.ReadAllText("/proc/self/stat");
            string start = status[(status.LastIndexOf(')') + 2)..].Split(' ')[19]; // Field 22: when it began.
            string process = $"{Environment.ProcessId}-{start}";
            foreach (string name in new[] { $"dotnet-diagnostic-{process}-socket", $"clr-debug-pipe-{process}-in", $"clr-debug-pipe-{process}-out" })
            {
                File.Delete(Path.Combine(Path.GetTempPath(), name));
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // They stay, as after a kill.
        }
    }

    /// <summary>What <see cref="Become"/> says.</summary>
    /// <param name="args">After the verb.</param>
    /// <returns>The command line.</returns>
    public static string[] Begin(string[] args)
    {
        OpenStandardStreams();
        ToolHost.Current = new ToolHost(args[0], args[1].Length > 0 ? [args[1]] : [], args[2], args[3]);
        return args[4..];
    }

    /// <summary>Why it must not be tried, for once it has begun there is no way back; null where nothing speaks against it.</summary>
    [SupportedOSPlatform("linux")]
    private static string? Hindrance(string program)
    {
        if (!File.Exists(program))
        {
            return "it is not there"; // Where the tool was built and not packed; no exception, which would take longer than all the rest.
        }

        try
        {
            string[] needs = File.ReadAllText(program + ".needs").Split('\n');
            long length = new FileInfo(program).Length;
            return needs is not [var bytes, var library, ..] ? "dotnet-scaling.needs is not whole"
                : length.ToString(CultureInfo.InvariantCulture) != bytes ? $"it has {length} of {bytes} bytes"
                : OfLibrary() is not { } found ? $"it needs glibc {library}, and this is another C library"
                : !Version.TryParse(library, out var needed) || needed > found ? $"it needs glibc {library}, and this is {found}"
                : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return e.Message.TrimEnd('.');
        }
    }

    /// <summary>Packages come without permissions, so whoever may read it may execute it from now on.</summary>
    [SupportedOSPlatform("linux")]
    private static bool TryAllow(string program)
    {
        try
        {
            var mode = File.GetUnixFileMode(program);
            const UnixFileMode Read = UnixFileMode.UserRead | UnixFileMode.GroupRead | UnixFileMode.OtherRead;
            File.SetUnixFileMode(program, mode | (UnixFileMode)((int)(mode & Read) >> 2));
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false; // Somebody else installed it.
        }
    }

    /// <summary>Where the caller closed one, the next file that is opened would take its number, and what is printed would be written there. With the assemblies that is a file of their runtime which refuses it.</summary>
    private static void OpenStandardStreams()
    {
        const int GetFlags = 1, ReadAndWrite = 2;
        for (int stream = 0; stream <= 2; stream++)
        {
            if (Control(stream, GetFlags) < 0)
            {
                _ = Open("/dev/null", ReadAndWrite); // The lowest number that is free, which is this.
            }
        }
    }

    private static Version? OfLibrary()
    {
        try
        {
            return Version.TryParse(Marshal.PtrToStringUTF8(LibraryVersion()), out var version) ? version : null;
        }
        catch (Exception e) when (e is EntryPointNotFoundException or DllNotFoundException)
        {
            return null; // Another C library than GNU's.
        }
    }

    [LibraryImport("libc", EntryPoint = "gnu_get_libc_version")]
    private static partial nint LibraryVersion();

    [LibraryImport("libc", EntryPoint = "fcntl")]
    private static partial int Control(int file, int command);

    [LibraryImport("libc", EntryPoint = "open", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "execv", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    private static partial int Execute(string program, string?[] words);
}

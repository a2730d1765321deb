// The tool compiled to a program, which its package has for linux-x64: that it runs, and that where it cannot the assemblies do the same.
using System.Diagnostics;
using System.IO.Compression;
using System.Runtime.Versioning;
using Scaling.TestKit;

namespace Scaling.EndToEnd;

/// <summary>Skips where packing cannot compile the tool to a program: elsewhere than on linux-x64, or without a linker.</summary>
public sealed class CompilingFactAttribute : FactAttribute
{
    private static readonly Lazy<string?> Reason = new(Try);

    /// <summary>Tries it.</summary>
    public CompilingFactAttribute() => Skip = Reason.Value;

    private static string? Try()
    {
        using var link = Process.Start(new ProcessStartInfo("sh", ["-c", "for c in clang gcc; do echo 'int main(void) { return 0; }' | $c -fuse-ld=bfd -x c - -o /dev/null && exit 0; done; exit 1"]) { RedirectStandardError = true })!;
        link.StandardError.ReadToEnd();
        link.WaitForExit();
        return link.ExitCode == 0 && System.Runtime.InteropServices.RuntimeInformation.RuntimeIdentifier == "linux-x64" ? null : "the tool is compiled on linux-x64 with clang or gcc and the C library's development files";
    }
}

[Collection("packages")]
[SupportedOSPlatform("linux")]
public sealed class CompiledToolTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly string _program;

    /// <summary>The tool's folder in its package, without permissions as packages come.</summary>
    public CompiledToolTests(PackedFeed feed)
    {
        using var package = feed.Open("dotnet-scaling");
        foreach (var entry in package.Entries.Where(e => e.FullName.StartsWith("tools/net10.0/any/", StringComparison.Ordinal)))
        {
            string file = _folder[entry.FullName];
            Directory.CreateDirectory(Path.GetDirectoryName(file)!);
            entry.ExtractToFile(file);
            File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead);
        }

        _program = _folder["tools/net10.0/any/compiled/linux-x64/dotnet-scaling"];
    }

    public void Dispose() => _folder.Dispose();

    [CompilingFact]
    public void The_assemblies_of_the_package_hand_over_to_the_program()
    {
        Assert.Equal($"Handed over to {_program}.\n", Version());
        Assert.True(File.GetUnixFileMode(_program).HasFlag(UnixFileMode.OtherExecute));
        Assert.Equal($"Handed over to {_program}.\n", Version());
    }

    [CompilingFact]
    public void A_program_that_is_missing_leaves_all_to_the_assemblies()
    {
        File.Delete(_program);
        Assert.Matches("^The assemblies run, not .*: it is not there.\n$", Version());
        Directory.Delete(Path.GetDirectoryName(_program)!, recursive: true);
        Assert.Matches("^The assemblies run, not .*: it is not there.\n$", Version());
    }

    [CompilingFact]
    public void A_program_that_is_not_whole_leaves_all_to_the_assemblies()
    {
        byte[] whole = File.ReadAllBytes(_program);
        File.WriteAllBytes(_program, whole[..^1]);
        Assert.Contains($": it has {whole.Length - 1} of {whole.Length} bytes.\n", Version());
        File.WriteAllBytes(_program, new byte[whole.Length]);
        Assert.EndsWith(": it was not executed: Exec format error.\n", Version());
        File.WriteAllText(_program + ".needs", "");
        Assert.EndsWith(": dotnet-scaling.needs is not whole.\n", Version());
    }

    [CompilingFact]
    public void A_C_library_older_than_that_of_the_compiling_machine_leaves_all_to_the_assemblies()
    {
        string[] needs = File.ReadAllLines(_program + ".needs");
        Assert.Matches(@"^2\.\d+$", needs[1]);
        File.WriteAllLines(_program + ".needs", [needs[0], "2.1000"]);
        Assert.Matches(@": it needs glibc 2\.1000, and this is 2\.\d+\.\n$", Version());
    }

    [RootFact]
    public void Who_may_not_make_it_a_program_runs_the_assemblies()
    {
        if (!File.Exists(_program))
        {
            return; // Packed without it.
        }

        foreach (string folder in new[] { ".", "tools", "tools/net10.0", "tools/net10.0/any" })
        {
            File.SetUnixFileMode(_folder[folder], UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.GroupRead | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute);
        }

        Assert.EndsWith(": it was not executed: Operation not permitted.\n", Version("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"));
        Assert.Equal($"Handed over to {_program}.\n", Version());
        Assert.Equal($"Handed over to {_program}.\n", Version("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"));
    }

    /// <summary>What is said of who runs, after an answer that is always the same.</summary>
    private string Version(params string[] within)
    {
        string dotnet = Path.GetFileName(Environment.ProcessPath) == "dotnet" ? Environment.ProcessPath! : "dotnet";
        string[] command = [.. within, dotnet, _folder["tools/net10.0/any/dotnet-scaling.dll"], "--version"];
        var start = new ProcessStartInfo(command[0], command[1..]) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["SCALING_TRACE"] = "1";
        start.Environment["HOME"] = _folder["home"];
        var ended = Tool.End(Process.Start(start)!);
        Assert.Equal((0, "0.1.0"), (ended.ExitCode, ended.Output.Split('+')[0].Trim()));
        return ended.Error;
    }
}

// The tool compiled to a program, which its package has for linux-x64: that it runs, and that where it cannot the assemblies do the same.
using System.Diagnostics;
using System.IO.Compression;
using System.Text.RegularExpressions;
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
public sealed partial class CompiledToolTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly string _program;
    private readonly PackedFeed _feed;

    /// <summary>The tool's folder in its package, without permissions as packages come.</summary>
    public CompiledToolTests(PackedFeed feed)
    {
        _feed = feed;
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

    /// <summary>All commands, those that go wrong too, with everything that the program links instead of loading: YAML, JSON, signatures, HTTP, archives.</summary>
    [CompilingFact]
    public async Task Program_and_assemblies_answer_alike()
    {
        using var program = OfPackage(compiled: true);
        using var assemblies = OfPackage(compiled: false);
        string[] calls =
        [
            "check study.yaml", "check wrong.yaml", "check wrong.yaml --json", "graph study.yaml", "graph study.yaml --json", "schema", "plan study.yaml", "plan study.yaml --json", "status study.yaml", "run study.yaml --locked --jobs 1",
            "run study.yaml --jobs 1", "run study.yaml --json", "run study.yaml --log-format jsonl --jobs 1 --force", "status study.yaml", "status study.yaml --json", "show squares study.yaml", "show squares study.yaml --json",
            "plan study.yaml --set rows.count=4", "why squares study.yaml", "why total study.yaml --set rows.text=c --json", "run study.yaml --set rows.count=4 --jobs 1", "why squares study.yaml --against 1", "run failing.yaml --jobs 1", "logs work study.yaml",
            "logs work failing.yaml", "report study.yaml", "verify study.yaml --replay 2", "restore study.yaml", "restore study.yaml --verify", "cache stats", "cache stats --json", "cache verify", "cache gc --dry-run", "cache gc --json",
            "cache keygen keys", "cache pull study.yaml --remote http://127.0.0.1:9", "cache push --remote s3://a/b --offline", "plugin list study.yaml", "plugin list study.yaml --json",
            "plugin verify study.yaml", "execute nothing.json squares", "completion bash", "completion fish", "[suggest:6] plan s", "init new", "run new/pipeline.yaml --set shapes.sizes=wrong", "rnu study.yaml", "run --nonsense", "--help", "run --help",
        ];
        foreach (string call in calls)
        {
            string[] words = call.Split(' ');
            var other = Task.Run(() => assemblies.Run(words));
            var found = program.Run(words);
            var expected = await other;

            Assert.True(expected.ExitCode == found.ExitCode && !Plain(found, program).Contains("SCAL1099", StringComparison.Ordinal), $"{call}: {expected.ExitCode} of the assemblies, {found.ExitCode} of the program\n{expected.Error}\n{found.Error}");
            Assert.True(Plain(expected, assemblies) == Plain(found, program), $"{call}\n{Plain(expected, assemblies)}\n--- but the program:\n{Plain(found, program)}");
        }

        Assert.Empty(Directory.EnumerateFileSystemEntries(program.Folder["tmp"]));
        Assert.Equal(assemblies.Results("study").Keys, program.Results("study").Keys);
    }

    [CompilingFact]
    public void The_program_stops_at_Ctrl_C_and_goes_on()
    {
        using var tool = OfPackage(compiled: true);
        tool.Write("slow.yaml", """
              rows: { uses: echo, with: { text: "slow", count: 8 } }
              work: { uses: misbehave-row, needs: rows, with: { milliseconds: 300 } }

            """);
        var process = tool.Start("run", "slow.yaml", "--jobs", "1");
        Tool.Until(() => process.HasExited || tool.Journal("misbehave-row") >= 2, "two rows");
        Tool.Signal(process.Id, "INT");

        Assert.Equal(130, Tool.End(process).ExitCode);
        int before = tool.Journal("misbehave-row");
        Assert.Equal(0, tool.Run("run", "slow.yaml").ExitCode);
        Assert.InRange(tool.Journal("misbehave-row") - before, 1, 7);
    }

    [CompilingFact]
    public void Streams_that_are_closed_neither_end_the_program_nor_become_its_files()
    {
        using var tool = OfPackage(compiled: true);
        foreach (var (closed, exit) in new[] { ("2>&-", 0), ("<&-", 0), (">&-", 5) }) // The answer that was asked for cannot be given.
        {
            tool.Within = ["sh", "-c", $"exec \"$@\" {closed}", "sh"];
            Assert.Equal(exit, tool.Run("run", "study.yaml", "--json", "--force").ExitCode);
        }

        tool.Within = [];
        Assert.Equal((0, 0), (tool.Run("cache", "verify").ExitCode, tool.Run("run", "study.yaml", "--json").Executed));
    }

    /// <summary>The package's tool in a folder of its own, with studies, a temporary folder and a home.</summary>
    private Tool OfPackage(bool compiled)
    {
        string folder = _folder["tools/net10.0/any"];
        if (!compiled)
        {
            using var copy = Process.Start("cp", ["-r", folder, _folder["assemblies"]]);
            copy.WaitForExit();
            Directory.Delete(_folder["assemblies/compiled"], recursive: true);
            folder = _folder["assemblies"];
        }

        var tool = new Tool { Executes = [PackedFeed.Muxer, Path.Combine(folder, "dotnet-scaling.dll")] };
        tool.Write("study.yaml", """
              rows: { uses: echo, with: { text: "a,b", count: 2 } }
              squares: { uses: square, needs: rows }
              shared: { uses: shared, needs: rows }
              total: { uses: collect, needs: squares }

            """);
        tool.Write("failing.yaml", """
              rows: { uses: echo, with: { text: "grumble,throw", count: 2 } }
              work: { uses: misbehave-row, needs: rows, with: { milliseconds: 0 } }

            """);
        tool.Write("wrong.yaml", """
              rows: { uses: ehco, with: { text: "a,b", count: 2 } }
              squares: { uses: square, needs: rwos }
              total: { uses: collect, needs: squares, with: { nothing: 1 } }

            """);
        Directory.CreateDirectory(tool.Folder["tmp"]);
        tool.Environment["TMPDIR"] = tool.Folder["tmp"];
        tool.Environment["HOME"] = tool.Folder["home"];
        tool.Environment["DOTNET_NOLOGO"] = "1";
        tool.Environment["SCALING_TRACE"] = "0";
        return tool;
    }

    /// <summary>The lines that were printed, without what differs from run to run: numbers, digests, where it lies, and the order of what goes on side by side.</summary>
    private static string Plain(Ended ended, Tool tool) =>
        string.Join('\n', Changing().Replace($"{ended.Output}\n{ended.Error}".Replace(tool.Folder.Path, "HERE", StringComparison.Ordinal), "#").Split('\n').Order(StringComparer.Ordinal));

    [GeneratedRegex(@" *([0-9a-f]{7,}|\d+([.:,T-]\d+)*Z?)( k?B\b)?")]
    private static partial Regex Changing();

    /// <summary>What is said of who runs, after an answer that is always the same.</summary>
    private string Version(params string[] within)
    {
        string[] command = [.. within, PackedFeed.Muxer, _folder["tools/net10.0/any/dotnet-scaling.dll"], "--version"];
        var start = new ProcessStartInfo(command[0], command[1..]) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["SCALING_TRACE"] = "1";
        start.Environment["HOME"] = _folder["home"];
        var ended = Tool.End(Process.Start(start)!);
        Assert.Equal((0, _feed.Version), (ended.ExitCode, ended.Output.Split('+')[0].Trim()));
        return ended.Error;
    }
}

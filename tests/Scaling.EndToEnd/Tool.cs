// The built tool, run as a process in a folder of its own.
using System.Diagnostics;
using System.Text.Json.Nodes;
using Scaling.TestKit;

namespace Scaling.EndToEnd;

/// <summary>How a call ended.</summary>
/// <param name="ExitCode">Of the process.</param>
/// <param name="Output">Standard output.</param>
/// <param name="Error">Standard error.</param>
public sealed record Ended(int ExitCode, string Output, string Error)
{
    /// <summary>The summary of <c>run --json</c>.</summary>
    public JsonNode Summary => JsonNode.Parse(Output.Trim().Split('\n')[^1])!;

    /// <summary>A number of a stage's summary.</summary>
    public int Count(string stage, string what) =>
        Summary["stages"]!.AsArray().Single(s => s!["id"]!.GetValue<string>() == stage)![what]!.GetValue<int>();

    /// <summary>Executed actions of all stages.</summary>
    public int Executed => Summary["stages"]!.AsArray().Sum(s => s!["executed"]!.GetValue<int>());
}

/// <summary>The tool with a folder, a store and a journal of executed actions of its own.</summary>
public sealed class Tool : IDisposable
{
    public static readonly string Configuration = new DirectoryInfo(AppContext.BaseDirectory).Parent!.Name;

    public Tool() => Directory.CreateDirectory(Folder["journal"]);

    public TemporaryFolder Folder { get; } = new();

    /// <summary>Variables that the tool is started with beside this process's.</summary>
    public Dictionary<string, string> Environment { get; } = [];

    /// <summary>What stands before the tool's own command line; see <c>Surroundings</c>.</summary>
    public IReadOnlyList<string> Within { get; set; } = [];

    /// <summary>The tool itself, in words. Default: as it was built.</summary>
    public IReadOnlyList<string> Executes { get; init; } = [Program];

    public static string Program { get; } = Path.Combine(Repository.Root, "tool", "Scaling.Cli", "bin", Configuration, "net10.0", "dotnet-scaling");

    public static string TestPlugin { get; } = Built("tests", "Scaling.TestPlugin");

    public static string FaultyPlugin { get; } = Built("tests", "Scaling.FaultyPlugin");

    public static string HelloStage { get; } = Built("examples", "HelloStage");

    /// <summary>A pipeline of test stages.</summary>
    public void Write(string name, string stages, string head = "") =>
        Folder.Write(name, $"{head}plugins:\n  - path: {TestPlugin}\nstages:\n{stages}");

    /// <summary>A pipeline of test stages whose plugin is a copy of its own; the copy's folder.</summary>
    public string WriteWithOwnPlugin(string name, string stages)
    {
        string copy = Folder["own plugin"];
        Directory.CreateDirectory(copy);
        foreach (string file in Directory.EnumerateFiles(Path.GetDirectoryName(TestPlugin)!))
        {
            File.Copy(file, Path.Combine(copy, Path.GetFileName(file)), overwrite: true);
        }

        Folder.Write(name, $"plugins:\n  - path: own plugin/{Path.GetFileName(TestPlugin)}\nstages:\n{stages}");
        return copy;
    }

    /// <summary>A folder <c>feed</c> as the only source of packages, and a packages folder of the test's own.</summary>
    public void UseFeed()
    {
        Directory.CreateDirectory(Folder["feed"]);
        Folder.Write("nuget.config", """
            <configuration>
              <config><add key="globalPackagesFolder" value="packages" /></config>
              <packageSources><clear /><add key="feed" value="feed" /></packageSources>
              <fallbackPackageFolders><clear /></fallbackPackageFolders>
            </configuration>
            """);
    }

    /// <summary>To one process: procps 4.0.2 takes the number of a group, <c>-1234</c>, for all processes of the machine.</summary>
    public static void Signal(int process, string signal)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(process, 2);
        using var kill = Process.Start("kill", [$"-{signal}", $"{process}"]);
        kill.WaitForExit();
    }

    public Ended Run(params string[] arguments) => End(Start(arguments));

    public Process Start(params string[] arguments)
    {
        // A test run in the background of a shell ignores SIGINT, and so would what it starts.
        var process = Process.Start(Command([.. Within, "env", "--default-signal=INT", .. Executes, .. arguments]))!;
        process.StandardInput.Close();
        return process;
    }

    /// <summary>A program in the tool's folder, with all that the tool is started with.</summary>
    public ProcessStartInfo Command(params string[] words)
    {
        var start = new ProcessStartInfo(words[0], words[1..]) { WorkingDirectory = Folder.Path, RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };
        foreach (string variable in new[] { "GITHUB_ACTIONS", "GITHUB_WORKSPACE", "GITHUB_STEP_SUMMARY", "GITLAB_CI" })
        {
            start.Environment.Remove(variable); // Where these tests run is not what they see, unless one says so.
        }

        start.Environment.Remove("NUGET_PACKAGES"); // A packages folder that a test names in its nuget.config is the one that counts.
        start.Environment.Remove("SCALING_PROFILE");
        start.Environment["XDG_CONFIG_HOME"] = Folder["config"]; // The profile of whoever tests says nothing here.
        start.Environment["SCALING_CACHE"] = Folder["store"];
        start.Environment["SCALING_TEST_JOURNAL"] = Folder["journal"];
        foreach (var (name, value) in Environment)
        {
            start.Environment[name] = value;
        }

        return start;
    }

    public static Ended End(Process process) => End(process, TimeSpan.FromMinutes(5));

    public static Ended End(Process process, TimeSpan limit)
    {
        using (process)
        {
            var output = process.StandardOutput.ReadToEndAsync();
            var error = process.StandardError.ReadToEndAsync();
            if (!process.WaitForExit(limit))
            {
                process.Kill(entireProcessTree: true);
                Assert.Fail($"it did not end within {limit.TotalMinutes:0} minutes");
            }

            return new Ended(process.ExitCode, output.GetAwaiter().GetResult(), error.GetAwaiter().GetResult());
        }
    }

    /// <summary>Ends a process at once, with its workers where asked.</summary>
    public static void KillNow(Process process, bool workers)
    {
        int[] all = workers ? [process.Id, .. Children(process.Id)] : [process.Id];
        foreach (int id in all)
        {
            try
            {
                Process.GetProcessById(id).Kill();
            }
            catch (ArgumentException)
            {
                // It ended in the meantime.
            }
        }

        process.WaitForExit();
    }

    public static int[] Children(int parent) =>
    [
        .. Directory.EnumerateDirectories("/proc").Select(p => int.TryParse(Path.GetFileName(p), out int id) ? id : 0)
            .Where(id => id > 0 && Parent(id) == parent),
    ];

    /// <summary>How often actions whose journal name begins so were executed.</summary>
    public int Journal(string beginning) => Directory.EnumerateFiles(Folder["journal"], beginning + ".*").Count();

    /// <summary>Waits until something holds.</summary>
    public static void Until(Func<bool> holds, string what)
    {
        for (var waited = Stopwatch.StartNew(); !holds(); Thread.Sleep(5))
        {
            Assert.True(waited.Elapsed < TimeSpan.FromMinutes(2), $"waited two minutes for {what}");
        }
    }

    /// <summary>Every result file below a stage's folder with its content.</summary>
    public SortedDictionary<string, string> Results(string pipeline, Func<string, bool>? only = null)
    {
        string root = Folder[Path.Combine("results", pipeline)];
        return new SortedDictionary<string, string>(
            Directory.EnumerateFiles(root, "*", SearchOption.AllDirectories).Select(f => Path.GetRelativePath(root, f)).Where(only ?? (_ => true))
                .ToDictionary(f => f, f => Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(File.ReadAllBytes(Path.Combine(root, f))))), StringComparer.Ordinal);
    }

    /// <summary>Text as everybody's machine shows it: folders by name, durations and ids left out.</summary>
    public string Portable(string text) => text.Replace(Folder.Path, "FOLDER").Replace(Repository.Root, "REPOSITORY");

    /// <summary>The same without what differs from run to run: times, digests, sizes of assemblies, the tool's version.</summary>
    public string Scrubbed(string text)
    {
        text = Portable(text);
        foreach (var (pattern, name) in new[]
        {
            (@"\b[0-9a-f]{2}/[0-9a-f]{64}\b", "KEY"), (@"\b[0-9a-f]{64}\b", "DIGEST"), (@"(?<=  )[0-9a-f]{12}(?=  )", "KEY"), (@"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", "TIME"), (@"\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ", "TIME"),
            (@"(?<=""seconds"": ?)[0-9.]+", "0"), (@"\b\d+\.\d s\b", "SPAN"), (@"(?<=""version"":"")[^""]+", "VERSION"), (Configuration, "CONFIGURATION"),
        })
        {
            text = System.Text.RegularExpressions.Regex.Replace(text, pattern, name);
        }

        return text;
    }

    public void Dispose() => Folder.Dispose();

    private static string Built(string folder, string name) =>
        Path.Combine(Repository.Root, folder, name, "bin", Configuration, "net10.0", name + ".dll");

    private static int Parent(int id)
    {
        try
        {
            // pid (name) state ppid: the name may hold spaces and brackets.
            string stat = File.ReadAllText($"/proc/{id}/stat");
            return int.Parse(stat[(stat.LastIndexOf(')') + 2)..].Split(' ')[1]);
        }
        catch (IOException)
        {
            return 0;
        }
    }
}

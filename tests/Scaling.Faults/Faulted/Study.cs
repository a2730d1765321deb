// The pipeline that is disturbed: small, with everything a run can be made of.
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Scaling.Faults.Tracing;

namespace Scaling.Faults.Faulted;

/// <summary>
/// A folder with a pipeline, its results, its store and the journal of what was executed. Before each trial it is put back to how it began: the store knows a run of an earlier version of the pipeline, whose stage
/// <c>gone</c> has a result that the new version removes, and one result was edited, beside a file of the user's own.
/// </summary>
internal sealed class Study
{
    /// <summary>Times differ from run to run.</summary>
    private const string Volatile = "times.csv";

    /// <summary>The lock's name in <see cref="Outcome"/>.</summary>
    public const string Lock = "study.lock.json";

    private readonly string _root;
    private readonly string _begin;
    private readonly HashSet<string> _earlier;

    /// <summary>Makes a study.</summary>
    /// <param name="root">Absolute; the study has it for itself.</param>
    /// <param name="build">Where tool and test stages are.</param>
    /// <param name="jobs">Actions side by side.</param>
    public Study(string root, Build build, int jobs)
    {
        _root = root;
        _begin = Path.Combine(root, "begin");
        Jobs = jobs;
        Build = build;
        string[] folders = [Folder, Path.Combine(root, "home"), Path.Combine(root, "tmp"), Journal];
        Array.ForEach(folders, f => Directory.CreateDirectory(f));
        string head = $"plugins:\n  - path: {build.Plugin}\nstages:\n";
        File.WriteAllText(Pipeline, $$"""
            {{head}}  rows: { uses: echo, with: { text: "a,bbb", count: 2 } }
              gone: { uses: square, needs: rows, with: { suffix: earlier } }

            """);
        Demand(RunPlainly());
        _earlier = [.. Entries().Select(e => Path.GetFileName(e))];

        // Too long for a manifest: tables that hold them are blobs, files of a row are not.
        string texts = $"{new string('a', 2500)},{new string('b', 2500)}";
        File.WriteAllText(Pipeline, $$"""
            {{head}}  rows: { uses: echo, with: { text: "{{texts}}", count: 2 } }
              shared: { uses: shared, needs: rows }
              squares: { uses: square, needs: rows }
              batch: { uses: batch, needs: rows }
              total: { uses: collect, needs: squares }
              long: { uses: checkpoint, needs: rows, with: { steps: 2 } }

            """);
        File.WriteAllText(Path.Combine(Results, "rows", "echo.csv"), "edited");
        File.WriteAllText(Path.Combine(Results, "mine.txt"), "of the user");
        Directory.Move(Folder, _begin);
        PutBack();
    }

    public int Jobs { get; }

    public Build Build { get; }

    /// <summary>Everything that a run may touch.</summary>
    public string Folder => Path.Combine(_root, "study");

    public string Store => Path.Combine(Folder, "store");

    private string Pipeline => Path.Combine(Folder, "study.yaml");

    private string Results => Path.Combine(Folder, "results", "study");

    private string Journal => Path.Combine(_root, "journal");

    /// <summary>Puts everything back to how it began.</summary>
    public void PutBack()
    {
        foreach (string folder in new[] { Folder, Journal }.Where(Directory.Exists))
        {
            Directory.Delete(folder, recursive: true);
        }

        Directory.CreateDirectory(Journal);
        Copy(_begin, Folder);
    }

    /// <summary>Starts <c>run</c>, with a fault.</summary>
    public TracedRun Start(Fault fault, string output) => TracedRun.Start(
        new Command(
            Build.Tool, ["run", "study.yaml", "--json", "--jobs", $"{Jobs}"],
            new Dictionary<string, string>
            {
                ["PATH"] = Environment.GetEnvironmentVariable("PATH") ?? "/usr/bin:/bin",
                ["DOTNET_ROOT"] = Build.Dotnet,
                ["HOME"] = Path.Combine(_root, "home"),
                ["TMPDIR"] = Path.Combine(_root, "tmp"),
                ["SCALING_CACHE"] = Store,
                ["SCALING_TEST_JOURNAL"] = Journal,
                ["DOTNET_EnableDiagnostics"] = "0", // Who is killed leaves its sockets.
                ["SCALING_TRACE"] = "1",
            },
            Folder, Path.Combine(_root, output)),
        Folder, Store, fault, Patience);

    /// <summary>A run that takes longer hangs; a hundred times what it takes.</summary>
    public static TimeSpan Patience { get; } = TimeSpan.FromSeconds(120);

    /// <summary>An undisturbed run to its end.</summary>
    public Ended RunPlainly(string output = "plain")
    {
        var run = Start(Fault.None, output);
        return End(run, output);
    }

    /// <summary>Waits for a run and all that it started.</summary>
    public Ended End(TracedRun run, string output)
    {
        int exit = run.Tool.GetAwaiter().GetResult();
        run.All.GetAwaiter().GetResult();
        return new Ended(exit, run.Hung, File.ReadAllText(Path.Combine(_root, output + ".out")), File.ReadAllText(Path.Combine(_root, output + ".err")), run);
    }

    public static void Demand(Ended run)
    {
        if (run.ExitCode != 0)
        {
            throw new InvalidOperationException($"an undisturbed run ended with {run.ExitCode}:\n{run.Error}");
        }
    }

    /// <summary>The digests of all result files, and of whatever else lies in the results folder or beside the pipeline.</summary>
    public SortedDictionary<string, string> Outcome()
    {
        var files = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (string path in Directory.EnumerateFileSystemEntries(Folder, "*", SearchOption.AllDirectories).Where(p => !p.StartsWith(Store + "/", StringComparison.Ordinal)))
        {
            string name = Path.GetRelativePath(Folder, path);
            files[name] = Directory.Exists(path) ? "folder"
                : Path.GetFileName(path) == Volatile ? "volatile"
                : name == Lock ? WithoutVolatile(File.ReadAllText(path))
                : Digest(File.ReadAllBytes(path));
        }

        return files;
    }

    /// <summary>Actions of this version of the pipeline that are published now, as the journal would name them: read from the manifests without the engine's help.</summary>
    public HashSet<string> Published()
    {
        var published = new HashSet<string>(StringComparer.Ordinal);
        foreach (string path in Entries().Where(e => !_earlier.Contains(Path.GetFileName(e))))
        {
            byte[] content = File.ReadAllBytes(path);
            int line = Array.IndexOf(content, (byte)'\n');

            var manifest = JsonNode.Parse(content.AsSpan(line + 1))!;
            string action = manifest["entries"]!.AsArray().FirstOrDefault(e => (string?)e![0] == "stage" && (string?)e[1] == "action")?[2]?.GetValue<string>() ?? "";
            if (action is "run" or "prepare")
            {
                string point = action == "prepare" ? "prepare" : (string?)manifest["point"] ?? "all";
                published.Add($"{(string?)manifest["stage"]}.{point}");
            }
        }

        return published;
    }

    private IEnumerable<string> Entries() => Files("entries");

    private IEnumerable<string> Files(string folder) => Path.Combine(Store, folder) is var path && Directory.Exists(path)
        ? Directory.EnumerateFiles(path, "*", SearchOption.AllDirectories).Where(e => !Path.GetFileName(e).StartsWith('.'))
        : [];

    /// <summary>Checkpoints that are written now, as the journal would name the steps that led to them.</summary>
    public HashSet<string> Checkpoints() =>
        [.. CheckpointFiles().SelectMany(f => Enumerable.Range(1, int.Parse(File.ReadAllText(f).Split(' ')[0], null))).Select(s => $"checkpoint.step{s}")];

    private IEnumerable<string> CheckpointFiles() => Files("work").Where(f => Path.GetFileName(f).StartsWith("checkpoint.", StringComparison.Ordinal) && !f.EndsWith(".unfinished", StringComparison.Ordinal));

    /// <summary>What was executed, by the name that the journal gives it.</summary>
    public Dictionary<string, int> Executed() => Directory.EnumerateFiles(Journal).Select(f => Path.GetFileNameWithoutExtension(f)).GroupBy(f => f).ToDictionary(g => g.Key, g => g.Count());

    /// <summary>What the store found damaged.</summary>
    public int Quarantined => Path.Combine(Store, "quarantine") is var folder && Directory.Exists(folder) ? Directory.EnumerateFiles(folder).Count() : 0;

    /// <summary>Whatever of the store is not what its name or its first line says, by this harness's own reading of STORE.md; and entries whose blobs are missing.</summary>
    public IEnumerable<string> Damaged()
    {
        foreach (string blob in Files("blobs").Where(b => Digest(File.ReadAllBytes(b)) != Path.GetFileName(b)))
        {
            yield return $"blob {Path.GetFileName(blob)}";
        }

        foreach (string path in Files("entries").Concat(Files("history")))
        {
            byte[] content = File.ReadAllBytes(path);
            int line = Array.IndexOf(content, (byte)'\n');
            if (line < 0 || Encoding.ASCII.GetString(content, 0, line) != $"scaling-1 {Digest(content.AsSpan(line + 1))}")
            {
                yield return Path.GetRelativePath(Store, path);
            }
        }

        foreach (string checkpoint in CheckpointFiles())
        {
            string[] name = Path.GetFileName(checkpoint).Split('.');
            string key = Path.GetRelativePath(Path.Combine(Store, "work"), checkpoint)[..64];
            if (Digest([.. Encoding.ASCII.GetBytes($"{key}\n{name[1]}\n"), .. File.ReadAllBytes(checkpoint)]) != name[2])
            {
                yield return Path.GetRelativePath(Store, checkpoint);
            }
        }

        foreach (string path in Entries())
        {
            byte[] content = File.ReadAllBytes(path);
            var manifest = JsonNode.Parse(content.AsSpan(Array.IndexOf(content, (byte)'\n') + 1))!;
            foreach (var file in manifest["files"]!.AsArray().Where(f => f!["inline"] is null && !File.Exists(Path.Combine(Store, "blobs", ((string)f["sha256"]!)[..2], (string)f["sha256"]!))))
            {
                yield return $"{Path.GetRelativePath(Store, path)} without {(string?)file!["name"]}";
            }
        }
    }

    private static string Digest(ReadOnlySpan<byte> content) => Convert.ToHexStringLower(SHA256.HashData(content));

    private static string WithoutVolatile(string json)
    {
        var root = JsonNode.Parse(json)!;
        foreach (var (_, stage) in root["stages"]!.AsObject())
        {
            foreach (string name in stage!["results"]!.AsObject().Select(r => r.Key).Where(n => n.EndsWith(Volatile, StringComparison.Ordinal)).ToArray())
            {
                stage["results"]!.AsObject().Remove(name);
            }
        }

        return root.ToJsonString();
    }

    private static void Copy(string from, string to)
    {
        Directory.CreateDirectory(to);
        foreach (string file in Directory.EnumerateFiles(from))
        {
            File.Copy(file, Path.Combine(to, Path.GetFileName(file)));
        }

        foreach (string folder in Directory.EnumerateDirectories(from))
        {
            Copy(folder, Path.Combine(to, Path.GetFileName(folder)));
        }
    }
}

/// <summary>How a run ended.</summary>
/// <param name="ExitCode">Minus the signal where one ended it.</param>
/// <param name="Hung">Whether it was ended because it took too long.</param>
/// <param name="Output">Standard output.</param>
/// <param name="Error">Standard error.</param>
/// <param name="Run">Its steps.</param>
internal sealed record Ended(int ExitCode, bool Hung, string Output, string Error, TracedRun Run);

/// <summary>Where what is tried was built.</summary>
/// <param name="Tool">The tool's program.</param>
/// <param name="Plugin">The test stages' assembly.</param>
/// <param name="Dotnet">Folder of the runtime.</param>
internal sealed record Build(string Tool, string Plugin, string Dotnet)
{
    /// <summary>The checkout that this program was built from, in the same configuration.</summary>
    public static Build OfThis()
    {
        string configuration = new DirectoryInfo(AppContext.BaseDirectory).Parent!.Name;
        string dotnet = Path.GetFullPath(Path.Combine(Path.GetDirectoryName(typeof(object).Assembly.Location)!, "..", "..", ".."));
        return new Build(
            Path.Combine(Root, "tool", "Scaling.Cli", "bin", configuration, "net10.0", "dotnet-scaling"),
            Path.Combine(Root, "tests", "Scaling.TestPlugin", "bin", configuration, "net10.0", "Scaling.TestPlugin.dll"), dotnet);
    }

    /// <summary>The checkout.</summary>
    public static string Root { get; } = Find();

    private static string Find()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "ScalingPipeline.sln")))
            {
                return folder.FullName;
            }
        }

        throw new DirectoryNotFoundException("the harness runs below its checkout");
    }
}

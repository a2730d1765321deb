// What a new user types: the tool from its package, a first study, and the download that the first run needs, from folders and without a network.
using System.Diagnostics;
using System.Text.Json.Nodes;
using Scaling.TestKit;

namespace Scaling.EndToEnd;

[Collection("packages")]
public sealed class InstallTests : IDisposable
{
    /// <summary>What the quickstart trains, made small enough for a test.</summary>
    private const string Small = "sizes: [6k]\n      layers: 1\n      head_size: 8\n      multiple_of: 8\n      x: [0.2]\n      ratio: [1.5]";

    private readonly TemporaryFolder _folder = new();
    private readonly PackedFeed _feed;

    public InstallTests(PackedFeed feed)
    {
        _feed = feed;
        // The packages that this repository was restored with, as somebody carries them to a machine without a network.
        string offline = Directory.CreateDirectory(_folder["carried"]).FullName;
        foreach (string package in Directory.EnumerateFiles(PackedFeed.SharedPackages, "*.nupkg", SearchOption.AllDirectories))
        {
            File.CreateSymbolicLink(Path.Combine(offline, Path.GetFileName(package)), package);
        }

        Configure(_feed.Folder, offline);
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_new_user_installs_the_tool_beside_a_study_and_runs_it()
    {
        Succeeds("new", "tool-manifest");
        Succeeds("tool", "install", "dotnet-scaling");
        Assert.Contains("Wrote", Succeeds("scaling", "init").Error);
        Assert.Contains("7 stages, no findings", Succeeds("scaling", "check").Output);
        var plan = Succeeds("scaling", "plan");
        Assert.Contains("to run", plan.Output);
        AssertCompiled(plan);
        Assert.False(Directory.Exists(_folder["packages/torchsharp"])); // Nothing that looks fetches.
        Assert.Equal(JsonNode.Parse(File.ReadAllText(_folder["pipeline.schema.json"]))!.ToJsonString(), JsonNode.Parse(Succeeds("scaling", "schema").Output)!.ToJsonString());
        Shrink();

        var run = Succeeds("scaling", "run", "--json");

        Assert.Matches(@"fetching \d+ packages?, .* MB", run.Error);
        Assert.Contains("libtorch-cpu-linux-x64 2.10.0 from", run.Error);
        Assert.True(run.Count("runs", "executed") > 0);
        Assert.True(File.Exists(_folder["results/quickstart/runs/runs.csv"]));

        // Everything is here now: no source is asked again.
        Configure();
        var again = Succeeds("scaling", "run", "--json");
        Assert.Equal(0, again.Executed);
        Assert.DoesNotContain("fetching", again.Error);
        File.WriteAllText(_folder["pipeline.yaml"], File.ReadAllText(_folder["pipeline.yaml"]).Replace("seed: 20251021", "seed: 7"));
        Assert.True(Succeeds("scaling", "run", "--json").Count("runs", "executed") > 0);
    }

    [Fact]
    public void The_tool_is_installed_for_all_folders_or_executed_once()
    {
        Succeeds("tool", "install", "--global", "dotnet-scaling");
        var start = new ProcessStartInfo(_folder["home/.dotnet/tools/dotnet-scaling"], ["--version"]) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["SCALING_TRACE"] = "1";
        var global = Tool.End(Process.Start(start)!);
        Assert.StartsWith(_feed.Version, global.Output);
        AssertCompiled(global);

        var once = Succeeds("tool", "exec", "dotnet-scaling", "--yes", "--", "--version");
        Assert.StartsWith(_feed.Version, once.Output.Split('\n').Last(l => l.Length > 0));
        AssertCompiled(once);
    }

    [Fact]
    public void Without_its_packages_a_run_says_what_is_missing_and_where_it_looked()
    {
        Configure(_feed.Folder);
        Succeeds("tool", "install", "dotnet-scaling", "--create-manifest-if-needed");
        Succeeds("scaling", "init");
        Shrink();

        var run = Dotnet("scaling", "run");

        Assert.Contains("error SCAL6104: ", run.Error);
        Assert.Contains("folder0", run.Error);
        Assert.Equal(1, run.ExitCode);
    }

    /// <summary>Where the package has the program for this system, that is what ran.</summary>
    private void AssertCompiled(Ended ended)
    {
        using var package = _feed.Open("dotnet-scaling");
        bool compiled = package.GetEntry("tools/net10.0/any/compiled/linux-x64/dotnet-scaling") is not null;
        Assert.Contains(compiled ? "Handed over to " : "The assemblies run, not ", ended.Error, StringComparison.Ordinal);
        Assert.True(!compiled || !ended.Error.Contains("The assemblies run", StringComparison.Ordinal), ended.Error);
    }

    private void Shrink()
    {
        string text = File.ReadAllText(_folder["pipeline.yaml"]);
        int sizes = text.IndexOf("sizes: [6k", StringComparison.Ordinal);
        int end = text.IndexOf("gqa: 2", sizes, StringComparison.Ordinal);
        int law = text.IndexOf("  # The conditional scaling law:", StringComparison.Ordinal);
        int speed = text.IndexOf("  # How fast each shape", StringComparison.Ordinal);
        Assert.True(sizes > 0 && law > speed && speed > 0);
        File.WriteAllText(_folder["pipeline.yaml"], (text[..sizes] + Small + "\n      " + text[end..speed]).Replace("tokens_per_parameter: [10, 20]", "tokens_per_parameter: 1"));
    }

    private void Configure(params string[] sources) => _folder.Write("nuget.config", $"""
        <configuration>
          <packageSources><clear />{string.Concat(sources.Select((source, i) => $"<add key=\"folder{i}\" value=\"{source}\" />"))}</packageSources>
          <config><add key="globalPackagesFolder" value="packages" /></config>
          <fallbackPackageFolders><clear /></fallbackPackageFolders>
        </configuration>
        """);

    private Ended Succeeds(params string[] arguments)
    {
        var ended = Dotnet(arguments);
        Assert.True(ended.ExitCode == 0, $"dotnet {string.Join(' ', arguments)}\n{ended.Output}{ended.Error}");
        return ended;
    }

    private Ended Dotnet(params string[] arguments) => PackedFeed.Dotnet(_folder, ".", arguments);
}

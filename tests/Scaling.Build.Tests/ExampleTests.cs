// examples/ModelRepository, copied away from this repository and built with the packed package.
using System.Text.Json.Nodes;
using Scaling.TestKit;

namespace Scaling.Build.Tests;

public sealed class ExampleTests
{
    private static PackageFeed Feed => PackageFeed.Shared;

    private const string Skipped = "Skipping target \"RestoreScalingPipelines\" because all output files are up-to-date";

    [Fact]
    public async Task The_first_build_generates_the_second_skips_and_clean_removes()
    {
        using var model = Feed.NewExample();

        string first = BuildWithLog(model);
        Assert.Contains("Task \"RunScalingTool\"", first, StringComparison.Ordinal);
        Assert.True(File.Exists(model["obj/Debug/net10.0/scaling/study.g.cs"]));
        await Snapshot.Match(TestRepository.Passed(model.Dotnet("bin/Debug/net10.0/ModelRepository.dll")).Output);

        string second = BuildWithLog(model);
        Assert.Contains(Skipped, second, StringComparison.Ordinal);
        Assert.DoesNotContain("Task \"RunScalingTool\"", second, StringComparison.Ordinal);
        Assert.DoesNotContain("Task \"Csc\"", second, StringComparison.Ordinal);

        TestRepository.Passed(model.Dotnet("publish", "--no-build", "-c", "Debug", "-o", "published", "-nologo"));
        Assert.Equal(File.ReadAllText(model["results/model/config/accurate/config.json"]), File.ReadAllText(model["published/study/config/accurate/config.json"]));

        TestRepository.Passed(model.Dotnet("clean", "-nologo"));
        Assert.False(Directory.Exists(model["obj/Debug/net10.0/scaling"]));
        Assert.False(File.Exists(model["bin/Debug/net10.0/study/config/accurate/config.json"]));
        Assert.True(File.Exists(model["results/model/config/accurate/config.json"]));
    }

    [Fact]
    public async Task A_build_of_stale_results_fails_at_the_setting_that_changed()
    {
        using var model = Feed.NewExample();
        model.Edit("study.yaml", "rope_theta: 500000", "rope_theta: 10000");

        var build = model.Dotnet("build", "--no-restore", "-nologo", "-tl:off", "-v", "q");

        Assert.Equal(1, build.ExitCode);
        await Snapshot.Match(string.Join('\n', build.Output.Split('\n').Where(l => l.Contains("SCAL", StringComparison.Ordinal)).Select(model.Portable).Distinct()));
    }

    [Fact]
    public void Whatever_is_edited_or_deleted_is_noticed()
    {
        using var model = Feed.NewExample();
        const string Restored = "obj/Debug/net10.0/scaling/study/config/accurate/config.json";
        string committed = File.ReadAllText(model["results/model/config/accurate/config.json"]);
        TestRepository.Passed(model.Examine());

        // A comment changes nothing of the results.
        model.Edit("study.yaml", "name: model", "name: model # the same");
        Assert.DoesNotContain(Skipped, TestRepository.Passed(model.Examine("-v:d")).Output, StringComparison.Ordinal);
        Assert.Contains(Skipped, TestRepository.Passed(model.Examine("-v:d")).Output, StringComparison.Ordinal);

        File.Delete(model[Restored]);
        TestRepository.Passed(model.Examine());
        Assert.Equal(committed, File.ReadAllText(model[Restored]));

        File.WriteAllText(model[Restored], "{}");
        TestRepository.Passed(model.Examine());
        Assert.Equal(committed, File.ReadAllText(model[Restored]));

        // Older than everything, and another setting in the project.
        File.SetLastWriteTimeUtc(model["study.yaml"], new DateTime(2001, 1, 1, 0, 0, 0, DateTimeKind.Utc));
        Assert.DoesNotContain(Skipped, TestRepository.Passed(model.Examine("-v:d")).Output, StringComparison.Ordinal);
        model.Edit("ModelRepository.csproj", "ModelRepository.Architecture", "ModelRepository.Chosen");
        TestRepository.Passed(model.Examine());
        Assert.Contains("record Chosen", File.ReadAllText(model["obj/Debug/net10.0/scaling/study.g.cs"]), StringComparison.Ordinal);

        // Data that a setting names.
        model.Edit("inputs/baseline.json", "2048", "2049");
        Assert.Contains("SCAL9050", Failed(model.Examine()), StringComparison.Ordinal);
        Assert.Contains("SCAL9050", Failed(model.Examine()), StringComparison.Ordinal);
        model.Edit("inputs/baseline.json", "2049", "2048");
        TestRepository.Passed(model.Examine());

        File.AppendAllText(model["results/model/config/accurate/config.json"], " ");
        Assert.Contains("SCAL9052", Failed(model.Examine()), StringComparison.Ordinal);
        File.Delete(model["results/model/config/accurate/config.json"]);
        Assert.Contains("SCAL9052", Failed(model.Examine()), StringComparison.Ordinal);
    }

    /// <summary>The committed lock is a release's: its entries of code differ from those of this checkout, and nothing else may.</summary>
    [Fact]
    public void The_committed_results_are_those_of_the_study()
    {
        var model = Feed.FreshExample;
        string example = Path.Combine(Repository.Root, "examples", "ModelRepository");
        string[] fresh = Files(model["results"]);

        Assert.Equal(Files(Path.Combine(example, "results")), fresh);
        Assert.All(fresh, f => Assert.Equal(WithoutKeys(f, File.ReadAllText(model[Path.Combine("results", f)])), WithoutKeys(f, File.ReadAllText(Path.Combine(example, "results", f)))));
        Assert.Equal(WithoutCode(File.ReadAllText(model["study.lock.json"])), WithoutCode(File.ReadAllText(Path.Combine(example, "study.lock.json"))));
    }

    /// <summary>A report names the key of its action, which holds the code.</summary>
    private static string WithoutKeys(string file, string text) =>
        Path.GetFileName(file).StartsWith("report.", StringComparison.Ordinal) ? System.Text.RegularExpressions.Regex.Replace(text, "\\b[0-9a-f]{64}\\b", "") : text;

    private static string[] Files(string folder) =>
        [.. Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).Select(f => Path.GetRelativePath(folder, f)).Order(StringComparer.Ordinal)];

    private static string WithoutCode(string text)
    {
        var json = JsonNode.Parse(text)!.AsObject();
        json.Remove("tool");
        foreach (var (_, stage) in json["stages"]!.AsObject())
        {
            var portable = stage!["portable"]!.AsObject();
            foreach (string entry in portable.Select(p => p.Key).Where(k => k.StartsWith("assembly ", StringComparison.Ordinal) || k.StartsWith("library ", StringComparison.Ordinal)).ToArray())
            {
                portable.Remove(entry);
            }

            // Their texts are compared without the keys that they name.
            foreach (string report in new[] { "report.html", "report.md" })
            {
                stage["results"]?.AsObject().Remove(report);
            }
        }

        return json.ToJsonString();
    }

    /// <summary>Builds with a binary log, and replays it.</summary>
    private static string BuildWithLog(TestRepository model)
    {
        TestRepository.Passed(model.Dotnet("build", "-nologo", "-bl:build.binlog"));
        return TestRepository.Passed(model.Dotnet("msbuild", "build.binlog", "-nologo", "-v:d")).Output;
    }

    private static string Failed(Command build)
    {
        Assert.NotEqual(0, build.ExitCode);
        return build.Output;
    }
}

// The pages of the stages, and the pipelines that the repository shows, against the built tool.
using System.Text.RegularExpressions;
using Scaling.TestKit;

namespace Scaling.EndToEnd;

public sealed partial class DocumentationTests : IDisposable
{
    private static readonly string Pages = Path.Combine(Repository.Root, "pipelines", "stages");

    private readonly Tool _tool = new();

    public void Dispose() => _tool.Dispose();

    /// <summary>A page is written by <c>dotnet scaling stage TYPE > pipelines/stages/TYPE.md</c>.</summary>
    [Fact]
    public void The_page_of_each_stage_is_what_the_tool_prints_of_it()
    {
        string[] types = [.. _tool.Run("stage").Output.TrimEnd().Split('\n').Select(line => line.Split(' ')[0])];

        Assert.Equal(types, Directory.EnumerateFiles(Pages, "*.md").Select(f => Path.GetFileNameWithoutExtension(f)).Order(StringComparer.Ordinal));
        foreach (string type in types)
        {
            Assert.Equal(File.ReadAllText(Path.Combine(Pages, type + ".md")), _tool.Run("stage", type).Output);
        }
    }

    [Fact]
    public void The_README_of_pipelines_leads_to_every_page()
    {
        string readme = File.ReadAllText(Path.Combine(Repository.Root, "pipelines", "README.md"));

        Assert.All(Directory.EnumerateFiles(Pages), page => Assert.Contains($"### [`{Path.GetFileNameWithoutExtension(page)}`](stages/{Path.GetFileName(page)})", readme, StringComparison.Ordinal));
    }

    [Fact]
    public void The_examples_of_the_stages_are_one_pipeline_without_a_mistake()
    {
        var pages = Directory.EnumerateFiles(Pages).Select(File.ReadAllText).Append(File.ReadAllText(Path.Combine(Repository.Root, "pipelines", "README.md")).Split("\n## The stages\n")[1].Split("\n## ")[0]);
        var examples = pages.SelectMany(text => Example().Matches(text).Select(m => "  " + m.Groups[1].Value.TrimEnd('\n').Replace("\n", "\n  ")));
        _tool.Folder.Write("mine/losses.csv", "params,toks,nats,d_model,r\n");
        _tool.Folder.Write("theirs/checkpoints.jsonl", "{}\n");
        _tool.Folder.Write("study.yaml", $"stages:\n{string.Join('\n', examples)}\n");

        var check = _tool.Run("check", "study.yaml");

        Assert.True(check.ExitCode == 0, check.Error);
        Assert.StartsWith("study.yaml: 9 stages", check.Output, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Pipelines))]
    public void Every_pipeline_of_the_repository_is_without_a_mistake(string pipeline)
    {
        var check = _tool.Run("check", Path.Combine(Repository.Root, pipeline));

        // The corpus of a large study is its user's: nothing else may be missing.
        string[] findings = [.. check.Error.Split('\n').Where(line => line.Contains("SCAL", StringComparison.Ordinal))];
        Assert.All(findings, finding => Assert.Matches("SCAL3005: The setting '(corpus|held_out)' names", finding));
        Assert.True(check.ExitCode == (findings.Length == 0 ? 0 : 3), check.Error);
    }

    [Fact]
    public void The_profile_of_the_repository_is_without_a_mistake()
    {
        _tool.Environment["SCALING_PROFILE"] = Path.Combine(Repository.Root, "examples/slurm/profile.yaml");

        var check = _tool.Run("check", Path.Combine(Repository.Root, "pipelines/quickstart.yaml"));

        Assert.True(check.ExitCode == 0, check.Error);
    }

    /// <summary>Those whose plugins are built.</summary>
    public static TheoryData<string> Pipelines() => new(
        new[] { "pipelines", "examples" }
            .SelectMany(folder => Directory.EnumerateFiles(Path.Combine(Repository.Root, folder), "*.yaml", SearchOption.AllDirectories))
            .Where(file => Path.GetFileName(file) != "profile.yaml") // No pipeline.
            .Where(file => !file.Contains("/obj/", StringComparison.Ordinal) && !file.Contains("/bin/", StringComparison.Ordinal))
            .Where(file => Plugin().Matches(File.ReadAllText(file)).All(m => File.Exists(Path.Combine(Path.GetDirectoryName(file)!, m.Groups[1].Value))))
            .Select(file => Path.GetRelativePath(Repository.Root, file))
            .Order(StringComparer.Ordinal));

    [GeneratedRegex(@"^```yaml\n(.*?)^```", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Example();

    [GeneratedRegex(@"^\s*- path: (\S+)", RegexOptions.Multiline)]
    private static partial Regex Plugin();
}

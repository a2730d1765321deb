// What projects can write and what other targets can use, pinned.
using System.Xml.Linq;
using Scaling.TestKit;

namespace Scaling.Build.Tests;

public sealed class PublicApiTests
{
    [Fact]
    public Task The_tasks_are_as_they_were() => Snapshot.Match(PublicApi.Of(typeof(RunScalingTool).Assembly));

    [Fact]
    public Task What_a_project_can_say_is_as_it_was()
    {
        string build = Path.Combine(Repository.Root, "tasks", "Scaling.Build", "build");
        var props = XDocument.Load(Path.Combine(build, "Scaling.Build.props")).Root!;
        var targets = XDocument.Load(Path.Combine(build, "Scaling.Build.targets")).Root!;
        var metadata = props.Descendants("ScalingPipeline").Elements().Select(e => $"metadata {e.Name} = {e.Value}");
        var properties = targets.Elements("PropertyGroup").Elements().Select(e => e.Name.LocalName).Where(n => n[0] != '_').Distinct().Select(n => $"property {n}");
        var named = targets.Elements("Target").Select(e => $"target {e.Attribute("Name")!.Value}");
        var items = targets.Descendants("Output").Select(e => e.Attribute("ItemName")!.Value).Where(n => n[0] != '_' && n != "FileWrites").Select(n => $"item {n}");
        return Snapshot.Match(string.Join('\n', [.. metadata, .. properties, .. named, .. items]));
    }

    /// <summary>Each is in the readme, which is all that a user of the package sees.</summary>
    [Fact]
    public void The_readme_tells_every_setting()
    {
        string folder = Path.Combine(Repository.Root, "tasks", "Scaling.Build");
        string readme = File.ReadAllText(Path.Combine(folder, "README.md"));
        var props = XDocument.Load(Path.Combine(folder, "build", "Scaling.Build.props")).Root!;

        Assert.All(props.Descendants("ScalingPipeline").Elements().Select(e => e.Name.LocalName), name => Assert.Contains($"| `{name}` |", readme, StringComparison.Ordinal));
    }
}

// The recipes for CI that people copy.
using Scaling.Engine.Pipelines;
using Scaling.TestKit;

namespace Scaling.Engine.Tests.Pipelines;

public sealed class CiRecipeTests
{
    [Theory]
    [InlineData("github.yml")]
    [InlineData("gitlab.yml")]
    public void Recipes_for_CI_are_YAML_and_give_one_job_the_right_to_write_and_the_key(string file)
    {
        string text = File.ReadAllText(Path.Combine(Repository.Root, "examples", "ci", file));
        var findings = new Findings();

        Assert.IsType<YamlMapping>(YamlReader.ReadText(file, text, findings));
        Assert.Empty(findings.InOrder());
        Assert.Single(text.Split('\n'), line => line.Contains("SCALING_RIGHTS: local:rw,remote:rw", StringComparison.Ordinal));
        Assert.Single(text.Split('\n'), line => line.Contains("SCALING_SIGNING_KEY:", StringComparison.Ordinal));
        Assert.Contains("--locked", text);
    }
}

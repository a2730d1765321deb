// Files that were made to do harm: each is answered with a finding, soon.
using Scaling.Engine.Pipelines;
using static Scaling.Engine.Tests.Pipelines.Reading;

namespace Scaling.Engine.Tests.Pipelines;

public class YamlLimitsTests
{
    [Theory]
    [InlineData("[")]
    [InlineData("{")]
    [InlineData("[[{a: ")]
    [InlineData("- ")]
    [InlineData("? ")]
    [InlineData("a: {")]
    public void A_hundred_thousand_nested_brackets_are_answered(string opening) =>
        Assert.Matches(@"^study\.yaml\(1,[0-9]+\): error SCAL2011: [^\n]*$", Findings(Repeat(opening, 100_000)));

    [Fact]
    public void Depth_is_refused_just_beyond_its_limit()
    {
        string at = Repeat("[", YamlReader.LimitDepth) + Repeat("]", YamlReader.LimitDepth);

        Assert.DoesNotContain("SCAL2011", Findings(at));
        Assert.Contains("study.yaml(1,33): error SCAL2011", Findings($"[{at}]"));
    }

    [Fact]
    public void Values_are_counted_just_beyond_their_limit()
    {
        string At(int scalars) => "stages: [" + Repeat("a,", scalars) + "]\n";

        // The mapping, its key and the list count too.
        Assert.DoesNotContain("SCAL2012", Findings(At(YamlReader.LimitNodes - 3)));
        Assert.Contains("SCAL2012", Findings(At(YamlReader.LimitNodes - 2)));
    }

    [Fact]
    public void A_file_is_read_up_to_its_limit()
    {
        const string Pipeline = "stages: { a: { uses: fit } }\n#";
        string full = Pipeline + new string('x', YamlReader.LimitBytes - Pipeline.Length);

        Assert.Empty(Findings(full));
        Assert.Contains("SCAL2004", Findings(full + "x"));
    }

    [Fact]
    public void A_bomb_of_aliases_does_not_unfold()
    {
        string bomb = "a: &a [x]\nb: &b [*a, *a, *a, *a]\nc: &c [*b, *b, *b, *b]\nstages: [*c, *c, *c, *c]\n";

        string[] codes = [.. Findings(bomb).Split('\n').Select(line => line.Split(": error ")[1][..8])];

        Assert.Equal(12, codes.Count(c => c == "SCAL2013"));
        Assert.Equal(3, codes.Count(c => c == "SCAL2014"));
    }

    [Fact]
    public void A_hundred_thousand_mistakes_are_all_told_and_cost_no_minutes()
    {
        string needs = string.Concat(Enumerable.Range(0, 40_000).Select(i => $"stage{i}, "));
        string stages = string.Concat(Enumerable.Range(0, 10_000).Select(i => $"  stege{i}: {{ uses: fit }}\n"));

        string[] seen = Findings($"stages:\n{stages}  last: {{ uses: fit, needs: [{needs}] }}\n").Split('\n');

        Assert.Equal(40_000, seen.Length);
        Assert.Contains("Did you mean 'stege0'?", seen[0]);
    }

    [Fact]
    public void An_endless_device_is_too_large_and_not_waited_for()
    {
        Assert.Equal("SCAL2004", Assert.Single(PipelineReader.Read("/dev/zero").Findings).Code);
    }

    private static string Repeat(string text, int count) => string.Concat(Enumerable.Repeat(text, count));
}

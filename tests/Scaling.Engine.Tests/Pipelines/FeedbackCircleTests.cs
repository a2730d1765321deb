// Which stages are in a circle of feedback.
using Scaling.Engine.Pipelines;

namespace Scaling.Engine.Tests.Pipelines;

public sealed class FeedbackCircleTests
{
    [Fact]
    public void Without_feedback_there_is_none() => Assert.Empty(Of("shapes", "runs shapes", "law runs"));

    [Fact]
    public void A_circle_has_the_stages_on_the_way_to_where_feedback_comes_from_and_no_others() =>
        Assert.Equal(["shapes → tokens → runs → law"], Of("before", "shapes before < law", "tokens shapes", "runs tokens shapes beside", "speed shapes", "beside", "law runs", "best law"));

    [Fact]
    public void What_is_no_stage_or_does_not_need_the_lister_makes_no_circle() => Assert.Empty(Of("shapes < nowhere before", "before"));

    [Fact]
    public void There_may_be_several() => Assert.Equal(["a → b", "c → d"], Of("a < b", "b a", "c b < d", "d c"));

    [Fact]
    public void A_circle_of_ten_thousand_stages_is_found_without_recursion()
    {
        string[] chain = [.. Enumerable.Range(1, 10_000).Select(i => $"s{i} s{i - 1}")];

        Assert.Equal(10_001, FeedbackCircle.In(Stages(["s0 < s10000", .. chain])).Single().Members.Count());
    }

    /// <summary>Each stage as <c>ID NEEDS &lt; FEEDBACK</c>.</summary>
    private static string[] Of(params string[] stages) => [.. FeedbackCircle.In(Stages(stages)).Select(c => $"{c}")];

    private static (string, IEnumerable<string>, IEnumerable<string>)[] Stages(string[] stages) => Array.ConvertAll(stages, stage =>
    {
        string[][] sides = [.. stage.Split('<').Select(side => side.Split(' ', StringSplitOptions.RemoveEmptyEntries))];
        return (sides[0][0], sides[0].Skip(1), (IEnumerable<string>)(sides.Length > 1 ? sides[1] : []));
    });
}

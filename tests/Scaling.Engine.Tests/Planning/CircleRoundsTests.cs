// When the rounds of a circle end, and when they never would.
using Scaling.Engine.Pipelines;
using Scaling.Engine.Planning;
using Scaling.Engine.Plugins;
using Scaling.Sdk;

namespace Scaling.Engine.Tests.Planning;

public sealed class CircleRoundsTests
{
    private static readonly StageNode Lister = new()
    {
        Id = "shapes",
        Location = new SourceLocation("study.yaml", 3, 3),
        Type = new StageType(new StageDescriptor(new StageDeclaration { Type = "sweep", Summary = "", Outputs = [] }, [], Contract.Revision), "/plugin.dll", [], []),
        Settings = [],
        SettingLocations = new Dictionary<string, SourceLocation>(),
        Files = [],
        Inputs = [],
        Patience = TimeSpan.FromMinutes(1),
    };

    private readonly CircleRounds _rounds = new(new FeedbackCircle("shapes", ["runs"]), Lister);
    private int _listings;

    [Fact]
    public void They_end_when_nothing_new_was_listed_whatever_the_listing_says()
    {
        Assert.Equal((1, null), (_rounds.Number, _rounds.Before));
        Assert.False(End("a", "b"));
        Assert.NotNull(_rounds.Before);
        Assert.False(End("a", "b", "c"));
        Assert.Equal("round 3 of the circle shapes → runs", $"{_rounds}");
        Assert.True(End("c", "b", "a"));
        Assert.Equal(3, _rounds.Number);
    }

    [Fact]
    public void They_end_at_once_where_nothing_is_listed_twice()
    {
        Assert.False(End());
        Assert.True(End());
    }

    [Fact]
    public void What_comes_back_to_an_earlier_round_but_the_last_would_go_round_for_ever()
    {
        End("a");
        End("b");

        var refused = Assert.Throws<StageFailedException>(() => End("a"));

        Assert.Equal("study.yaml(3,3): error SCAL3036: The circle of feedback shapes → runs does not end: 'shapes' (sweep) lists in round 3 what it listed in round 1, and so round and round.",
            $"{refused.Diagnostics[0] with { Hint = null }}");
    }

    [Fact]
    public void A_thousand_rounds_are_enough()
    {
        for (int round = 1; round < CircleRounds.Most; round++)
        {
            Assert.False(End($"{round}"));
        }

        Assert.Contains("lists something new after 1000 rounds", Assert.Throws<StageFailedException>(() => End("new")).Diagnostics[0].Message);
    }

    private bool End(params string[] keys) => _rounds.End(
        new Dictionary<string, IReadOnlyList<string>> { ["shapes"] = [$"listing {_listings++}"], ["runs"] = keys },
        new Dictionary<string, StageResult> { ["shapes"] = new([]), ["runs"] = new([]), ["before"] = new([]) });
}

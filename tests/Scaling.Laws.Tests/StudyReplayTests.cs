// A real study decided with a part of its runs.
using Scaling.TestKit;

namespace Scaling.Laws.Tests;

public sealed class StudyReplayTests
{
    [Fact]
    public void A_quarter_of_the_committed_study_picks_a_shape_that_cannot_be_told_from_that_of_all_runs()
    {
        var study = new StudyReplay(Repository.Root);
        var end = study.Play(0.25, regretToStop: null);

        Assert.Equal(164, study.Runs);
        Assert.InRange(end.Share, 0.2, 0.25);
        Assert.True(end.CannotBeToldApart, $"it would lose {end.Loses:0.0000} ± {end.LosesDeviation:0.0000}");
    }

    [Fact]
    public void It_stops_by_itself_when_its_expected_regret_is_small()
    {
        var end = new StudyReplay(Repository.Root).Play(1, regretToStop: 0.0025);

        Assert.Equal(StudyVerdict.RegretReached, end.Last.Verdict);
        Assert.True(end.Share < 0.7 && end.CannotBeToldApart, $"after {end.Share:0%} it would lose {end.Loses:0.0000} ± {end.LosesDeviation:0.0000}");
    }
}

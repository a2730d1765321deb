// The committed study on two cores, replayed: runs are revealed only when the design chooses them.
using System.Globalization;
using Scaling.Architectures;
using Scaling.TestKit;
using Xunit.Abstractions;

namespace Scaling.Laws.Tests;



public sealed class StudyReplayTests(ITestOutputHelper output)
{
    private const double Target = 160_000;

    [Fact]
    public void The_pick_cannot_be_told_apart_from_that_of_all_runs()
    {
        var runs = Runs();
        var shapes = new ShapeSpace(Target, 0.025, [2], [8], [2], 4, 256, true, new Scaling.Architectures.Bounds(0.11, 0.34), new Scaling.Architectures.Bounds(0.4, 5.5)).Shapes().ToArray();
        (double X, double Ratio)[] places = [.. shapes.Select(s => (s.X, s.Ratio))];
        var byPoint = runs.GroupBy(r => r.Point).ToDictionary(g => g.Key, g => g.ToArray());
        StudyCandidate[] candidates = [.. byPoint.Select(p => new StudyCandidate(p.Key, p.Value[0].Flops, p.Value.Length))];
        double all = runs.Sum(r => r.Flops);
        var prior = StudyPrior.Within(new Interval(0.11, 0.34), new Interval(0.4, 5.5), 28_000, 0.02);
        var everything = StudyBelief.After(prior, [.. runs.Select(r => new StudyResult(r.Point, r.Loss))]);
        var final = everything.Judge(Target, places);
        int reference = Enumerable.Range(0, places.Length).MinBy(i => final[i].ExpectedRegret);
        var optimum = everything.OptimumAt(Target);
        output.WriteLine(FormattableString.Invariant($"all {runs.Count} runs: x* {optimum.X:0.000} ± {optimum.XError:0.000}, r* {optimum.Ratio:0.00} ± {optimum.RatioError:0.00}; pick {places[reference]}, regret {final[reference].ExpectedRegret:0.0000}, set {final.Count(o => o.InConfidenceSet)}; noise {string.Join(' ', new[] { 1e4, 2e4, 4e4, 8e4 }.Select(n => everything.NoiseAt(n).ToString("0.0000", CultureInfo.InvariantCulture)))}"));
        foreach (double share in new[] { 0.1, 0.25, 0.5, 1.0 })
        {
            var goal = new StudyGoal(prior, Target, places, candidates, share * all) { RoundRuns = 6, StopsAtOneShape = false };
            int[] bought = new int[candidates.Length];
            var results = new List<StudyResult>();
            StudyRound round;
            int rounds = 0;
            while ((round = StudyRound.Of(goal, bought, results)).Next.Count > 0)
            {
                rounds++;
                foreach (int i in round.Next)
                {
                    results.Add(new StudyResult(candidates[i].Point, byPoint[candidates[i].Point][bought[i]++].Loss));
                }
            }

            var found = round.Belief.OptimumAt(Target);
            int pick = round.Pick;
            output.WriteLine(FormattableString.Invariant($"{share:0%}: {rounds} rounds, {results.Count} runs, spent {round.Spent / all:0.00}; x* {found.X:0.000} ± {found.XError:0.000}, r* {found.Ratio:0.00} ± {found.RatioError:0.00}; pick {places[pick]}; with all runs it would lose {final[pick].LossDifference:0.0000}, expected regret {final[pick].ExpectedRegret:0.0000}, in set {final[pick].InConfidenceSet}; sizes {string.Join(' ', results.GroupBy(r => r.Point.Size).OrderBy(g => g.Key).Select(g => g.Count()))}"));
        }
    }

    private sealed record Run(StudyPoint Point, double Loss, double Flops);

    /// <summary>The runs of the grid at their whole budget, in the order of their seeds.</summary>
    private static List<Run> Runs()
    {
        var runs = new List<Run>();
        double[] sizes = [10_000, 20_000, 40_000, 80_000];
        foreach (string line in File.ReadLines(Path.Combine(Repository.Root, "examples", "cpu-study", "runs.csv")).Skip(1))
        {
            // Nothing is quoted before the schedule.
            string[] c = line.Split(',');
            double Number(int i) => double.Parse(c[i], CultureInfo.InvariantCulture);
            int Whole(int i) => int.Parse(c[i], CultureInfo.InvariantCulture);
            if (Number(15) == 20 && Number(26) == 1)
            {
                var shape = new DecoderShape(Whole(1), Whole(2), Whole(3), Whole(4), Whole(5), Whole(6), Whole(7), c[8] == "true");
                runs.Add(new Run(
                    new StudyPoint(shape.Parameters, shape.X, shape.Ratio, 1, sizes.MinBy(s => Math.Abs(Math.Log(s / shape.Parameters)))), Number(17), TrainingCost.FlopsPerToken(shape, 128) * Number(16)));
            }
        }

        return runs;
    }
}

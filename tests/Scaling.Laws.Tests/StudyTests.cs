// Plans of studies: the belief that runs give, the runs that are worth most, and what a plan promises.

namespace Scaling.Laws.Tests;

public sealed class StudyTests
{
    private const double Target = 1e9;
    private static readonly double[] s_sizes = [8e7, 1.45e8, 2.97e8];
    private static readonly StudyPrior s_prior = StudyPrior.Published(0.0005);
    private static readonly (double X, double Ratio)[] s_shapes = [.. from x in new[] { 0.06, 0.07, 0.08, 0.09 } from ratio in new[] { 0.6, 1, 1.6 } select (x, ratio)];

    [Theory]
    [InlineData(1.0)]
    [InlineData(0.001)]
    [InlineData(-0.7)]
    public void The_derivatives_of_a_valley_are_those_of_its_differences(double asymmetry)
    {
        double[] p = [-3, -2.5, 0.05, asymmetry, 0.1, 0.04, -0.3, -4, 0.1, -0.08, 1.3, 0.05, -0.1, 0.2, 0.3];
        var at = new ValleyPoint(0.7, -2.1, 0.8, -1.4, 0.01);
        double[] gradient = new double[Valley.Count];
        Valley.Gradient(p, at, gradient);
        for (int i = 0; i < p.Length; i++)
        {
            const double step = 1e-6;
            double[] up = [.. p], down = [.. p];
            up[i] += step;
            down[i] -= step;
            Assert.Equal((Valley.Effect(up, at) - Valley.Effect(down, at)) / (2 * step), gradient[i], 1e-8);
        }
    }

    [Fact]
    public void A_valley_with_the_usual_asymmetry_is_the_published_law()
    {
        var terms = PublishedShapeTerms.From80MTo297M;
        var x = s_prior.X;
        double[] p = new double[Valley.Count];
        (p[Valley.Curvature], p[Valley.Optimum], p[Valley.Asymmetry]) = (x.Curvature.Mean, x.Optimum.Mean, 1);
        (p[Valley.Axis + Valley.Curvature], p[Valley.Axis + Valley.Optimum], p[Valley.Axis + Valley.Asymmetry]) = (s_prior.Ratio.Curvature.Mean, s_prior.Ratio.Optimum.Mean, 1);
        foreach (var (width, ratio) in new[] { (0.05, 0.5), (0.08, 1.03), (0.13, 4.8) })
        {
            double published = Math.Log(terms.Factor(width, ratio) / terms.Factor(terms.XStar, terms.RStar));
            Assert.Equal(published, Valley.Effect(p, new ValleyPoint(0, Math.Log(width), Math.Log(ratio), 0, 0)), 2e-5); // Curvatures are taken from differences.
        }
    }

    [Fact]
    public void Before_any_run_the_prior_is_believed()
    {
        var optimum = StudyBelief.Before(s_prior).OptimumAt(s_prior.ReferenceSize);

        Assert.Equal(Math.Exp(s_prior.X.Optimum.Mean), optimum.X, 1e-9);
        Assert.Equal(s_prior.X.Optimum.Deviation, optimum.XError, 1e-6);
        Assert.True(StudyBelief.Before(s_prior).OptimumAt(Target).XError > optimum.XError);
    }

    [Fact]
    public void Many_runs_find_the_optimum_and_its_drift_and_the_noise()
    {
        var belief = StudyBelief.After(s_prior, Grid(repeats: 4));
        var optimum = belief.OptimumAt(Target);

        Assert.Equal(TrueOptimum(Target).X, Math.Log(optimum.X), 4 * optimum.XError);
        Assert.Equal(TrueOptimum(Target).Ratio, Math.Log(optimum.Ratio), 4 * optimum.RatioError);
        Assert.InRange(optimum.XError, 0.001, 0.02);
        Assert.All(s_sizes, n => Assert.InRange(belief.NoiseAt(n) / Noise(n), 0.8, 1.25));
    }

    [Fact]
    public void The_order_of_the_runs_changes_nothing()
    {
        var runs = Grid(repeats: 1);
        var (first, second) = (StudyBelief.After(s_prior, runs).OptimumAt(Target), StudyBelief.After(s_prior, [.. runs.Reverse()]).OptimumAt(Target));

        Assert.Equal(first, second);
    }

    [Fact]
    public void A_plan_spends_its_budget_and_promises_more_for_more()
    {
        var belief = StudyBelief.Before(s_prior);
        StudyCandidate[] candidates = Candidates(most: 20);
        double one = candidates.Sum(c => c.Cost);
        StudyForecast[] forecasts = [.. new[] { 0, 0.5, 1, 2 }.Select(share => StudyPlan.Of(belief, Target, candidates, share * one).Forecast)];

        Assert.Equal([0, 0.5, 1, 2], forecasts.Select(f => Math.Round(f.Budget / one, 6)));
        Assert.All(forecasts.Zip(forecasts.Skip(1)), p => Assert.True(p.Second.Regret < p.First.Regret && p.Second.XError < p.First.XError));
    }

    /// <summary>General equivalence: at the best plan no exchange between two candidates lowers the expected regret.</summary>
    [Fact]
    public void No_exchange_of_runs_betters_a_plan()
    {
        var belief = StudyBelief.Before(s_prior);
        StudyCandidate[] candidates = Candidates(most: 10_000);
        double budget = candidates.Sum(c => c.Cost);
        var plan = StudyPlan.Of(belief, Target, candidates, budget);
        var grid = StudyPlan.Expect(belief, Target, candidates, [.. candidates.Select(_ => 1.0)]);

        Assert.True(plan.Forecast.Regret < 0.8 * grid.Regret, $"{plan.Forecast.Regret} where the grid has {grid.Regret}");
        for (int i = 0; i < candidates.Length; i++)
        {
            const double share = 0.02;
            double[] other = [.. plan.Runs.Select((r, k) => (1 - share) * r + (k == i ? share * budget / candidates[i].Cost : 0))];
            Assert.True(StudyPlan.Expect(belief, Target, candidates, other).Regret > 0.999 * plan.Forecast.Regret, $"candidate {i}");
        }
    }

    [Fact]
    public void A_round_stays_within_its_size_and_what_is_left()
    {
        StudyCandidate[] candidates = Candidates(most: 3);
        var goal = new StudyGoal(s_prior, Target, s_shapes, candidates, 0.3 * candidates.Sum(c => c.Cost)) { RoundRuns = 5, StopsAtOneShape = false };
        int[] bought = new int[candidates.Length];
        var results = new List<StudyResult>();
        StudyRound round;
        while ((round = StudyRound.Of(goal, bought, results)).Next.Count > 0)
        {
            Assert.InRange(round.Next.Count, 1, 5);
            foreach (int i in round.Next)
            {
                results.Add(Run(candidates[i].Point, bought[i]++, i));
            }

            Assert.All(bought.Zip(candidates), p => Assert.InRange(p.First, 0, p.Second.Most));
        }

        Assert.Equal(StudyVerdict.BudgetSpent, round.Verdict);
        Assert.InRange(round.Spent / goal.Budget, 0.9, 1);
        Assert.Equal(TrueOptimum(Target).X, Math.Log(round.Belief.OptimumAt(Target).X), 0.1);
    }

    [Fact]
    public void A_study_ends_when_its_regret_is_small_enough_or_one_shape_is_left()
    {
        StudyCandidate[] candidates = Candidates(most: 3);
        StudyResult[] results = [.. Grid(repeats: 3)];
        int[] bought = [.. candidates.Select(_ => 3)];
        var goal = new StudyGoal(s_prior, Target, s_shapes, [.. candidates.Select(c => c with { Most = 6 })], 3 * candidates.Sum(c => 3 * c.Cost));

        Assert.Equal(StudyVerdict.OneShape, StudyRound.Of(goal, bought, results).Verdict);
        Assert.Equal(StudyVerdict.RegretReached, StudyRound.Of(goal with { RegretToStop = 0.001 }, bought, results).Verdict);
        Assert.Equal(StudyVerdict.GoesOn, StudyRound.Of(goal with { StopsAtOneShape = false }, bought, results).Verdict);
        Assert.Equal(StudyVerdict.GoesOn, StudyRound.Of(goal with { RegretToStop = 1 }, [.. candidates.Select(_ => 0)], []).Verdict); // Nothing is decided without a run.

        // Nor by short runs alone.
        Assert.Equal(StudyVerdict.GoesOn, StudyRound.Of(goal with { RegretToStop = 1 }, bought, [.. results.Select(r => r with { Point = r.Point with { BudgetShare = 0.25 } })]).Verdict);
    }

    [Fact]
    public void A_budget_that_is_spent_and_candidates_that_are_are_two_ends()
    {
        StudyCandidate[] candidates = Candidates(most: 1);
        StudyResult[] results = [.. Grid(repeats: 1)];
        int[] bought = [.. candidates.Select(_ => 1)];
        double cost = candidates.Sum(c => c.Cost);
        StudyVerdict End(int most, double budget) =>
            StudyRound.Of(new StudyGoal(s_prior, Target, s_shapes, [.. candidates.Select(c => c with { Most = most })], budget) { StopsAtOneShape = false }, bought, results).Verdict;

        Assert.Equal(StudyVerdict.NothingLeft, End(most: 1, 10 * cost));
        Assert.Equal(StudyVerdict.NothingLeft, End(most: 1, cost));
        Assert.Equal(StudyVerdict.BudgetSpent, End(most: 2, cost));
        Assert.Equal(StudyVerdict.GoesOn, End(most: 2, 10 * cost));
    }

    [Fact]
    public void Short_runs_are_believed_only_as_far_as_long_ones_show_their_bias()
    {
        StudyPoint Short(StudyPoint p) => p with { BudgetShare = 0.25 };
        StudyResult[] longer = [.. Grid(repeats: 1)], shorter = [.. Candidates(1).Select((c, i) => Run(Short(c.Point), 0, i))];
        double Error(params StudyResult[][] runs) => StudyBelief.After(s_prior, [.. runs.SelectMany(r => r)]).OptimumAt(2e8).XError;

        Assert.True(Error(shorter) > 0.8 * Error(), "short runs alone leave their bias, and so what was believed before");
        Assert.True(Error(longer) < 0.05 && Error(longer, shorter) < Error(longer), "beside long ones they add what the bias leaves");
    }

    [Fact]
    public void A_law_without_a_minimum_is_no_prior()
    {
        var law = PublishedShapeTerms.ToDocument(PublishedShapeTerms.From80MTo297M, s_sizes, "");

        Assert.NotNull(StudyPrior.Of(law, 0.001));
        Assert.Null(StudyPrior.Of(law with { Shape = law.Shape! with { Coefficients = law.Shape.Coefficients with { A1 = -0.1 } } }, 0.001));
        Assert.Null(StudyPrior.Of(law with { Shape = null }, 0.001));
    }

    /// <summary>The same runs as a table, read by <c>fit</c> with <c>form: valley</c>.</summary>
    [Fact]
    public void A_fitted_valley_says_what_the_belief_says()
    {
        StudyResult[] results = [.. Grid(repeats: 2)];
        TrainingRun[] runs = [.. results.Select((r, i) => new TrainingRun(i + 1, r.Point.Parameters, 100 * r.Point.Size, r.Loss) { X = r.Point.X, Ratio = r.Point.Ratio })];
        var law = LawFit.Fit(runs, new LawContext(), new LawOptions { Form = FormChoice.Valley, Resamples = 200, RatioRange = new(0.1, 10) }).Document;
        var believed = StudyBelief.After(StudyPrior.Within(new(0.05, 0.13), new(0.5, 4), s_prior.ReferenceSize, 0.001) with { NoiseFreedom = 0.5 }, results).OptimumAt(Target);
        var (x, ratio) = law.Shape!.OptimumAt(Target);

        Assert.Equal(LawForm.Valley, law.Shape.Form);
        Assert.Equal(believed.X, x!.Value, 2e-3 * believed.X);
        Assert.Equal(believed.Ratio, ratio!.Value, 2e-3 * believed.Ratio);
        Assert.Equal(TrueOptimum(Target).X, Math.Log(x.Value), 4 * believed.XError);

        double[] resampled = [.. law.ResampledLaws().Select(r => Math.Log(r.Shape!.OptimumAt(Target).X!.Value))];
        double spread = Math.Sqrt(resampled.Average(v => Math.Pow(v - Math.Log(x.Value), 2)));
        Assert.InRange(spread / believed.XError, 0.6, 1.6);
        Assert.Equal(Identification.Identified, law.Verdict("x_star")!.Identification);
        Assert.Equal(1, law.Shape.Factor(null, null), 1e-12);

        var read = LawDocument.Parse(law.ToJson());
        Assert.Equal(law.Predict(Target, 1e11, 0.07, 2), read.Predict(Target, 1e11, 0.07, 2));
        Assert.Equal(law.ResampledLaws().Last().Shape!.Numbers(), read.ResampledLaws().Last().Shape!.Numbers());
    }

    /// <summary>What the runs do not tell scatters as it was believed to, instead of standing still at the prior.</summary>
    [Fact]
    public void A_valley_without_evidence_is_not_identified()
    {
        TrainingRun[] runs =
        [
            .. from n in s_sizes
               from i in Enumerable.Range(0, 16)
               let random = new Random((int)(n / 1e5) + i)
               let x = 0.05 * Math.Pow(2.6, i % 4 / 3.0)
               let ratio = 0.5 * Math.Pow(8, i / 4 / 3.0)
               select new TrainingRun((int)(n / 1e5) + i, n, 100 * n, (1.7 + 40 / Math.Pow(n, 0.2)) * (1 + 0.004 * (random.NextDouble() - 0.5))) { X = x, Ratio = ratio },
        ];
        var law = LawFit.Fit(runs, new LawContext(), new LawOptions { Form = FormChoice.Valley, Resamples = 200, RatioRange = new(0.1, 10) }).Document;

        Assert.NotEqual(Identification.Identified, law.Verdict("r_star")!.Identification);
    }

    private static double Noise(double parameters) => 0.0005 * Math.Sqrt(1.5e8 / parameters);

    private static (double X, double Ratio) TrueOptimum(double parameters) => (Math.Log(0.075) - 0.03 * Math.Log(parameters / 1.5e8), Math.Log(1.2) + 0.06 * Math.Log(parameters / 1.5e8));

    private static StudyCandidate[] Candidates(int most) =>
    [
        .. from n in s_sizes
           from x in new[] { 0.05, 0.065, 0.08, 0.1, 0.13 }
           from ratio in new[] { 0.5, 1, 2, 4 }
           select new StudyCandidate(new StudyPoint(n * (1 + 0.01 * Math.Sin(1e3 * x + ratio)), x, ratio, 1, n), n * n, most),
    ];

    private static StudyResult[] Grid(int repeats) =>
        [.. Enumerable.Range(0, repeats).SelectMany(k => Candidates(1).Select((c, i) => Run(c.Point, k, i)))];

    private static StudyResult Run(StudyPoint p, int seed, int candidate)
    {
        var random = new Random(1000 * candidate + seed);
        double z = Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
        var (x, ratio) = TrueOptimum(p.Parameters);
        double Height(double u) => u + Math.Exp(-u) - 1;
        double law = 1.69 + 406.4 / Math.Pow(p.Parameters, 0.34) + 410.7 / Math.Pow(100 * p.BudgetShare * p.Parameters, 0.28);
        return new StudyResult(p, law * (1 + 0.05 * Height(Math.Log(p.X) - x)) * (1 + 0.02 * Height(Math.Log(p.Ratio) - ratio)) * Math.Exp(Noise(p.Parameters) * z));
    }
}

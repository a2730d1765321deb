// The base law: recovered where it is known, at least as low as others' minima where it is not.
using Scaling.TestKit;

namespace Scaling.Laws.Tests;

public sealed class ChinchillaFitTests
{
    [Theory]
    [InlineData(ObjectiveKind.LogHuber)]
    [InlineData(ObjectiveKind.LeastSquares)]
    public void An_exact_surface_gives_its_constants_back(ObjectiveKind objective)
    {
        var law = Fit(Studies.ExactSurface, Studies.Chinchilla with { Objective = objective });

        // The tolerance is the project's promise; the fit reaches 1e-13.
        Assert.Equal(1.69, law.Base.E, 1.69e-6);
        Assert.Equal(406.4, law.Base.A, 406.4e-6);
        Assert.Equal(410.7, law.Base.B, 410.7e-6);
        Assert.Equal(0.34, law.Base.Alpha, 0.34e-6);
        Assert.Equal(0.28, law.Base.Beta, 0.28e-6);
        Assert.Equal(Identification.Identified, law.Verdict("exponents")!.Identification);
        Assert.Equal(Identification.Identified, law.Verdict("prediction_off_ray")!.Identification);
    }

    [Theory]
    [InlineData(ObjectiveKind.LogHuber)]
    [InlineData(ObjectiveKind.LeastSquares)]
    public void One_ray_gives_predictions_along_it_but_no_exponents(ObjectiveKind objective)
    {
        var law = Fit(Studies.ExactRay, Studies.Chinchilla with { Objective = objective });

        Assert.Equal(Identification.NotIdentified, law.Verdict("exponents")!.Identification);
        Assert.Equal(Identification.NotIdentified, law.Verdict("prediction_off_ray")!.Identification);
        Assert.Equal(Identification.Identified, law.Verdict("prediction_along_ray")!.Identification);

        // Four times the largest run. A tenth of the noise between two seeds, 5e-4 nats, is right enough.
        Assert.Equal(Studies.Printed.Predict(4e9, 8e10), law.Predict(4e9, 8e10), 5e-5);
    }

    // Minima that two other programs agree on (gemstone-scaling-laws' own fits reproduced; log-Huber 1e-3, total parameters).
    [SharedDataFact]
    public void Gemstones_hot_reaches_the_known_minimum() => Reaches("hot", 0.0019816128088, 213.08, 2.1432, 0.2929, 0.7130);

    [SharedDataFact]
    public void Gemstones_cool_end_reaches_the_known_minimum() => Reaches("cool_end", 0.0019640864312, 226.13, 2.0748, 0.3004, 0.5802);

    [SharedDataFact]
    public void A_published_exponent_that_ran_away_is_not_identified()
    {
        var law = Fit(Studies.Gemstones("hot_100b+_512x"), Studies.Chinchilla);

        // The known minimum is printed with five digits.
        Assert.InRange(law.Fit.ObjectiveValue, 0, 7.85915e-5);
        Assert.Equal(Identification.NotIdentified, law.Verdict("exponents")!.Identification);
    }

    [SharedDataFact]
    public void The_OLMo_ladder_is_weakly_identified_and_foretells_its_larger_models()
    {
        var runs = Studies.OlmoLadder();
        var law = Fit([.. runs.Where(r => r.Parameters < 1.5e9)], Studies.Chinchilla);

        Assert.Equal(7.699461512e-5, law.Fit.ObjectiveValue, 7.7e-5 * 1e-8);
        Assert.Equal(Identification.WeaklyIdentified, law.Verdict("exponents")!.Identification);
        Assert.InRange(law.Intervals.Alpha!.Low, 0, 0.063);
        Assert.InRange(law.Intervals.Alpha.High, 0.114, 1);
        double[] errors = [.. runs.Where(r => r.Parameters > 5e9).OrderBy(r => r.Parameters).Select(r => law.Predict(r.Parameters, r.Tokens) / r.Loss - 1)];
        Assert.Equal(-0.011, errors[0], 0.0005);
        Assert.Equal(-0.0273, errors[1], 0.0005);
    }

    [Theory]
    [InlineData(ObjectiveKind.LogHuber)]
    [InlineData(ObjectiveKind.LeastSquares)]
    public void Derivatives_agree_with_finite_differences(ObjectiveKind kind)
    {
        var runs = Studies.ExactSurface;
        double[] loss = [.. runs.Select((r, i) => r.Loss * (1 + 0.01 * Math.Sin(i)))];
        var objective = new ChinchillaObjective([.. runs.Select(r => r.Parameters)], [.. runs.Select(r => r.Tokens)], loss, kind, 1e-3);
        double[] point = [0.6, -0.4, -0.5, Math.Log(0.3), Math.Log(0.4)];
        var here = objective.Expand(point);

        // Central differences with h = 1e-5 err by about h² of the third derivative.
        const double H = 1e-5;
        for (int j = 0; j < 5; j++)
        {
            double[] above = [.. point], below = [.. point];
            (above[j], below[j]) = (point[j] + H, point[j] - H);
            double scale = here.Gradient.Max(Math.Abs);
            Assert.Equal((objective.Value(above) - objective.Value(below)) / (2 * H), here.Gradient[j], 1e-6 * scale);
            var (gradientAbove, gradientBelow) = (objective.Expand(above).Gradient, objective.Expand(below).Gradient);
            for (int k = 0; k < 5; k++)
            {
                Assert.Equal((gradientAbove[k] - gradientBelow[k]) / (2 * H), here.Hessian[j, k], 1e-6 * scale);
            }
        }
    }

    [Fact]
    public void Non_negative_least_squares_is_the_best_of_all_subsets()
    {
        var random = new Random(7);
        for (int trial = 0; trial < 50; trial++)
        {
            double[][] columns = [.. Enumerable.Range(0, 3).Select(_ => Enumerable.Range(0, 6).Select(_ => random.NextDouble()).ToArray())];
            double[] target = [.. Enumerable.Range(0, 6).Select(_ => random.NextDouble() - 0.3)];
            double[,] gram = new double[3, 3];
            double[] right = new double[3];
            for (int i = 0; i < 3; i++)
            {
                right[i] = columns[i].Zip(target, (a, b) => a * b).Sum();
                for (int j = 0; j < 3; j++)
                {
                    gram[i, j] = columns[i].Zip(columns[j], (a, b) => a * b).Sum();
                }
            }

            double[] solution = NonNegativeLeastSquares.Solve(gram, right);

            // The conditions of Karush, Kuhn and Tucker: no slope inside, none downhill at the bound.
            for (int i = 0; i < 3; i++)
            {
                double slope = right[i] - Enumerable.Range(0, 3).Sum(j => gram[i, j] * solution[j]);
                Assert.True(solution[i] >= 0);
                Assert.True(solution[i] > 0 ? Math.Abs(slope) < 1e-10 : slope < 1e-10, $"slope {slope} at {solution[i]}");
            }
        }
    }

    private static void Reaches(string table, double minimum, double a, double e, double alpha, double beta)
    {
        var law = Fit(Studies.Gemstones(table), Studies.Chinchilla);

        Assert.InRange(law.Fit.ObjectiveValue, 0, minimum * (1 + 1e-8));
        Assert.Equal(a, law.Base.A, 0.01);
        Assert.Equal(e, law.Base.E, 1e-4);
        Assert.Equal(alpha, law.Base.Alpha, 1e-4);
        Assert.Equal(beta, law.Base.Beta, 1e-4);
    }

    private static LawDocument Fit(IReadOnlyList<TrainingRun> runs, LawOptions options) => LawFit.Fit(runs, new LawContext(), options).Document;
}

// law.json: what is written is read, the same runs give the same bytes, and poor runs give verdicts instead of failures.
using System.Globalization;
using System.Text.RegularExpressions;
using Scaling.TestKit;

namespace Scaling.Laws.Tests;

public sealed class LawDocumentTests
{
    [Fact]
    public void A_law_reads_back_as_it_was_written()
    {
        var law = LawFit.Fit(Studies.Shapes(PublishedShapeTerms.From80MTo297M, noise: 0.001), new LawContext { Gqa = [4], Tied = [true] }, new LawOptions { Resamples = 5 }).Document;
        string json = law.ToJson();

        Assert.Equal(json, LawDocument.Parse(json).ToJson());
        Assert.Equal(law.Predict(1e9, 1e11, 0.08, 1), LawDocument.Parse(json).Predict(1e9, 1e11, 0.08, 1));
    }

    [Fact]
    public void The_same_runs_give_the_same_bytes()
    {
        var runs = Studies.Shapes(PublishedShapeTerms.From80MTo297M, noise: 0.002);
        string First() => LawFit.Fit(runs, new LawContext(), new LawOptions { Resamples = 20 }).Document.ToJson();
        Assert.Equal(First(), First());
    }

    [Fact]
    public Task The_document_looks_like_this() =>
        Snapshot.Match(Rounded(LawFit.FitCounted(
            [.. Studies.Shapes(PublishedShapeTerms.From80MTo297M, noise: 0.002, widths: [0.05, 0.08, 0.13], ratios: [0.5, 1, 4]).Select(r => r with { Gqa = 1 + r.Row % 2, OtherParameters = 1.1 * r.Parameters })],
            new LawContext { Layers = [12], HeadSize = [64], Gqa = [1, 2], Vocabulary = [50304], Tied = [true] },
            new LawOptions { Resamples = 20, Terms = [LawTerm.Gqa], Form = FormChoice.Auto }, "non-embedding", "total").Document.ToJson()));

    [Theory]
    [InlineData("{}")]
    [InlineData("[1]")]
    [InlineData("not json")]
    [InlineData("null")]
    public void What_is_no_law_is_refused_with_a_sentence(string json) => Assert.Throws<FormatException>(() => LawDocument.Parse(json));

    [Fact]
    public void Another_version_is_refused()
    {
        string json = LawFit.Fit(Studies.ExactSurface, new LawContext(), Studies.Chinchilla with { Resamples = 0 }).Document.ToJson();
        var refused = Assert.Throws<FormatException>(() => LawDocument.Parse(json.Replace("\"version\": 2", "\"version\": 3")));
        Assert.Contains("version 3", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_prediction_interval_holds_what_was_measured()
    {
        var runs = Studies.Shapes(PublishedShapeTerms.From80MTo297M, noise: 0.002);
        var law = LawFit.Fit(runs, new LawContext(), new LawOptions()).Document;
        int inside = runs.Count(r => law.PredictionInterval(LawPoint.Of(r))!.Contains(r.Loss));

        // 120 rows at 95 %: 114 ± 2.4, and residual noise and the fit's own spread both count.
        Assert.InRange(inside, 108, 120);
    }

    public static TheoryData<string, double[]> PoorLosses => new()
    {
        { "equal", [2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2] },
        { "rising with size", [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12] },
        { "wild", [1e-6, 1e6, 3, 3, 3, 1e3, 1e-3, 2, 2, 9, 9, 9] },
        { "three", [3, 2, 2.5] },
    };

    [Theory]
    [MemberData(nameof(PoorLosses))]
    public void Poor_runs_give_verdicts_and_finite_numbers(string what, double[] loss)
    {
        foreach (var law in Enum.GetValues<LawKind>())
        {
            foreach (var objective in Enum.GetValues<ObjectiveKind>())
            {
                TrainingRun[] runs = [.. loss.Select((l, i) => new TrainingRun(i + 1, 1e8 * (1 + i / 4), 2e9 * (1 + i % 2), l) { X = 0.05 * (1 + i % 4), Ratio = 1, WidthOverDepth = 30 + 10 * (i % 3) })];
                var document = LawFit.Fit(runs, new LawContext(), new LawOptions { Law = law, Objective = objective, Resamples = 20 }).Document;

                // Writing JSON throws at NaN and infinity.
                Assert.Equal(document.ToJson(), LawDocument.Parse(document.ToJson()).ToJson());
                Assert.NotEqual(Identification.Identified, document.Verdict("exponents")!.Identification);
                Assert.True(what == "wild" || document.Verdict("prediction_along_ray")!.Identification != Identification.Identified, $"{what} {law} {objective}");
            }
        }
    }

    [Fact]
    public void Many_rows_get_fewer_resamples()
    {
        Assert.Equal(1000, Resampling.Count(1000, 240));
        Assert.Equal(500, Resampling.Count(1000, 10_000));
        Assert.Equal(100, Resampling.Count(1000, 100_000));
        Assert.Equal(0, Resampling.Count(0, 240));
    }

    [Fact]
    public void Neighbouring_sizes_are_one_class_and_distant_ones_two()
    {
        Assert.Equal([0, 1, 0, 2, 1], SizeClasses.Of([100, 200, 110, 300, 190]));
        Assert.Equal([0], SizeClasses.Of([5]));

        // Values spread evenly are no single one.
        Assert.Equal([0, 0, 0, 1, 1, 1], SizeClasses.Of([100, 120, 144, 173, 207, 249]));
        Assert.Equal(0, SizeClasses.Count([]));
    }

    [Fact]
    public void Scores_have_their_textbook_values()
    {
        // Ranks 1 2 3 4 against 2 1 4 3: 1 − 6·4/(4·15) = 0.6.
        Assert.Equal(0.6, Scores.Spearman([1, 2, 3, 4], [2, 1, 4, 3])!.Value, 1e-12);
        Assert.Null(Scores.Spearman([1, 1], [1, 2]));
        Assert.Equal(0.5, Scores.LevelError([2, 3], [1, 3]));
        Assert.Equal(0.5, Scores.ShapeError([2, 3], [1, 3]), 1e-12);
    }

    /// <summary>Two-sided exact values of Olds's tables (Annals of Mathematical Statistics 9, 1938); at 10 rows 0.648 is the bound of 5 %, and drawn orders come within 0.005 of it.</summary>
    [Fact]
    public void How_often_chance_makes_a_rank_correlation_as_strong_is_as_tabulated()
    {
        Assert.Equal(2 / 24.0, Scores.SpearmanByChance([1, 2, 3, 4], [9, 7, 5, 3])!.Value, 1e-12);
        Assert.Equal(10 / 120.0, Scores.SpearmanByChance([1, 2, 3, 4, 5], [1, 2, 3, 5, 4])!.Value, 1e-12);
        Assert.Equal(42 / 720.0, Scores.SpearmanByChance([1, 2, 3, 4, 5, 6], [2, 1, 4, 3, 6, 5])!.Value, 1e-12);
        Assert.Equal(0.049, Scores.SpearmanByChance([1, 2, 3, 4, 5, 6, 7, 8, 9, 10], [6, 2, 3, 4, 5, 1, 9, 8, 7, 10])!.Value, 0.005);
        Assert.Equal(1, Scores.SpearmanByChance([1, 2], [3, 4]));
        Assert.Null(Scores.SpearmanByChance([1, 1], [1, 2]));
    }

    /// <summary>Four digits: the last of sixteen are the processor's.</summary>
    private static string Rounded(string json) => Regex.Replace(json, @"-?\d+\.\d+(E[-+]\d+)?", m =>
        double.Parse(m.Value, CultureInfo.InvariantCulture) is var number && Math.Abs(number) < 1e-9 ? "0.0" : number.ToString("G4", CultureInfo.InvariantCulture));
}

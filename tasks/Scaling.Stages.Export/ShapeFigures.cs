// The figures of loss against x and against the ratio: runs of all sizes about the law's curve, with what is known of it.
using Scaling.Laws;
using Scaling.Reports;

namespace Scaling.Stages.Export;

internal static class ShapeFigures
{
    /// <summary>Points of a curve.</summary>
    private const int CurvePoints = 61;

    public static StudyFigure? AgainstX(Study study) => AgainstShape(
        study, ExportTables.LossAgainstX, "x", new FigureAxis("x = hidden / √parameters", ""), "ratio", run => run.X, law => law.Ranges.X, law => law.Shape!.XStar,
        (run, value) => new LawPoint(run.Parameters, run.Tokens) { X = value, Ratio = run.Ratio });

    public static StudyFigure? AgainstRatio(Study study) => AgainstShape(
        study, ExportTables.LossAgainstRatio, "ratio", new FigureAxis("ratio = MLP / attention parameters", "", Logarithmic: true), "x", run => run.Ratio,
        law => law.Ranges.Ratio, law => law.Shape!.RStar, (run, value) => new LawPoint(run.Parameters, run.Tokens) { X = run.X, Ratio = value });

    /// <summary>
    /// One axis of the shape. With a law, each run is held against what the law predicts for its own size, tokens and other axis at the best value
    /// of this one (or at the runs' middle, where there is no best): then runs of all sizes lie about one curve. Without a law, the loss as it is.
    /// </summary>
    private static StudyFigure? AgainstShape(
        Study study, string file, string axis, FigureAxis across, string otherAxis, Func<StudyRun, double?> valueOf, Func<LawDocument, Interval?> rangeOf,
        Func<LawDocument, double?> bestOf, Func<StudyRun, double, LawPoint> at)
    {
        if (!study.RunList.Any(run => valueOf(run) is not null))
        {
            return null;
        }

        var colours = SizeColours.Of(study);
        if (study.Law is not { Shape: { } shape } law || rangeOf(law) is not { } range)
        {
            var bare = new Figure(
                $"Loss against {axis}", across, new FigureAxis("held-out loss", "nats a token"), colours.Groups(study.RunList.Where(r => valueOf(r) is not null).Select(run => (run, new FigurePoint(valueOf(run)!.Value, run.Loss)))));
            return new StudyFigure(file, bare, $"Held-out loss of every run against {axis}.");
        }

        bool factors = shape.Form != LawForm.Additive;
        double? best = bestOf(law);
        double reference = best ?? Math.Sqrt(range.Low * range.High);
        double Above(double loss, double referenceLoss) => factors ? 100 * (loss / referenceLoss - 1) : loss - referenceLoss;

        var fitted = study.RunList.Where(run => valueOf(run) is not null && (run.Ratio is null || law.Options.RatioRange.Contains(run.Ratio.Value))).ToList();
        if (fitted.Count == 0)
        {
            return null;
        }

        // The curve is the same for every run where the terms multiply or add; the first run stands for all. Of a resampled law the same difference is taken:
        // what its base law says is no matter here.
        var resampled = law.Resamples.Count < LawDocument.LeastResamples ? [] : law.ResampledLaws().Select(r => r.Shape!).ToList();
        double Curve(ShapeTerms terms, double value) => Above(terms.Factor(at(fitted[0], value)), terms.Factor(at(fitted[0], reference)));
        double[] values = [.. StudyFigures.Spaced(range.Low, range.High, CurvePoints)];
        var curve = values.Select(value =>
        {
            var band = resampled.Count == 0 ? null : Quantiles.Central95(resampled.Select(terms => Curve(terms, value)));
            return new FigurePoint(value, Curve(shape, value)) { Low = band?.Low, High = band?.High };
        }).ToList();
        List<FigureSeries> series =
        [
            new(resampled.Count == 0 ? "fitted law" : "fitted law, 95 % shaded", curve) { Mark = Mark.None, Stroke = Stroke.Solid, Band = resampled.Count > 0 },
            .. colours.Groups(fitted.Select(run => (run, new FigurePoint(valueOf(run)!.Value, Above(run.Loss, law.Predict(at(run, reference))))))),
        ];
        string place = best is null ? $"at {axis} = {Quantity.Digits(reference, 3)}" : $"at the best {axis}";
        int left = study.RunList.Count(run => valueOf(run) is not null) - fitted.Count;
        string caption =
            $"Each run's loss above what the law predicts for its size, tokens and {otherAxis} {place}"
            + (best is null ? ", the middle of the runs: the law has no minimum here." : $", {Quantity.Digits(best, 3)}.")
            + (resampled.Count == 0 ? "" : $" Where the shaded 95 % interval of the curve reaches below 0, that {axis} may be the better one.")
            + (left == 0 ? "" : $" {left} runs with a ratio outside {Quantity.Interval(law.Options.RatioRange.Low, law.Options.RatioRange.High)} were not fitted and are not shown.");
        return new StudyFigure(file, new Figure($"Loss against {axis}", across, new FigureAxis($"loss above the law's {place}", factors ? "%" : "nats a token"), series), caption);
    }
}

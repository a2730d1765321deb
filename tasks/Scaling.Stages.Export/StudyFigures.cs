// The figures of a study, in the order of the report; each kind has a file of its own.
using Scaling.Reports;

namespace Scaling.Stages.Export;

/// <summary>A figure with its place and what a reader should see in it.</summary>
/// <param name="File">Below the report.</param>
/// <param name="Figure">What is drawn.</param>
/// <param name="Caption">One or two sentences.</param>
internal sealed record StudyFigure(string File, Figure Figure, string Caption);

internal static class StudyFigures
{
    /// <summary>The figures that the study's tables allow; none without a point that its axes can show.</summary>
    public static IReadOnlyList<StudyFigure> Of(Study study) =>
    [
        .. new[]
        {
            DesignFigures.Regret(study), DesignFigures.Chosen(study), ShapeFigures.AgainstX(study), ShapeFigures.AgainstRatio(study), SizeFigure.Of(study), AccuracyFigure.Of(study),
            PredictionFigures.Predicted(study), PredictionFigures.Residuals(study), PredictionFigures.Regret(study),
            FrontFigure.Of(study), ReferencesFigure.Of(study),
            SpeedFigures.AgainstBatch(study), SpeedFigures.AgainstPrompt(study), SpeedFigures.Measured(study), LearningCurvesFigure.Of(study),
        }.OfType<StudyFigure>().Where(f => f.Figure.HasPoints),
    ];

    /// <summary>Values from low to high, equal factors apart, the ends among them.</summary>
    /// <param name="low">Above 0.</param>
    /// <param name="high">At least <paramref name="low"/>.</param>
    /// <param name="count">At least 2.</param>
    public static IEnumerable<double> Spaced(double low, double high, int count) => Enumerable.Range(0, count).Select(i => low * Math.Pow(high / low, i / (count - 1.0)));
}

// The figure of loss against size: the runs, the law's curves through them and beyond, and what it predicts of larger models.
using Scaling.Laws;
using Scaling.Reports;

namespace Scaling.Stages.Export;

internal static class SizeFigure
{
    private const int CurvePoints = 41;

    /// <summary>A colour for each number of tokens a parameter, or of tokens where the runs vary these; null with neither law nor sizes that differ.</summary>
    public static StudyFigure? Of(Study study)
    {
        var runs = study.RunList;
        if (runs.Count == 0 || runs.Max(r => r.Parameters) < SizeClasses.Factor * runs.Min(r => r.Parameters) || study.Law is { HasLevel: false })
        {
            return null;
        }

        int[] byTokens = SizeClasses.Of([.. runs.Select(r => r.Tokens)]), byBudget = SizeClasses.Of([.. runs.Select(r => r.Tokens / r.Parameters)]);
        bool budgets = byBudget.Max() <= byTokens.Max();
        int[] classes = budgets ? byBudget : byTokens;
        bool few = classes.Max() < Palette.Groups.Count;
        var targets = study.Predictions?.Each().Where(r => r.Text("purpose") == "target" && RowText.Optional(r, "predicted") is not null).ToList() ?? [];
        double reach = Math.Max(runs.Max(r => r.Parameters), targets.Select(r => r.Number("parameters")).DefaultIfEmpty(0).Max());
        var series = new List<FigureSeries>();
        foreach (var group in runs.Zip(classes).GroupBy(r => r.Second).OrderBy(g => g.Key))
        {
            double middle = SizeClasses.GeometricMean(group.Select(r => budgets ? r.First.Tokens / r.First.Parameters : r.First.Tokens));
            string name = budgets ? $"{Quantity.Digits(middle, 3)} tokens/parameter" : $"{Quantity.Count(middle)} tokens";
            string colour = few ? Palette.Group(group.Key) : Palette.Grey;
            if (few && study.Law is { } law)
            {
                var curve = StudyFigures.Spaced(group.Min(r => r.First.Parameters), budgets ? reach : group.Max(r => r.First.Parameters), CurvePoints)
                    .Select(n => new FigurePoint(n, law.Predict(n, budgets ? n * middle : middle)) { Series = $"law at {name}" });
                series.Add(new FigureSeries(null, [.. curve]) { Color = colour, Mark = Mark.None, Stroke = Stroke.Solid });
            }

            series.Add(new FigureSeries(few ? name : null, [.. group.Select(r => new FigurePoint(r.First.Parameters, r.First.Loss) { Label = r.First.Label, Series = name })]) { Color = colour });
        }

        if (targets.Count > 0)
        {
            series.Add(new FigureSeries("predicted, larger", [.. targets.Select(r => new FigurePoint(r.Number("parameters"), r.Number("predicted"))
            {
                Label = $"{RowText.Count(r, "parameters")} parameters, {RowText.Count(r, "tokens")} tokens", Low = RowText.Optional(r, "predicted_low"), High = RowText.Optional(r, "predicted_high"),
            })]) { Mark = Mark.Diamond });
        }

        var figure = new Figure("Loss against size", new FigureAxis("parameters", study.Law?.ParametersRule ?? "", Logarithmic: true), new FigureAxis("loss", "nats a token", Logarithmic: Wide(series)), series);
        string curves = few && study.Law is not null ? study.Law.Shape is null ? " Lines are the law." : " Lines are the law at the best shape, so that runs of other shapes lie above, but for noise." : "";
        string beyond = targets.Count > 0 ? " Diamonds are what it predicts of larger models, with 95 % intervals of a run there." : "";
        return new StudyFigure(ExportTables.LossAgainstSize, figure, $"Loss of every run against its parameters.{curves}{beyond}");
    }

    private static bool Wide(List<FigureSeries> series)
    {
        double[] values = [.. series.SelectMany(s => s.Points).SelectMany(p => new[] { p.Y, p.Low ?? p.Y, p.High ?? p.Y })];
        return values.Min() > 0 && values.Max() > 4 * values.Min();
    }
}

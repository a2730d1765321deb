// The figures of how well the law predicts: predicted against measured, what is left over, and what its picks would have cost.
using Scaling.Laws;
using Scaling.Reports;
using Scaling.Sdk;
using static Scaling.Stages.Export.RowText;

namespace Scaling.Stages.Export;

internal static class PredictionFigures
{
    /// <summary>The mark of a run that the fit had not seen.</summary>
    private const Mark HeldOutMark = Mark.Diamond;

    /// <summary>More than this and names no longer fit beside the axis; the largest sizes stay.</summary>
    private const int MostPicks = 12;

    /// <summary>A run with what the law makes of it.</summary>
    private sealed record Judged(double Parameters, double Tokens, double Loss, double Predicted, double? Low, double? High, bool HeldOut, string Label);

    public static StudyFigure? Predicted(Study study)
    {
        var rows = Rows(study);
        if (rows.Count == 0)
        {
            return null;
        }

        double low = rows.Min(p => Math.Min(p.Loss, p.Predicted)), high = rows.Max(p => Math.Max(p.Loss, p.Predicted));
        List<FigureSeries> series =
        [
            new("predicted = measured", [new(low, low), new(high, high)]) { Color = Palette.Grey, Mark = Mark.None, Stroke = Stroke.Dashed },
            .. Coloured(study, rows, r => new FigurePoint(r.Loss, r.Predicted) { Low = r.Low, High = r.High }),
        ];
        var figure = new Figure("Predicted against measured loss", new FigureAxis("measured loss", "nats a token"), new FigureAxis("predicted loss", "nats a token"), series);
        return new StudyFigure(ExportTables.PredictedAgainstMeasured, figure, rows.Exists(r => r.HeldOut)
            ? "Runs that the law was fitted to, and (diamonds) those of a size that a second fit did not see, with 95 % intervals of a run: only these show how far the law carries."
            : "The law on the runs that it was fitted to: this shows the fit, not how far the law carries.");
    }

    public static StudyFigure? Residuals(Study study)
    {
        var rows = Rows(study);
        if (rows.Count == 0)
        {
            return null;
        }

        List<FigureSeries> series =
        [
            new("as predicted", [new(rows.Min(r => r.Predicted), 0), new(rows.Max(r => r.Predicted), 0)]) { Color = Palette.Grey, Mark = Mark.None, Stroke = Stroke.Dashed },
            .. Coloured(study, rows, r => new FigurePoint(r.Predicted, r.Loss - r.Predicted)),
        ];
        var figure = new Figure("What the law leaves over", new FigureAxis("predicted loss", "nats a token"), new FigureAxis("measured less predicted", "nats a token"), series);
        return new StudyFigure(ExportTables.Residuals, figure, "Measured less predicted loss. A law that has all that matters leaves noise about 0; a size that lies above or below as a whole is one whose level it misses.");
    }

    /// <summary>The pick of the law at each size that was predicted from others, beside a copied shape and a quadratic's pick.</summary>
    public static StudyFigure? Regret(Study study)
    {
        if (study.Scores is not { } scores)
        {
            return null;
        }

        bool Alike(double a, double b) => Math.Abs(Math.Log(a / b)) < Math.Log(SizeClasses.Factor);
        var sizes = scores.Rollout.Select(s => s.AllSizes).Where(s => scores.HeldOut is not { } held || !Alike(s.Size, held.Size)).Append(scores.HeldOut).OfType<HeldOutScores>().Where(ReportScores.TellsShapesApart).OrderBy(s => s.Size);
        var all = sizes.SelectMany(s => s.Budgets.OrderBy(b => b.Tokens).Select(b => (s.Size, Scores: b))).ToList();
        var picks = all.Skip(all.Count - MostPicks).ToList();
        if (picks.Count == 0)
        {
            return null;
        }

        FigureSeries Series(string name, string colour, Mark mark, Func<RowScores, double?> value) =>
            new(name, [.. picks.Select((p, i) => (Value: value(p.Scores), i)).Where(p => p.Value is not null).Select(p => new FigurePoint(p.Value!.Value, p.i))]) { Color = colour, Mark = mark };
        var series = new List<FigureSeries>
        {
            Series("the law's pick", Palette.Vermilion, Mark.Diamond, s => s.Regret), Series("best smaller shape, copied", Palette.Blue, Mark.Square, s => s.RegretOfCopy),
            Series("a quadratic's pick", Palette.Green, Mark.Triangle, s => s.RegretOfQuadratic),
        };
        var noise = study.Law is { } law ? picks.Select((p, i) => (Nats: ReportConfidence.NoiseAt(law, p.Size), i)).Where(p => p.Nats > 0).ToList() : [];
        if (noise.Count > 0)
        {
            series.Insert(0, new FigureSeries("seeds scatter by", [.. noise.Select(p => new FigurePoint(p.Nats!.Value, p.i))]) { Color = Palette.Grey, Mark = Mark.Ring });
        }

        var figure = new Figure(
            "What a pick would have cost", new FigureAxis("loss above the best measured shape", "nats a token"),
            new FigureAxis("predicted size", "") { Categories = [.. picks.Select(p => $"{Quantity.Count(p.Size)}, {Quantity.Count(p.Scores.Tokens)} tokens")] }, [.. series.Where(s => s.Points.Count > 0)]);
        return new StudyFigure(
            ExportTables.Regret, figure,
            "At each size that was predicted from smaller ones, or held out, how much more the picked shape lost when it was trained than the best one did; further left is better, and less than what seeds scatter by is as good as none."
            + (all.Count > picks.Count ? $" The largest {picks.Count} of {all.Count}." : ""));
    }

    private static List<Judged> Rows(Study study)
    {
        double? End(Table table, Row row, string column) => table.Has(column) ? Optional(row, column) : null;
        string Label(Table table, Row row) => table.Has("shape") && row.Text("shape") is { Length: > 0 } shape ? shape : table.Has("row") ? $"row {row.Text("row")}" : $"{Count(row, "parameters")} parameters, {Count(row, "tokens")} tokens";
        Judged Of(Table table, Row row, bool heldOut) => new(
            row.Number("parameters"), row.Number("tokens"), row.Number("loss"), row.Number("predicted"), heldOut ? End(table, row, "predicted_low") : null, heldOut ? End(table, row, "predicted_high") : null, heldOut,
            Label(table, row));
        return
        [
            .. study.Residuals is { } residuals ? residuals.Each().Select(r => Of(residuals, r, false)) : [],
            .. study.Predictions is { } predictions ? predictions.Each().Where(r => r.Text("purpose") == "held_out").Select(r => Of(predictions, r, true)) : [],
        ];
    }

    /// <summary>A colour a size; what the fit had not seen bears another mark and lies above.</summary>
    private static IEnumerable<FigureSeries> Coloured(Study study, List<Judged> rows, Func<Judged, FigurePoint> point)
    {
        var colours = SizeColours.Of(study);
        foreach (var group in rows.GroupBy(r => (r.HeldOut, Colour: colours.Colour(r.Parameters))).OrderBy(g => g.Key.HeldOut).ThenBy(g => g.Min(r => r.Parameters)))
        {
            yield return new FigureSeries(null, [.. group.Select(r => point(r) with
            {
                Label = r.Label, Series = $"{colours.Name(r.Parameters)}, {Quantity.Digits(r.Tokens / r.Parameters, 3)} tokens/parameter, {(r.HeldOut ? "held out" : "fitted")}",
            })]) { Color = group.Key.Colour, Mark = group.Key.HeldOut ? HeldOutMark : Mark.Circle };
        }

        foreach (var entry in colours.Legend(rows.Select(r => r.Parameters)))
        {
            yield return entry;
        }

        if (rows.Exists(r => r.HeldOut))
        {
            yield return new FigureSeries("fitted", []) { Color = Palette.Grey };
            yield return new FigureSeries("held out", []) { Color = Palette.Grey, Mark = HeldOutMark };
        }
    }
}

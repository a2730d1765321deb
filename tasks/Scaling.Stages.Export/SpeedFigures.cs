// The figures of speed: how the shapes compare at other batches and prompts, with the places where they trade, and the speeds that were measured.
using Scaling.Architectures;
using Scaling.Reports;

namespace Scaling.Stages.Export;

internal static class SpeedFigures
{
    private const int CurvePoints = 61;

    /// <summary>More rows than this have no room for their names.</summary>
    private const int MostMeasured = 30;

    public static StudyFigure? AgainstBatch(Study study) => study.Best is not { } best ? null : Against(
        best, ExportTables.SpeedAgainstBatch, "batch", new FigureAxis("batch", "sequences at once", Logarithmic: true), best.Workload.Batch, t => t.Batch, (workload, batch) => workload.Of(batch));

    public static StudyFigure? AgainstPrompt(Study study) => study.Best is not { } best ? null : Against(
        best, ExportTables.SpeedAgainstPrompt, "prompt", new FigureAxis("prompt", "tokens read", Logarithmic: true), best.Workload.Prompt, t => t.Prompt, (workload, prompt) => workload with { Prompt = prompt });

    /// <summary>Speeds with their intervals, the fastest at the top.</summary>
    public static StudyFigure? Measured(Study study)
    {
        var timed = ReportSpeed.Timed(study);
        var rows = timed.Take(MostMeasured).ToList();
        if (rows.Count == 0)
        {
            return null;
        }

        bool told = study.Speed!.Has("baseline");
        var points = rows.Select((row, i) =>
        {
            var interval = ReportSpeed.IntervalOf(row, "tokens_per_second");
            return (Baseline: told && row.Text("baseline") == "true", Point: new FigurePoint(row.Number("tokens_per_second"), i) { Label = row.Text("shape"), Left = interval?.Low, Right = interval?.High });
        }).ToLookup(p => p.Baseline, p => p.Point);
        List<FigureSeries> series =
        [
            new(points.Contains(true) ? "shape" : null, [.. points[false]]) { Color = Palette.Blue },
            new("baseline", [.. points[true]]) { Mark = Mark.Square },
        ];
        var figure = new Figure(
            "Measured speed", new FigureAxis("measured speed", "tokens a second"), new FigureAxis("shape", "") { Categories = [.. rows.Select(r => r.Text("shape"))] }, [.. series.Where(s => s.Points.Count > 0)]);
        return new StudyFigure(
            ExportTables.MeasuredSpeed, figure, $"Tokens a second of each shape with 95 % intervals{(timed.Count > rows.Count ? $"; the fastest {rows.Count} of {timed.Count}" : "")}.");
    }

    /// <summary>
    /// Speeds over that of the baseline (of the accurate shape, where there is none), so that places where curves cross can be seen: absolute ones lie too near together. Batches and prompts go from 1 to eight times
    /// what was asked, further where shapes trade places beyond, and no further than what fits into memory.
    /// </summary>
    private static StudyFigure? Against(SearchResult best, string file, string word, FigureAxis across, int asked, Func<TradePlace, int?> tradeAt, Func<Workload, int, Workload> at)
    {
        (string Name, ScoredShape Shape)[] named = [("accurate", best.Accurate), ("efficient", best.Efficient), .. best.Baseline is { } b ? [("baseline", b)] : Array.Empty<(string, ScoredShape)>()];
        (string Name, ScoredShape Shape)[] shapes = [.. named.DistinctBy(s => s.Shape.Shape)]; // Picks may coincide.
        if (shapes.Length < 2)
        {
            return null;
        }

        var (yardstickName, yardstick) = best.Baseline is null ? shapes[0] : shapes.First(s => s.Shape.Shape == best.Baseline.Shape);
        double? Over(ScoredShape shape, int value) => SpeedOf(best, shape, at(best.Workload, value)) / SpeedOf(best, yardstick, at(best.Workload, value));
        int furthest = best.TradePlaces.Select(t => tradeAt(t) ?? 0).Append(4 * asked).Max();
        int[] values = [.. StudyFigures.Spaced(1, 2.0 * furthest, CurvePoints).Select(v => (int)Math.Round(Math.Min(v, 1e6))).Append(asked).Distinct().Order()];
        var series = shapes.Select(s => new FigureSeries(s.Name, [.. values.Select(v => (Value: v, Ratio: Over(s.Shape, v))).Where(p => p.Ratio is not null).Select(p => new FigurePoint(p.Value, p.Ratio!.Value))])
        {
            Color = s.Name switch { "accurate" => Palette.Vermilion, "efficient" => Palette.Green, _ => Palette.Ink },
            Mark = Mark.None, Stroke = s.Name == yardstickName ? Stroke.Dashed : Stroke.Solid,
        }).Where(s => s.Points.Count > 0).ToList();
        if (series.Count < 2)
        {
            return null;
        }

        var trades = best.TradePlaces.Where(t => tradeAt(t) is not null).Select(t => (Trade: t, At: tradeAt(t)!.Value, Shape: named.First(s => s.Name == t.First).Shape))
            .Select(t => (t.Trade, t.At, Ratio: Over(t.Shape, t.At))).Where(t => t.Ratio is not null).ToList();
        if (trades.Count > 0)
        {
            series.Add(new FigureSeries("trade places", [.. trades.Select(t => new FigurePoint(t.At, t.Ratio!.Value) { Label = $"{t.Trade.First} and {t.Trade.Second} at {t.At}" })]) { Mark = Mark.Ring });
        }

        series.Add(new FigureSeries("as asked", [.. series.Where(s => s.Mark == Mark.None).SelectMany(s => s.Points.Where(p => p.X == asked))]) { Color = Palette.Grey, Mark = Mark.Diamond });
        string yard = yardstickName == "baseline" ? "the baseline's" : $"the {yardstickName} shape's";
        string crossings = trades.Count == 0 ? " No two trade places in what is drawn." : $" They trade places at {string.Join(", ", trades.Select(t => $"{t.At} ({t.Trade.First} and {t.Trade.Second})"))}.";
        string source = best.Device.Source == "calibrated" ? $"the model that {best.Device.Rows} measured shapes gave, not themselves measured" : "a roofline's, not measured";
        return new StudyFigure(
            file, new Figure($"Speed against {word}", across, new FigureAxis("tokens a second", $"times {yard}"), series),
            $"Speed at other {(word == "batch" ? "batches" : "prompts")}, all else as asked, over {yard}; speeds are {source}.{crossings}");
    }

    /// <summary>As the search predicts it, in the batch that fits; null where not one sequence does.</summary>
    private static double? SpeedOf(SearchResult best, ScoredShape scored, Workload workload)
    {
        var shape = scored.ToShape();
        return ServingMemory.LargestBatch(shape, workload, best.Device.MemoryBytes) is >= 1 and var batch && (batch == workload.Batch || workload.Batch <= best.Workload.Batch)
            ? Speed.Predict(best.Device.Model, shape, workload.Of(batch)).TokensPerSecond
            : null;
    }
}

// The figure of learning curves: of each size and budget the runs that ended best, in the middle and worst.
using System.Text.Json;
using Scaling.Reports;
using Scaling.Sdk;

namespace Scaling.Stages.Export;

internal static class LearningCurvesFigure
{
    /// <summary>More curves are a thicket, and only those that are drawn are read.</summary>
    private const int MostCurves = 60;

    /// <summary>Points of a curve; a longer one is thinned.</summary>
    private const int MostPoints = 60;

    public static StudyFigure? Of(Study study)
    {
        var runs = study.RunList.Where(r => r.Name is { } name && study.Curves.ContainsKey(name)).GroupBy(r => r.Name).Select(g => g.MaxBy(r => r.Tokens)!).ToList();
        if (runs.Count == 0)
        {
            return null;
        }

        var groups = runs.GroupBy(r => (r.Size, r.Budget)).OrderBy(g => g.Key.Size).ThenBy(g => g.Key.Budget).ToList();
        int each = Math.Clamp(MostCurves / groups.Count, 1, 3);
        var colours = SizeColours.Of(study);
        var series = new List<FigureSeries>();
        foreach (var (run, what) in groups.Take(MostCurves).SelectMany(g => Chosen([.. g.OrderBy(r => r.Loss).ThenBy(r => r.Name, StringComparer.Ordinal)], each)))
        {
            series.Add(new FigureSeries(null, [.. Points(study.Curves[run.Name!]).Select(p => p with { Label = run.Label, Series = $"{colours.Name(run)}, {what}, {run.Name}" })])
            {
                Color = colours.Colour(run.Parameters), Mark = Mark.None, Stroke = what == "worst" ? Stroke.Dashed : Stroke.Solid,
            });
        }

        int drawn = series.Count;
        series.AddRange(colours.Legend(runs.Select(r => r.Parameters)).Select(s => s with { Mark = Mark.None, Stroke = Stroke.Solid }));
        var figure = new Figure("Learning curves", new FigureAxis("tokens seen", "", Logarithmic: true), new FigureAxis("training loss", "nats a token"), series);
        string which = each switch { 3 => "those that ended best, in the middle and (dashed) worst", 2 => "those that ended best and (dashed) worst", _ => "the one that ended in the middle" };
        return new StudyFigure(ExportTables.LearningCurves, figure, $"Training loss of {drawn} of {runs.Count} runs{(drawn < runs.Count ? $": of each size and budget {which}" : "")}. The training loss is a mean over the steps since the point before.");
    }

    /// <summary>Of runs by rising loss the first, middle and last; two are the first and last, one is the middle.</summary>
    private static IEnumerable<(StudyRun Run, string What)> Chosen(StudyRun[] byLoss, int count)
    {
        var chosen = new List<(StudyRun, string)>();
        if (count > 1)
        {
            chosen.Add((byLoss[0], "best"));
        }

        if (count != 2 || byLoss.Length == 1)
        {
            chosen.Add((byLoss[byLoss.Length / 2], "median"));
        }

        if (count > 1)
        {
            chosen.Add((byLoss[^1], "worst"));
        }

        return chosen.DistinctBy(c => c.Item1.Name);
    }

    /// <summary>The way to the run's end: what belongs to branches on the way is left out.</summary>
    private static IReadOnlyList<FigurePoint> Points(string path)
    {
        var lines = new List<(double Step, double Tokens, double Loss)>();
        foreach (string line in File.ReadLines(path).Where(l => l.Length > 0))
        {
            try
            {
                using var json = JsonDocument.Parse(line);
                var root = json.RootElement;
                double step = root.GetProperty("step").GetDouble();
                lines.RemoveAll(l => l.Step >= step); // The run came back from a branch to go on from here.
                lines.Add((step, root.GetProperty("tokens").GetDouble(), root.GetProperty("loss").GetDouble()));
            }
            catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
            {
                throw new StageFailedException("SCAL7504", $"A file of the role '{ExportTables.Curves}' is no curve.jsonl: {e.Message}", "Expected what the stage 'train' writes. Name that stage under 'needs'.");
            }
        }

        int every = 1 + (lines.Count - 1) / MostPoints;
        return [.. lines.Where((_, i) => i % every == 0 || i == lines.Count - 1).Select(l => new FigurePoint(l.Tokens, l.Loss))];
    }
}

// Fitted runs as cells of a table and back, so that what comes after a fit sees the rows as the fit saw them.
using System.Globalization;

namespace Scaling.Laws;

/// <summary>The columns of a run in <c>residuals.csv</c>.</summary>
public static class FittedRun
{
    /// <summary>Column names, in order.</summary>
    public static readonly IReadOnlyList<string> Columns =
    [
        "row", "shape", "seed", "run", "group", "baseline", "weight", "parameters", "other_parameters", "tokens", "x", "ratio", "gqa", "width_over_depth", "covariates", "loss",
    ];

    /// <summary>A run's values in the order of <see cref="Columns"/>; covariates joined by spaces.</summary>
    /// <param name="run">Any.</param>
    public static object?[] Values(TrainingRun run) =>
    [
        run.Row, run.Shape, run.Seed, run.Run, run.Group, run.Baseline ? "true" : "false", run.Weight, run.Parameters, run.OtherParameters, run.Tokens, run.X, run.Ratio, run.Gqa, run.WidthOverDepth,
        string.Join(' ', run.Covariates.Select(c => c.ToString("R", CultureInfo.InvariantCulture))), run.Loss,
    ];

    /// <summary>The run of a row.</summary>
    /// <param name="cell">The text in a column of <see cref="Columns"/>.</param>
    /// <exception cref="FormatException">A cell is no number.</exception>
    public static TrainingRun Read(Func<string, string> cell)
    {
        double? Number(string column) => cell(column) is { Length: > 0 } text ? Parse(text) : null;
        double Needed(string column) => Number(column) is > 0 and { } number ? number : throw new FormatException($"'{column}' of row {cell("row")} is not above 0");
        return new TrainingRun((int)Needed("row"), Needed("parameters"), Needed("tokens"), Needed("loss"))
        {
            Shape = cell("shape"),
            Seed = cell("seed") is { Length: > 0 } seed ? seed : null,
            Run = cell("run") is { Length: > 0 } run ? run : null,
            Group = cell("group"),
            Baseline = cell("baseline") == "true",
            Weight = Needed("weight"),
            OtherParameters = Number("other_parameters"),
            X = Number("x"),
            Ratio = Number("ratio"),
            Gqa = Number("gqa"),
            WidthOverDepth = Number("width_over_depth"),
            Covariates = [.. cell("covariates").Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(Parse)],
        };
    }

    private static double Parse(string text) => double.Parse(text, NumberStyles.Float, CultureInfo.InvariantCulture);
}

// What the law has no term for stays as it was in the law's runs, unless the pipeline says otherwise; going elsewhere is said aloud.
using Scaling.Laws;
using Scaling.Sdk;

namespace Scaling.Stages.Search;

/// <summary>Depth, head size, grouping and vocabulary of every candidate.</summary>
internal sealed record FixedAxes(int Layers, int HeadSize, IReadOnlyList<int> Gqa, int Vocabulary, bool Tied)
{
    /// <summary>Takes each from its setting, else from the law's runs.</summary>
    /// <exception cref="StageFailedException">SCAL7301: an axis is neither set nor the same in all runs. All such axes at once.</exception>
    public static FixedAxes Of(StageContext<SearchSettings> context, LawContext runs)
    {
        var settings = context.Settings;
        var missing = new List<Diagnostic>();
        var warnings = new List<string>();
        int Whole(string name, int? setting, IReadOnlyList<double> seen) =>
            Axis(name, setting is { } s ? [s] : null, [.. seen.Select(v => (int)v)], missing, warnings) is [var one] ? one : 0;
        var axes = new FixedAxes(
            Whole("layers", settings.Layers, runs.Layers),
            Whole("head_size", settings.HeadSize, runs.HeadSize),
            Axis("gqa", settings.Gqa, [.. runs.Gqa.Where(double.IsInteger).Select(v => (int)v)], missing, warnings),
            Whole("vocabulary", settings.Vocabulary, runs.Vocabulary),
            Axis("tied", settings.Tied is { } tied ? [tied] : null, runs.Tied, missing, warnings) is [true]);
        if (missing.Count > 0)
        {
            throw new StageFailedException(missing);
        }

        foreach (string warning in warnings)
        {
            context.Warn("SCAL7302", warning, "Predicted losses assume that it changes nothing; train a few runs there before believing them.");
        }

        return axes;
    }

    private static IReadOnlyList<T> Axis<T>(
        string name, IReadOnlyList<T>? setting, IReadOnlyList<T> seen, List<Diagnostic> missing, List<string> warnings)
    {
        if (setting is null)
        {
            if (seen.Count != 1)
            {
                string found = seen.Count == 0 ? $"The law's runs do not say their '{name}'" : $"The law's runs have several values of '{name}' ({List(seen)})";
                missing.Add(new Diagnostic("SCAL7301", $"{found}, and the law has no term for it.") { Hint = $"Set '{name}' under 'with:'." });
            }

            return seen;
        }

        T[] strange = [.. setting.Where(v => !seen.Contains(v))];
        if (seen.Count > 0 && strange.Length > 0)
        {
            warnings.Add($"'{name}' is {List(strange)} where the law's runs have {List(seen)}, and the law has no term for it.");
        }

        return [.. setting.Distinct()];
    }

    private static string List<T>(IEnumerable<T> values) => string.Join(", ", values.Select(v => Table.Cell(v)));
}

// What is searched: the bounds of a space of shapes, or a table of them.
using Scaling.Architectures;
using Scaling.Laws;
using Scaling.Sdk;

namespace Scaling.Stages.Search;

internal static class SearchSpace
{
    /// <summary>candidates.csv then has 80 MB; a space of more is asked too finely to tell its shapes apart.</summary>
    public const int MostCandidates = 200_000;

    /// <summary>Wide enough for a few multiples of the hardware about the value.</summary>
    private const double HeldWithin = 0.1;

    /// <summary>The space that the settings describe.</summary>
    /// <exception cref="StageFailedException">SCAL7308: bounds are missing or reversed; SCAL7324: what is held is the baseline's, and there is none.</exception>
    public static ShapeSpace Of(StageContext<SearchSettings> context, SearchSettings settings, SearchLaw law, SearchAxes axes, DecoderShape? baseline, int multipleOf, Workload workload)
    {
        var held = Held(settings, workload);
        var (coefficients, ranges) = (law.Document.Shape!.Coefficients, law.Document.Ranges);
        var ratios = ranges.Ratio is { } seen
            ? new Interval(Math.Max(seen.Low, law.Document.Options.RatioRange.Low), Math.Min(seen.High, law.Document.Options.RatioRange.High))
            : null;
        return new ShapeSpace(
            Value(settings, held, baseline), settings.Tolerance, axes.Layers, axes.HeadSize, axes.Gqa, multipleOf, axes.Vocabulary, axes.Tied,
            BoundsOf(context, "x", settings.X, Near(context, law, "x", settings.X is not null, coefficients is { A1: 0, A2: 0 }, ranges.X, baseline?.X)),
            BoundsOf(context, "ratio", settings.Ratio, Near(context, law, "ratio", settings.Ratio is not null, coefficients is { B1: 0, B2: 0 }, ratios, baseline?.Ratio)))
        {
            Held = held,
        };
    }

    /// <summary>Its shapes.</summary>
    /// <exception cref="StageFailedException">SCAL7304: there is none; SCAL7319: there are too many.</exception>
    public static IReadOnlyList<DecoderShape> Shapes(ShapeSpace space)
    {
        List<DecoderShape> shapes = [.. space.Shapes().Take(MostCandidates + 1)];
        if (shapes.Count > MostCandidates)
        {
            throw new StageFailedException(
                "SCAL7319", $"More than {MostCandidates} shapes have {Words(space)} and sizes in multiples of {space.MultipleOf}.", "Raise 'multiple_of', lower 'tolerance', or narrow 'x' or 'ratio'.");
        }

        return shapes.Count > 0 ? shapes : throw new StageFailedException(
            "SCAL7304",
            $"No shape has {Words(space)} with {string.Join(", ", space.Layers)} layers, head size {string.Join(", ", space.HeadSize)}, GQA {string.Join(", ", space.Gqa)}, " +
            $"sizes in multiples of {space.MultipleOf}, x in [{space.X.Low:0.###}, {space.X.High:0.###}] and ratio in [{space.Ratio.Low:0.###}, {space.Ratio.High:0.###}].",
            "Raise 'tolerance', lower 'multiple_of', or widen 'x' or 'ratio'.");
    }

    /// <summary>The shapes of a table.</summary>
    /// <param name="path">With the columns that identify a shape.</param>
    /// <exception cref="StageFailedException">SCAL7404: a row cannot be built; SCAL7304: the table is empty.</exception>
    public static IReadOnlyList<DecoderShape> Read(string path)
    {
        var shapes = Table.Read(path).Each().Select(row => DecoderShape.FromCells(row.Count, row.Truth)).Distinct().ToList();
        var flawed = shapes.Where(s => s.Flaw is not null).Select(s => new Diagnostic("SCAL7404", $"The shape '{s.Id}' cannot be built: {s.Flaw}.") { Hint = "Correct the row.", Location = new SourceLocation(path) }).ToList();
        return flawed.Count > 0 ? throw new StageFailedException(flawed)
            : shapes.Count > 0 ? shapes
            : throw new StageFailedException("SCAL7304", "The table of shapes has no rows.", "Give it the shapes to choose from.");
    }

    /// <summary>Those of given shapes whose held quantity is near enough.</summary>
    /// <exception cref="StageFailedException">SCAL7304: none is.</exception>
    public static IReadOnlyList<DecoderShape> Near(IReadOnlyList<DecoderShape> shapes, SearchSettings settings, Workload workload, DecoderShape? baseline)
    {
        var held = Held(settings, workload);
        var space = new ShapeSpace(Value(settings, held, baseline), settings.Tolerance, [], [], [], 1, 0, false, new Bounds(0, 1), new Bounds(0, 1)) { Held = held };
        DecoderShape[] near = [.. shapes.Where(space.Near)];
        return near.Length > 0 ? near : throw new StageFailedException(
            "SCAL7304", $"None of the {shapes.Count} shapes that are given has {Words(space)}: they have {shapes.Min(held.Of):0} to {shapes.Max(held.Of):0}.", "Correct 'size', or raise 'tolerance'.");
    }

    private static HeldMeasure Held(SearchSettings settings, Workload workload) => new(settings.Hold, workload, settings.TrainingContext);

    private static double Value(SearchSettings settings, HeldMeasure held, DecoderShape? baseline) =>
        held.Quantity == HeldQuantity.Parameters ? settings.SettledSize
        : baseline is not null ? held.Of(baseline)
        : throw new StageFailedException("SCAL7324", $"'hold: {HeldName(held)}' holds candidates at the baseline's, and there is no baseline.", "Set 'baseline'.");

    private static string HeldName(HeldMeasure held) => System.Text.Json.JsonNamingPolicy.SnakeCaseLower.ConvertName(held.Quantity.ToString());

    private static string Words(ShapeSpace space)
    {
        string unit = space.Held.Quantity switch
        {
            HeldQuantity.Parameters => "parameters",
            HeldQuantity.ParametersTotal => "parameters in all",
            HeldQuantity.TrainFlops => "FLOPs a trained token",
            _ => "bytes a decode step",
        };
        return $"{space.Size:0} {unit} within {space.Tolerance:0.0%}";
    }

    /// <summary>
    /// An axis without a fitted term costs no loss in the law's eyes, and one whose optimum no resample bounds costs what it happens to: both stay near the baseline's value, or in the middle of the runs'.
    /// </summary>
    private static Interval? Near(StageContext<SearchSettings> context, SearchLaw law, string name, bool asked, bool withoutTerm, Interval? fitted, double? baseline)
    {
        bool unbounded = law.Open.Contains(name) && law.Document.Resamples.Count < LawDocument.LeastResamples;
        if ((!withoutTerm && !unbounded) || fitted is null)
        {
            return fitted;
        }

        if (asked)
        {
            if (withoutTerm)
            {
                context.Warn("SCAL7320", $"The law has no term in {name}: within the bounds that '{name}' sets, it costs no loss in the law's eyes.", $"Train three values of {name} a size and budget before believing the pick.");
            }

            return fitted;
        }

        double middle = baseline ?? Math.Sqrt(fitted.Low * fitted.High);
        if (withoutTerm)
        {
            context.Warn(
                "SCAL7320", $"The law has no term in {name}: the search holds it within {HeldWithin:0%} of {middle:0.###}, where the runs go from {fitted.Low:0.###} to {fitted.High:0.###}.",
                $"Train three values of {name} a size and budget, or set '{name}' to search wider.");
        }

        return new Interval(middle * (1 - HeldWithin), middle * (1 + HeldWithin));
    }

    private static Bounds BoundsOf(StageContext<SearchSettings> context, string name, IReadOnlyList<double>? setting, Interval? fitted)
    {
        if (setting is null)
        {
            return fitted is null
                ? throw new StageFailedException("SCAL7308", $"The law does not say between which values of '{name}' it holds.", $"Set '{name}: [low, high]'.")
                : new Bounds(fitted.Low, fitted.High);
        }

        if (setting is not [var low, var high] || low > high)
        {
            throw new StageFailedException(
                "SCAL7308", $"'{name}' is [{string.Join(", ", setting.Select(v => Table.Cell(v)))}]. Expected two numbers, the least and the greatest.",
                $"Write '{name}: [{Table.Cell(setting.Min())}, {Table.Cell(setting.Max())}]'.");
        }

        if (fitted is not null && !(fitted.Contains(low) && fitted.Contains(high)))
        {
            context.Warn(
                "SCAL7318", $"'{name}' goes from {Table.Cell(low)} to {Table.Cell(high)} where the law's runs go from {Table.Cell(fitted.Low)} to {Table.Cell(fitted.High)}.",
                "Beyond its runs the law is a guess.");
        }

        return new Bounds(low, high);
    }
}

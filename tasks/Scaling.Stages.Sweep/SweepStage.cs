// The stage `sweep`: the decoder shapes of a study, rounded to what can be built, with what was left out and why.
using Scaling.Architectures;
using Scaling.Sdk;

namespace Scaling.Stages.Sweep;

/// <summary>Writes a full grid of shapes, or what a design chooses of it. Cheap and pure: the engine runs it while planning.</summary>
public sealed class SweepStage : Stage<SweepSettings>
{
    /// <inheritdoc/>
    public override StageDeclaration Declaration { get; } = new()
    {
        Type = "sweep",
        Summary = "Lists the decoder shapes to train: every size with every x, ratio and GQA.",
        Example = """
            shapes:
              uses: sweep
              with:
                sizes: [8k, 16k, 32k]      # parameters, without embeddings
                layers: 2
                head_size: 8
                multiple_of: 4
                x: [0.14, 0.2, 0.28]
                ratio: [0.6, 1.5, 3.2]
                gqa: 2
            """,
        Enumerating = true,
        Inputs =
        [
            new InputRole("runs", "runs", Cardinality.Optional) { Feedback = true },
            new InputRole("design", "design", Cardinality.Optional) { Feedback = true },
            new InputRole("rounds", "rounds", Cardinality.Optional) { Feedback = true },
        ],
        Outputs =
        [
            new OutputFile("shapes.csv", "shapes") { Columns = SweepTables.Shapes },
            new OutputFile("rejected.csv", "rejected") { Columns = SweepTables.Rejected },
            new OutputFile("design.csv", "design") { Columns = SweepTables.Design, Optional = true },
            new OutputFile("rounds.csv", "rounds") { Columns = SweepTables.Rounds, Optional = true },
            new OutputFile("forecast.csv", "forecast") { Columns = SweepTables.Forecast, Optional = true },
            StageSummary.Output with { Optional = true },
        ],
    };

    /// <inheritdoc/>
    protected override void Run(StageContext<SweepSettings> context)
    {
        var settings = context.Settings;
        var budget = Check(settings);
        var baselines = Baselines.Read(context);
        var rejected = new TableBuilder(SweepTables.Rejected);
        var built = new List<(ShapeRequest Request, DecoderShape Shape)>();
        string? lastReason = null;
        foreach (var request in Requests(settings))
        {
            var (shape, reason) = ShapeGenerator.Nearest(request);
            reason ??= SizeMissed(request, shape!, settings.Tolerance);
            if (reason is not null)
            {
                lastReason = reason;
                rejected.Add(
                    request.Parameters, request.Layers, request.X, request.Ratio, request.Gqa, request.HeadSize, shape?.Parameters, reason);
            }
            else if (!built.Exists(b => b.Shape == shape))
            {
                built.Add((request, shape!));
            }
        }

        if (built.Count == 0)
        {
            throw new StageFailedException(
                "SCAL7403", $"None of the {rejected.Build().Rows.Count} asked shapes can be built within {settings.Tolerance:0.0%} of its size. The last one: {lastReason}.",
                "Lower head_size, gqa or multiple_of, raise tolerance, or ask for larger sizes.");
        }

        rejected.Build().Write(context.Output("rejected.csv"));
        var added = baselines.DistinctBy(b => b.Shape).Select(b => (Baseline: b, Seeds: ForSize(settings.Replicates ?? [1], b.SizeIndex))).ToList();
        if (budget is not null)
        {
            DesignOutputs.Write(context, StudyDesign.Of(context, budget, built, added), added);
            return;
        }

        WarnOfCorners(context, built);
        Grid(settings, built, added).Write(context.Output("shapes.csv"));
    }

    /// <summary>Rows of shapes.csv.</summary>
    /// <param name="settings">Tell the loss of a baseline.</param>
    /// <param name="baselines">Shapes that are marked.</param>
    /// <param name="runs">What is trained.</param>
    internal static Table Shapes(SweepSettings settings, IReadOnlyList<(Baseline Baseline, int Seeds)> baselines, IEnumerable<SweptRun> runs)
    {
        var shapes = new TableBuilder(SweepTables.Shapes);
        foreach (var run in runs)
        {
            bool baseline = baselines.Any(b => b.Baseline.Shape == run.Shape);
            shapes.Add([.. run.Shape.Cells(), run.Seed, run.LearningRateFactor, run.TokensShare, run.Size, baseline, baseline ? settings.BaselineLoss : null]);
        }

        return shapes.Build();
    }

    private static Table Grid(SweepSettings settings, List<(ShapeRequest Request, DecoderShape Shape)> built, IReadOnlyList<(Baseline Baseline, int Seeds)> baselines)
    {
        var swept = built.Select(b => (b.Shape, Size: b.Request.Parameters, Seeds: ForSize(settings.Replicates ?? [1], settings.Sizes.ToList().IndexOf((long)b.Request.Parameters))));
        var added = baselines.Where(b => !built.Exists(g => g.Shape == b.Baseline.Shape)).Select(b => (b.Baseline.Shape, b.Baseline.Size, b.Seeds));
        return Shapes(settings, baselines,
        [
            .. from row in swept.Concat(added)
               from seed in Enumerable.Range(1, row.Seeds)
               select new SweptRun(row.Shape, seed, row.Size),
            .. from corner in Corners(built)
               from factor in Factors(settings)
               select new SweptRun(corner.Shape, 1, corner.Request.Parameters) { LearningRateFactor = factor },
        ]);
    }

    /// <summary>Of each size, the shapes asked with the least or largest x and the least or largest ratio, one a corner: four where all were built with the first GQA.</summary>
    private static IEnumerable<(ShapeRequest Request, DecoderShape Shape)> Corners(List<(ShapeRequest Request, DecoderShape Shape)> built) =>
        from size in built.GroupBy(b => (b.Request.Parameters, b.Request.Layers))
        from corner in size.GroupBy(b => (b.Request.X, b.Request.Ratio)).Select(same => same.First())
        where IsEnd(corner.Request.X, size.Select(b => b.Request.X)) && IsEnd(corner.Request.Ratio, size.Select(b => b.Request.Ratio))
        select corner;

    /// <summary>Says of which sizes fewer corners are left than the grid has, since the others were rejected or rounded to the shape of another point.</summary>
    private static void WarnOfCorners(StageContext<SweepSettings> context, List<(ShapeRequest Request, DecoderShape Shape)> built)
    {
        var settings = context.Settings;
        int asked = Math.Min(2, settings.X.Distinct().Count()) * Math.Min(2, settings.Ratio.Distinct().Count());
        int points = settings.X.Count * settings.Ratio.Count * settings.Gqa.Count;
        var corners = Corners(built).ToList();
        for (int i = 0; i < settings.Sizes.Count && Factors(settings).Any(); i++)
        {
            int Of(IEnumerable<(ShapeRequest Request, DecoderShape Shape)> shapes) =>
                shapes.Count(s => s.Request.Parameters == settings.Sizes[i] && s.Request.Layers == ForSize(settings.Layers, i));
            if (Of(corners) < asked)
            {
                context.Warn(
                    "SCAL7409",
                    $"Of size {settings.Sizes[i]}, {Of(corners)} of the grid's {asked} corners check the learning-rate rule: " +
                    $"{Of(built)} of its {points} points became a shape of their own, the others rounded to that of another or were rejected.",
                    "See rejected.csv; lower 'multiple_of' or 'head_size', raise 'tolerance', or narrow 'x' or 'ratio'.");
            }
        }
    }

    private static IEnumerable<double> Factors(SweepSettings settings) => settings.LearningRateBracket.Distinct().Where(f => f != 1);

    private static bool IsEnd(double value, IEnumerable<double> values) => value == values.Min() || value == values.Max();

    /// <summary>The one number, or that of a size.</summary>
    internal static int ForSize(IReadOnlyList<int> numbers, int size) => numbers[numbers.Count == 1 ? 0 : size];

    /// <summary>Refuses what contradicts itself.</summary>
    /// <returns>The budget of a design; null without.</returns>
    private static DesignBudget? Check(SweepSettings settings)
    {
        var found = new List<Diagnostic>();
        foreach (var (name, count) in new[] { ("layers", settings.Layers.Count), ("head_size", settings.HeadSize.Count), ("replicates", settings.Replicates?.Count ?? 1) })
        {
            if (count != 1 && count != settings.Sizes.Count)
            {
                found.Add(new Diagnostic("SCAL7401", $"'{name}' has {count} values for {settings.Sizes.Count} sizes. Expected one for all sizes, or one a size.")
                {
                    Hint = $"Write one number, or {settings.Sizes.Count} of them.",
                });
            }
        }

        if (settings.HeadSize.FirstOrDefault(h => h % 2 != 0) is > 0 and var odd)
        {
            found.Add(new Diagnostic("SCAL7402", $"'head_size' is {odd}. Expected an even number: rotary positions turn features in pairs.")
            {
                Hint = $"Write {odd + 1}.",
            });
        }

        DesignBudget? budget = null;
        if (settings.Design is not null)
        {
            found.AddRange(StudyDesign.Contradictions(settings));
            budget = DesignBudget.Of(settings.Design, found);
        }

        return found.Count == 0 ? budget : throw new StageFailedException(found);
    }

    private static IEnumerable<ShapeRequest> Requests(SweepSettings settings) =>
        from i in Enumerable.Range(0, settings.Sizes.Count)
        from x in settings.X
        from ratio in settings.Ratio
        from gqa in settings.Gqa
        select new ShapeRequest(
            settings.Sizes[i], ForSize(settings.Layers, i), x, ratio, gqa, ForSize(settings.HeadSize, i), settings.MultipleOf,
            settings.Vocabulary, settings.Tied);

    private static string? SizeMissed(ShapeRequest request, DecoderShape shape, double tolerance)
    {
        double miss = shape.Parameters / request.Parameters - 1;
        return Math.Abs(miss) > tolerance ? $"the nearest shape misses the size by {miss:+0.0%;-0.0%}, more than {tolerance:0.0%}" : null;
    }
}

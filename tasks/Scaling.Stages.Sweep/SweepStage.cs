// The stage `sweep`: the decoder shapes of a study, rounded to what can be built, with what was left out and why.
using Scaling.Architectures;
using Scaling.Sdk;

namespace Scaling.Stages.Sweep;

/// <summary>Writes a full grid of shapes. Cheap and pure: the engine runs it while planning.</summary>
public sealed class SweepStage : Stage<SweepSettings>
{
    /// <inheritdoc/>
    public override StageDeclaration Declaration { get; } = new()
    {
        Type = "sweep",
        Summary = "Lists the decoder shapes to train: every size with every x, ratio and GQA.",
        Enumerating = true,
        Outputs =
        [
            new OutputFile("shapes.csv", "shapes") { Columns = SweepTables.Shapes },
            new OutputFile("rejected.csv", "rejected") { Columns = SweepTables.Rejected },
        ],
    };

    /// <inheritdoc/>
    protected override void Run(StageContext<SweepSettings> context)
    {
        var settings = context.Settings;
        Check(settings);
        var shapes = new TableBuilder(SweepTables.Shapes);
        var rejected = new TableBuilder(SweepTables.Rejected);
        var known = new HashSet<DecoderShape>();
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
            else if (known.Add(shape!))
            {
                foreach (long seed in settings.Seeds.Distinct())
                {
                    shapes.Add([.. shape!.Cells(), seed, request.Parameters]);
                }
            }
        }

        if (known.Count == 0)
        {
            throw new StageFailedException(
                "SCAL7403", $"None of the {rejected.Build().Rows.Count} asked shapes can be built within {settings.Tolerance:0.0%} of its size. The last one: {lastReason}.",
                "Lower head_size, gqa or multiple_of, raise tolerance, or ask for larger sizes.");
        }

        shapes.Build().Write(context.Output("shapes.csv"));
        rejected.Build().Write(context.Output("rejected.csv"));
    }

    private static void Check(SweepSettings settings)
    {
        var found = new List<Diagnostic>();
        if (settings.Layers.Count != 1 && settings.Layers.Count != settings.Sizes.Count)
        {
            found.Add(new Diagnostic(
                "SCAL7401", $"'layers' has {settings.Layers.Count} values for {settings.Sizes.Count} sizes. Expected one for all sizes, or one a size.")
            {
                Hint = $"Write one number, or {settings.Sizes.Count} of them.",
            });
        }

        if (settings.HeadSize % 2 != 0)
        {
            found.Add(new Diagnostic("SCAL7402", $"'head_size' is {settings.HeadSize}. Expected an even number: rotary positions turn features in pairs.")
            {
                Hint = $"Write {settings.HeadSize + 1}.",
            });
        }

        if (found.Count > 0)
        {
            throw new StageFailedException(found);
        }
    }

    private static IEnumerable<ShapeRequest> Requests(SweepSettings settings) =>
        from i in Enumerable.Range(0, settings.Sizes.Count)
        from x in settings.X
        from ratio in settings.Ratio
        from gqa in settings.Gqa
        select new ShapeRequest(
            settings.Sizes[i], settings.Layers[settings.Layers.Count == 1 ? 0 : i], x, ratio, gqa, settings.HeadSize, settings.MultipleOf,
            settings.Vocabulary, settings.Tied);

    private static string? SizeMissed(ShapeRequest request, DecoderShape shape, double tolerance)
    {
        double miss = shape.Parameters / request.Parameters - 1;
        return Math.Abs(miss) > tolerance ? $"the nearest shape misses the size by {miss:+0.0%;-0.0%}, more than {tolerance:0.0%}" : null;
    }
}

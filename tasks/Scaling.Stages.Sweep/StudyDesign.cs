// A study that is to pick a shape at a target: its candidates with their costs, the shapes among which it picks, and the goal that plans are made for.
using Scaling.Architectures;
using Scaling.Laws;
using Scaling.Sdk;

namespace Scaling.Stages.Sweep;

/// <summary>A shape that could be trained, for so many tokens.</summary>
/// <param name="Shape">The shape.</param>
/// <param name="Size">Parameters that were asked for.</param>
/// <param name="Share">Of the asked tokens: 1, or less of a short run.</param>
/// <param name="Flops">What a run of it costs.</param>
/// <param name="Most">How many seeds of it at most.</param>
internal sealed record DesignCandidate(DecoderShape Shape, double Size, double Share, double Flops, int Most)
{
    /// <summary>As a study sees a run of it.</summary>
    public StudyPoint Point => new(Shape.Parameters, Shape.X, Shape.Ratio, Share, Size);
}

/// <summary>A design whose settings are sound.</summary>
/// <param name="Goal">With the prior as it is before any run, and a budget less what baselines cost.</param>
/// <param name="Candidates">In the order of the goal's.</param>
/// <param name="Shapes">Of the target, in the order of the goal's.</param>
/// <param name="Budget">As the user counts it.</param>
/// <param name="BaselineFlops">What runs of baselines cost.</param>
internal sealed record StudyDesign(StudyGoal Goal, IReadOnlyList<DesignCandidate> Candidates, IReadOnlyList<DecoderShape> Shapes, DesignBudget Budget, double BaselineFlops)
{
    /// <summary>Seeds of a candidate where nothing is said: no bound, in effect.</summary>
    public const int UsualMost = 100;

    /// <summary>Runs of a round, and candidates, at most: what goes beyond is a slip of units.</summary>
    public const int MostRuns = 5_000;

    private const int MostShapes = 10_000;
    private const int MostCandidates = 5_000;
    private const double MostPlaces = 1e7; // Pairs of hidden size and heads that are tried for the target.

    /// <summary>What is wrong with settings, as far as it can be told without a shape.</summary>
    /// <param name="settings">With a design.</param>
    public static IEnumerable<Diagnostic> Contradictions(SweepSettings settings)
    {
        var design = settings.Design!;
        if (settings.LearningRateBracket.Count > 0)
        {
            yield return new Diagnostic("SCAL7410", "'learning_rate_bracket' checks the corners of a grid, and 'design' trains no grid.")
            {
                Hint = "Leave it out, or check the rule in a sweep of its own without 'design'.",
            };
        }

        if (settings.Gqa.Distinct().Count() > 1)
        {
            yield return new Diagnostic("SCAL7410", $"'gqa' has {settings.Gqa.Distinct().Count()} values, and 'design' plans for x and ratio: it would take what GQA does for theirs.")
            {
                Hint = $"Write one, for example 'gqa: {settings.Gqa[0]}'.",
            };
        }

        if (design.Target <= settings.Sizes.Max())
        {
            yield return new Diagnostic("SCAL7414", $"'design.target' is {design.Target}, within the sizes that are trained, up to {settings.Sizes.Max()}: there a grid tells which shape is best, and nothing has to be foretold.")
            {
                Hint = $"Raise the target above {settings.Sizes.Max()}, or leave larger 'sizes' out.",
            };
        }

        if (design.TargetHeadSize is { } odd && odd % 2 != 0)
        {
            yield return new Diagnostic("SCAL7402", $"'design.target_head_size' is {odd}. Expected an even number: rotary positions turn features in pairs.") { Hint = $"Write {odd + 1}." };
        }
    }

    /// <summary>The design of a sweep.</summary>
    /// <param name="context">Its settings have a design, and no contradictions.</param>
    /// <param name="budget">Of the design.</param>
    /// <param name="built">The grid's shapes that can be built.</param>
    /// <param name="baselines">Shapes that are trained whatever is planned, each with its number of seeds. They are no candidates.</param>
    /// <exception cref="StageFailedException">SCAL7413, SCAL7415, SCAL7416, SCAL7417, SCAL7419, SCAL7421: see DIAGNOSTICS.md.</exception>
    public static StudyDesign Of(
        StageContext<SweepSettings> context, DesignBudget budget, IReadOnlyList<(ShapeRequest Request, DecoderShape Shape)> built, IReadOnlyList<(Baseline Baseline, int Seeds)> baselines)
    {
        var (settings, design) = (context.Settings, context.Settings.Design!);
        DesignCandidate[] candidates =
        [
            .. from b in built
               where !baselines.Any(known => known.Baseline.Shape == b.Shape)
               let size = b.Request.Parameters
               from share in Shares(design, size)
               let most = settings.Replicates is { } replicates ? SweepStage.ForSize(replicates, settings.Sizes.ToList().IndexOf((long)size)) : UsualMost
               select new DesignCandidate(b.Shape, size, share, budget.Of(design, b.Shape, size, share), most),
        ];
        var held = Held(settings, built);
        if (candidates.Length is 0 or > MostCandidates)
        {
            throw TooMany($"The grid has {candidates.Length} candidates{(design.ShortRuns.Count > 0 ? ", short runs among them" : "")}, and a design chooses among 1 to {MostCandidates}", "Give 'x' and 'ratio' fewer or more values.");
        }

        double baselineFlops = baselines.Sum(b => b.Seeds * budget.Of(design, b.Baseline.Shape, b.Baseline.Size, 1)), cheapest = candidates.Min(c => c.Flops);
        if (budget.Flops - baselineFlops < cheapest)
        {
            string beside = baselineFlops > 0 ? $" beside {budget.Say(baselineFlops)} of the baselines" : "";
            throw new StageFailedException(
                "SCAL7413", $"'design.budget' is {budget.Say(budget.Flops)}, and the cheapest run alone costs {budget.Say(cheapest)}{beside}.",
                "Raise the budget, add a smaller size to 'sizes', or lower 'tokens_per_parameter', there and of the stage that trains.");
        }

        foreach (double share in design.ShortRuns.Except(candidates.Select(c => c.Share)))
        {
            context.Warn(
                "SCAL7427", FormattableString.Invariant($"No size has runs for {share} of the tokens: 'design.minimum_tokens' would make all of them longer."),
                FormattableString.Invariant($"Leave {share} out of 'design.short_runs', or lower 'minimum_tokens'."));
        }

        var prior = DesignPrior.Of(context, candidates, held);
        DecoderShape[] shapes = TargetShapes(context, candidates);
        var stop = design.Stop ?? new StopSettings();
        var goal = new StudyGoal(prior, design.Target, [.. shapes.Select(s => (s.X, s.Ratio))], [.. candidates.Select(c => new StudyCandidate(c.Point, c.Flops, c.Most))], budget.Flops - baselineFlops)
        {
            RoundRuns = design.Round ?? MostRuns,
            RegretToStop = stop.Regret,
            StopsAtOneShape = stop.Confidence < 1,
            Confidence = stop.Confidence < 1 ? stop.Confidence : new StopSettings().Confidence,
        };
        return new StudyDesign(goal, candidates, shapes, budget, baselineFlops);
    }

    /// <summary>Shares of the tokens for which a size may be trained: the whole, and of short runs those that the trainer's fewest tokens do not lengthen.</summary>
    private static IEnumerable<double> Shares(DesignSettings design, double size) =>
        design.ShortRuns.Distinct().Where(share => share < 1 && share * design.TokensPerParameter * size >= design.MinimumTokens).Append(1);

    /// <summary>Whether x, and whether the ratio, has one value, which is then kept.</summary>
    private static (bool X, bool Ratio) Held(SweepSettings settings, IReadOnlyList<(ShapeRequest Request, DecoderShape Shape)> built)
    {
        var found = new List<Diagnostic>();
        bool Held(string name, IReadOnlyList<double> asked, IEnumerable<double> values)
        {
            int left = values.Distinct().Count();
            if (left < 3 && asked.Distinct().Count() > 1)
            {
                found.Add(new Diagnostic("SCAL7415", $"'{name}' has {asked.Distinct().Count()} values, of which {left} can be built: where between them the least loss is cannot be told from fewer than three.")
                {
                    Hint = $"Write three values of '{name}' or more, or one to hold it.",
                });
            }

            return asked.Distinct().Count() == 1;
        }

        var held = (X: Held("x", settings.X, built.Select(b => b.Request.X)), Ratio: Held("ratio", settings.Ratio, built.Select(b => b.Request.Ratio)));
        if (held is { X: true, Ratio: true })
        {
            found.Add(new Diagnostic("SCAL7415", "'x' and 'ratio' have one value each: there is nothing to choose.") { Hint = "Write three values of 'x', of 'ratio' or of both, on both sides of where you expect the best." });
        }

        return found.Count == 0 ? held : throw new StageFailedException(found);
    }

    private static DecoderShape[] TargetShapes(StageContext<SweepSettings> context, DesignCandidate[] candidates)
    {
        var (settings, design) = (context.Settings, context.Settings.Design!);
        int largest = settings.Sizes.ToList().IndexOf(settings.Sizes.Max());
        Bounds Wide(Func<DesignCandidate, double> of) => new(candidates.Min(of) / 1.2, candidates.Max(of) * 1.2);
        var space = new ShapeSpace(
            design.Target, Math.Min(settings.Tolerance, 0.025), [design.TargetLayers ?? SweepStage.ForSize(settings.Layers, largest)], [design.TargetHeadSize ?? SweepStage.ForSize(settings.HeadSize, largest)],
            [settings.Gqa[0]], design.TargetMultipleOf ?? settings.MultipleOf, settings.Vocabulary, settings.Tied, Wide(c => c.Shape.X), Wide(c => c.Shape.Ratio));
        const string Coarser = "Raise 'design.target_multiple_of', or narrow 'x' or 'ratio'.";
        double narrowest = space.X.Low * Math.Sqrt(space.Size), group = 2.0 * space.Layers[0] * narrowest * space.HeadSize[0] * (space.Gqa[0] + 1);
        if ((space.X.High * Math.Sqrt(space.Size) - narrowest) / space.MultipleOf * (space.Size / group) > MostPlaces)
        {
            throw TooMany("The target has too many shapes to judge", Coarser);
        }

        DecoderShape[] shapes = [.. space.Shapes().TakeWhile(_ => !context.Stop.IsCancellationRequested).Take(MostShapes + 1)];
        context.Stop.ThrowIfCancellationRequested();
        return shapes.Length switch
        {
            > MostShapes => throw TooMany($"The target has more than {MostShapes} shapes to judge", Coarser),
            < 2 => throw new StageFailedException(
                "SCAL7419",
                FormattableString.Invariant($"{(shapes.Length == 0 ? "No shape" : "One shape")} of {design.Target} parameters can be built within {space.Tolerance:0.0%} of its size, with x from {space.X.Low:G3} to {space.X.High:G3} and ratio from {space.Ratio.Low:G3} to {space.Ratio.High:G3}: there is nothing to pick."),
                "Lower 'design.target_multiple_of' or 'design.target_head_size', set 'design.target_layers', or widen 'x' and 'ratio'."),
            _ => shapes,
        };
    }

    internal static StageFailedException TooMany(string message, string hint) => new("SCAL7421", message + ".", hint);
}

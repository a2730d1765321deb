// Fits many studies whose truth is known, and counts how often what the fit says of its own uncertainty is so.
using Scaling.Laws;

namespace Scaling.Benchmarks;

/// <summary>What one world with a valley gave.</summary>
/// <param name="X">95 % interval of x*.</param>
/// <param name="Ratio">Of r*.</param>
/// <param name="Oracle">The same of one who knows L_opt; null where its iteration did not settle.</param>
/// <param name="SetHoldsBest">Whether the 80 % confidence set of shapes holds the true best.</param>
/// <param name="SetSize">Candidates in it.</param>
internal sealed record WorldOutcome(OpenInterval X, OpenInterval Ratio, OracleIntervals? Oracle, bool SetHoldsBest, int SetSize);

/// <summary>Whether a world without a valley was called one.</summary>
/// <param name="X">Whether x* was called not identified.</param>
/// <param name="Ratio">Whether r* was.</param>
internal sealed record FlatOutcome(bool X, bool Ratio);

/// <summary>The worlds of a design.</summary>
/// <param name="Design">Which.</param>
/// <param name="Worlds">With a valley.</param>
/// <param name="FlatWorlds">Without.</param>
internal sealed record CoverageResult(WorldDesign Design, IReadOnlyList<WorldOutcome> Worlds, IReadOnlyList<FlatOutcome> FlatWorlds);

/// <summary>Draws, fits and compares.</summary>
/// <param name="resamples">Of each fit.</param>
/// <param name="seed">Of the worlds.</param>
internal sealed class CoverageStudy(int resamples, int seed)
{
    private const double Confidence = 0.8;

    /// <summary>41 values of x, 1 % apart, and 21 of the ratio, 2 % apart; the true best is the one in the middle.</summary>
    private static readonly IReadOnlyList<LawPoint> s_candidates =
    [
        .. from i in Enumerable.Range(-20, 41)
           from j in Enumerable.Range(-10, 21)
           select new LawPoint(1, 1) { X = SyntheticWorld.Shape.XStar * (1 + 0.01 * i), Ratio = SyntheticWorld.Shape.RStar * (1 + 0.02 * j) },
    ];

    /// <summary>How many candidates a confidence set is taken from.</summary>
    public static int Candidates => s_candidates.Count;

    /// <summary>Runs a design. The result depends on design, worlds, resamples and seed, and not on the number of cores.</summary>
    /// <param name="design">With a valley.</param>
    /// <param name="worlds">How many, with a valley and without.</param>
    /// <param name="output">Where progress goes.</param>
    public CoverageResult Run(WorldDesign design, int worlds, TextWriter output)
    {
        var progress = new Progress($"worlds of {design.Name}", 2 * worlds, output);
        var valleys = new WorldOutcome[worlds];
        var flats = new FlatOutcome[worlds];
        Parallel.For(0, worlds, world =>
        {
            valleys[world] = Valley(SyntheticWorld.Draw(design, seed, world), world);
            progress.Step();
            flats[world] = Flat(SyntheticWorld.Draw(design with { Curved = false }, seed, world), world);
            progress.Step();
        });
        return new CoverageResult(design, valleys, flats);
    }

    private WorldOutcome Valley(SyntheticWorld world, int number)
    {
        var law = Fit(world, number);
        var odds = ShapeDecision.Of(law, law.Ranges.Parameters.High, law.Ranges.Tokens.High, s_candidates, confidence: Confidence)!;
        return new WorldOutcome(law.Intervals.XStar!, law.Intervals.RStar!, Oracle.Of(world), odds[odds.Count / 2].InConfidenceSet, odds.Count(o => o.InConfidenceSet));
    }

    private FlatOutcome Flat(SyntheticWorld world, int number)
    {
        var law = Fit(world, number);
        bool Not(string quantity) => law.Verdict(quantity)!.Identification == Identification.NotIdentified;
        return new FlatOutcome(Not("x_star"), Not("r_star"));
    }

    /// <summary>Each world resamples with a seed of its own: with one for all, the chance in the resamples would not average out over worlds.</summary>
    private LawDocument Fit(SyntheticWorld world, int number) =>
        LawFit.Fit(world.Runs, new LawContext(), new LawOptions { Objective = ObjectiveKind.LeastSquares, Resamples = resamples, ResampleSeed = number }).Document;
}

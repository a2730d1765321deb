// Fits the valley: a shape's terms by Bayes' rule with a weak prior, the base law to what is left.
namespace Scaling.Laws;

/// <summary>
/// The belief that <see cref="StudyBelief"/> has of the runs, the optimum somewhere in their range, as a law. Each resample's prior has its middles drawn anew, so that what the runs do not tell scatters
/// as widely as it is believed to, instead of standing still at the prior (randomise, then optimise: Bardsley and others 2014).
/// </summary>
internal sealed class ValleyFitter : LawFitter
{
    private const double UsualNoise = 0.001; // Of ln L, and believed as half a run is: the runs tell it.
    private readonly StudyPrior _prior;
    private readonly StudyPoint[] _points;
    private readonly double _largest;
    private readonly Lazy<StudyBelief> _belief;

    public ValleyFitter(Design design)
        : base(design)
    {
        double budget = design.Runs.Max(r => r.Tokens / r.Parameters);
        double[] size = SizeClasses.Means([.. design.Parameters.Select(n => Math.Log(n))], design.SizeOf), share = SizeClasses.Means([.. design.Runs.Select(r => Math.Log(r.Tokens / r.Parameters / budget))], design.Classes);
        double longest = share.Max();
        _points = [.. design.Runs.Select((r, i) => new StudyPoint(r.Parameters, r.X!.Value, r.Ratio!.Value, Math.Exp(share[i] - longest), Math.Exp(size[i])))];
        _largest = _points.Max(p => p.Size);
        _prior = StudyPrior.Within(Range(r => r.X!.Value), Range(r => r.Ratio!.Value), SizeClasses.GeometricMean(_points.Select(p => p.Size).Distinct()), UsualNoise) with { NoiseFreedom = 0.5 };
        _belief = new Lazy<StudyBelief>(() => StudyBelief.After(_prior, Results(design.Loss)));

        Interval Range(Func<TrainingRun, double> of) => new(design.Runs.Min(of), design.Runs.Max(of));
    }

    public override int Freedom => Design.BaseFreedom + ShapeFreedom;

    /// <summary>Curvature, optimum, drift and asymmetry of both axes, and their interaction.</summary>
    public override int ShapeFreedom => 9;

    public override LawSolution Solve()
    {
        double[] theta = _belief.Value.Mean.ToArray();
        return Solution(ChinchillaFit.Fit(Design.Objective(WithoutShape(Design.Loss, Terms(theta))), Design.BaseTerms), theta);
    }

    public override LawSolution Refit(LawSolution near, double[] loss, double tolerance)
    {
        // The losses are the resample's own chance; a stream from them draws the prior's.
        var random = new Random(BitConverter.DoubleToInt64Bits(loss.Sum()).GetHashCode());
        double[] theta = StudyBelief.Again(_prior.Drawn(random), Results(loss), _belief.Value);
        double[] best = WithoutShape(loss, Terms(theta));
        var basis = new ChinchillaSolution(Design.Objective(best), near.Point, near.Value, near.Status);
        return Solution(ChinchillaFit.Refit(basis, best, Design.BaseTerms, tolerance), theta) with { Status = near.Status };
    }

    private StudyResult[] Results(double[] loss) => [.. _points.Zip(loss, (p, l) => new StudyResult(p, l))];

    private LawSolution Solution(ChinchillaSolution basis, double[] theta) => new(basis.Law, Terms(theta), basis.Value, basis.Status, basis.Point, theta) { Restarts = basis.Restarts };

    private ShapeTerms Terms(double[] p)
    {
        double size = Math.Log(_largest / _prior.ReferenceSize);
        const int ratio = Valley.Axis;
        double At(int axis) => p[axis + Valley.Optimum] + p[axis + Valley.Drift] * size;
        var coefficients = new ShapeCoefficients(p[Valley.Curvature], At(0), p[Valley.Drift], p[ratio + Valley.Curvature], At(ratio), p[ratio + Valley.Drift])
        {
            C = p[Valley.Interaction],
            AsymmetryX = p[Valley.Asymmetry],
            AsymmetryRatio = p[ratio + Valley.Asymmetry],
        };
        return new ShapeTerms(LawForm.Valley, coefficients)
        {
            Centre = new ShapeCentre(SizeClasses.GeometricMean(_points.Select(q => q.X)), SizeClasses.GeometricMean(_points.Select(q => q.Ratio))) { Parameters = _largest },
        };
    }
}

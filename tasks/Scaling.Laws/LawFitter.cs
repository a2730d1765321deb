// The minimisations behind a law: from scratch, and again from nearby for resamples.
namespace Scaling.Laws;

/// <summary>A law at its minimum.</summary>
/// <param name="Law">L_opt.</param>
/// <param name="Shape">Null for a Chinchilla law alone.</param>
/// <param name="Value">Of the objective.</param>
/// <param name="Status">How the minimisation ended.</param>
/// <param name="Point">The minimiser's own parameters of the base law, to start a refit from.</param>
/// <param name="Theta">The shape fit's, likewise.</param>
internal sealed record LawSolution(ChinchillaLaw Law, ShapeTerms? Shape, double Value, Convergence Status, double[] Point, double[] Theta)
{
    /// <summary>How the starting points ended. Default: of a refit, one.</summary>
    public Restarts Restarts { get; init; } = new(1, 1, new Interval(Law.Alpha, Law.Alpha), new Interval(Law.Beta, Law.Beta));
}

/// <summary>Fits one law to losses of one design.</summary>
internal abstract class LawFitter(Design design)
{
    public Design Design { get; } = design;

    /// <summary>The shape's fit; null where levels and shape are one fit, or there is no shape.</summary>
    public virtual ShapeFit? Shape => null;

    /// <summary>Parameters that are fitted.</summary>
    public abstract int Freedom { get; }

    /// <summary>Of these the ones that say what shapes of one size and budget differ by.</summary>
    public virtual int ShapeFreedom => Shape?.Terms ?? 0;

    /// <summary>Fits from scratch.</summary>
    public abstract LawSolution Solve();

    /// <summary>Fits other losses of the same runs from a solution nearby.</summary>
    public abstract LawSolution Refit(LawSolution near, double[] loss, double tolerance);

    /// <summary>The Jacobian of ln L̂ by the base law's own parameters, a row a run; columns of absent terms are 0.</summary>
    public virtual double[,] LogJacobian(LawSolution solution) => Design.Objective(Design.Loss).LogJacobian(solution.Point);

    /// <summary>Largest derivative of the objective by a free parameter of the base law over the objective.</summary>
    public virtual double GradientNorm(LawSolution solution)
    {
        var here = Objective(solution).Expand(solution.Point);

        // Beside a weight of 0 its exponent's derivative is 0.
        var free = Enumerable.Range(0, 5).Where(k => !ChinchillaFit.AtBound(solution.Point, k)).Select(k => Math.Abs(here.Gradient[k]));
        return free.DefaultIfEmpty(0).Max() / Math.Max(here.Value, Design.Trifle);
    }

    /// <summary>What the base law minimises, given the shape.</summary>
    public ChinchillaObjective Objective(LawSolution solution) => Design.Objective(WithoutShape(Design.Loss, solution.Shape));

    /// <summary>Losses as the best shape would have had them.</summary>
    protected double[] WithoutShape(double[] loss, ShapeTerms? terms) =>
        terms is null ? loss : [.. loss.Select((l, i) => Math.Max(terms.Remove(l, LawPoint.Of(Design.Runs[i])), 1e-3 * l))];

    /// <summary>The shape fit's residuals L̂ − L with free levels, and leverages; null without a shape fit.</summary>
    public virtual (double[] Residual, Leverage Leverage)? WithinClasses(LawSolution solution) => null;

    /// <summary>The fitter of a law.</summary>
    /// <param name="design">Runs and options.</param>
    /// <param name="form">Of a conditional law.</param>
    public static LawFitter Of(Design design, LawForm form) =>
        design.Options.Law == LawKind.WidthOverDepth ? new WidthOverDepthFitter(design)
        : form == LawForm.Valley && design.Options.Law == LawKind.Conditional && design.FitsWidth && design.FitsSplit ? new ValleyFitter(design)
        : new ChinchillaFitter(design, form == LawForm.Valley ? LawForm.Multiplicative : form);
}

/// <summary>
/// The base law is fitted to the losses with the shape's effect removed, the shape's terms to what variants of one (N, D) class differ in; each
/// needs little of the other, so a few rounds settle both.
/// </summary>
internal sealed class ChinchillaFitter : LawFitter
{
    private readonly bool _conditional;

    public ChinchillaFitter(Design design, LawForm form)
        : base(design)
    {
        _conditional = design.Options.Law == LawKind.Conditional;

        // Of one axis alone a product is that axis.
        form = form == LawForm.Joint && !(design.FitsWidth && design.FitsSplit) ? LawForm.Multiplicative : form;
        int[] classes = _conditional ? design.Classes : new int[design.Runs.Count];
        var columns = ShapeColumns.Of(design.Runs, design.Options, _conditional ? form : LawForm.None, _conditional ? classes : null, design.FitsWidth, design.FitsSplit);
        Shape = _conditional || columns.All.Count > 0 ? new ShapeFit(columns, classes, design.Weights) : null;
    }

    public override ShapeFit? Shape { get; }

    public override int Freedom => Design.BaseFreedom + (Shape?.Terms ?? 0);

    public override LawSolution Solve()
    {
        double[] loss = Design.Loss;
        var basis = ChinchillaFit.Fit(Design.Objective(loss), Design.BaseTerms);
        if (Shape is null)
        {
            return Solution(basis, []);
        }

        // The first base law has seen shapes of every kind as one: good for local slopes only, so the second is again fitted from scratch.
        double[] theta = Shape.Fit(loss, Local(basis.Law), Shape.NoEffect);
        basis = ChinchillaFit.Fit(Design.Objective(WithoutShape(loss, Shape.Columns.Terms(theta))), Design.BaseTerms);
        return Settle(loss, basis, theta, rounds: _conditional ? 50 : 3000, tolerance: 1e-15, still: 1e-12);
    }

    public override LawSolution Refit(LawSolution near, double[] loss, double tolerance)
    {
        var basis = new ChinchillaSolution(Design.Objective(loss), near.Point, near.Value, near.Status);
        if (Shape is null)
        {
            return Solution(ChinchillaFit.Refit(basis, loss, Design.BaseTerms, tolerance), []);
        }

        // Local slopes barely move, so one round does; covariates that go with N share its slope, and take many.
        return Settle(loss, basis, near.Theta, rounds: _conditional ? 1 : 300, tolerance, still: 1e-7) with { Status = near.Status };
    }

    public override (double[] Residual, Leverage Leverage)? WithinClasses(LawSolution solution)
    {
        if (!_conditional || Shape is null)
        {
            return null;
        }

        var state = Shape.At(Design.Loss, Local(solution.Law), solution.Theta);
        return (state.Residual, Shape.Leverage(state, solution.Theta));
    }

    /// <summary>Fits base and shape in turn until neither moves.</summary>
    private LawSolution Settle(double[] loss, ChinchillaSolution basis, double[] theta, int rounds, double tolerance, double still)
    {
        bool settled = false;
        for (int round = 0; round < rounds && !settled; round++)
        {
            double[] next = Shape!.Fit(loss, Local(basis.Law), theta, tolerance);
            basis = ChinchillaFit.Refit(basis, WithoutShape(loss, Shape.Columns.Terms(next)), Design.BaseTerms, tolerance);
            settled = next.Zip(theta, (a, b) => Math.Abs(a - b)).DefaultIfEmpty(0).Max() < still;
            theta = next;
        }

        // Of a conditional law the rest is far below its noise; terms that compete with N for one slope are not where they belong.
        return Solution(settled || _conditional ? basis : basis with { Status = Convergence.IterationLimit }, theta);
    }

    private LawSolution Solution(ChinchillaSolution basis, double[] theta) =>
        new(basis.Law, Shape?.Columns.Terms(theta), basis.Value, basis.Status, basis.Point, theta) { Restarts = basis.Restarts };

    private double[] Local(ChinchillaLaw law) => _conditional
        ? Design.Local(law, Shape!.Columns.Additive)
        : [.. Design.Runs.Select(r => law.Predict(r.Parameters, r.Tokens))];
}

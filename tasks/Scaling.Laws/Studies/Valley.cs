// How a shape's x and ratio move the loss, in coordinates in which what is not known is nearly normal: what plans of studies are made with.
namespace Scaling.Laws;

/// <summary>A place where a valley is asked for its loss.</summary>
/// <param name="Size">ln N less that of the belief's reference size.</param>
/// <param name="X">ln x, x = d/√N.</param>
/// <param name="Ratio">ln r, MLP to attention parameters.</param>
/// <param name="Budget">ln of the run's tokens a parameter over the study's; 0 for a run of the whole budget.</param>
/// <param name="Miss">ln N less that of the size it was meant to be: what rounding left.</param>
internal readonly record struct ValleyPoint(double Size, double X, double Ratio, double Budget, double Miss);

/// <summary>
/// ln L = level + s·miss + ln(1 + a·φ(u)) + ln(1 + b·φ(v)) + η·√(a·b)·u·v, with u = ln x − ln x* and v = ln r − ln r*, whose optima move with ln N and with the budget, as a and b do with the budget.
/// φ(u) = (e^(−κu) + κu − 1)/κ² has curvature 1 at its minimum: κ = 1 is the published law's ln u + 1/u − 1, κ → 0 half a square, κ &lt; 0 the mirror image.
/// a and b are positive, so they are held by their logarithms.
/// </summary>
internal static class Valley
{
    /// <summary>Of <see cref="Axis"/>'s parameters: ln of the curvature.</summary>
    public const int Curvature = 0;

    /// <summary>ln of the optimum at the reference size and the whole budget.</summary>
    public const int Optimum = 1;

    /// <summary>What ln of the optimum gains for each unit of ln N.</summary>
    public const int Drift = 2;

    /// <summary>κ.</summary>
    public const int Asymmetry = 3;

    /// <summary>What ln of the optimum gains for each unit of <see cref="ValleyPoint.Budget"/>: the bias of short runs.</summary>
    public const int BudgetDrift = 4;

    /// <summary>What <see cref="BudgetDrift"/> gains for each unit of ln N: the bias of short runs may be another for large models.</summary>
    public const int BudgetGrowth = 5;

    /// <summary>What ln of the curvature gains for each unit of <see cref="ValleyPoint.Budget"/>: of short runs the valley may be flatter.</summary>
    public const int BudgetCurvature = 6;

    /// <summary>Whether a parameter moves the curvature of short runs, or their bias with size.</summary>
    public static bool IsOfShortRuns(int parameter) => parameter < Interaction && parameter % Axis is BudgetGrowth or BudgetCurvature;

    /// <summary>Parameters of one axis; x's stand first, then the ratio's.</summary>
    public const int Axis = 7;

    /// <summary>η, between −1 and 1 where there is a minimum.</summary>
    public const int Interaction = 2 * Axis;

    /// <summary>All parameters that sizes share. Behind them each size and budget has its level, and s, what ln L gains there for each unit of ln N: rounding moves the N of a shape by percents, which is as much as shapes differ by.</summary>
    public const int Count = Interaction + 1;

    /// <summary>The shape's part of ln L, 0 at the optimum.</summary>
    public static double Effect(ReadOnlySpan<double> p, in ValleyPoint at) => Gradient(p, at, []);

    /// <summary>The same with its derivatives.</summary>
    /// <param name="p">At least <see cref="Count"/> parameters.</param>
    /// <param name="at">Where.</param>
    /// <param name="gradient">Takes <see cref="Count"/> derivatives; empty for none.</param>
    public static double Gradient(ReadOnlySpan<double> p, in ValleyPoint at, Span<double> gradient)
    {
        double u = at.X - OptimumAt(p, at), v = at.Ratio - OptimumAt(p[Axis..], at);
        double steepness = Math.Sqrt(CurvatureAt(p, at) * CurvatureAt(p[Axis..], at)), cross = p[Interaction] * steepness;
        double x = Along(p, u, at, cross * v, gradient), ratio = Along(p[Axis..], v, at, cross * u, gradient.IsEmpty ? gradient : gradient[Axis..]);
        double together = cross * u * v;
        if (!gradient.IsEmpty)
        {
            gradient[Curvature] += together / 2;
            gradient[Axis + Curvature] += together / 2;
            gradient[BudgetCurvature] += together / 2 * at.Budget;
            gradient[Axis + BudgetCurvature] += together / 2 * at.Budget;
            gradient[Interaction] = steepness * u * v;
        }

        return x + ratio + together;
    }

    /// <summary>ln of an axis's optimum at a size and budget.</summary>
    /// <param name="axis">The axis's parameters.</param>
    /// <param name="at">Where.</param>
    public static double OptimumAt(ReadOnlySpan<double> axis, in ValleyPoint at) => axis[Optimum] + axis[Drift] * at.Size + (axis[BudgetDrift] + axis[BudgetGrowth] * at.Size) * at.Budget;

    /// <summary>An axis's curvature at a budget.</summary>
    private static double CurvatureAt(ReadOnlySpan<double> axis, in ValleyPoint at) => Math.Exp(axis[Curvature] + axis[BudgetCurvature] * at.Budget);

    /// <summary>One axis, its derivatives, and those of the interaction that go through u.</summary>
    private static double Along(ReadOnlySpan<double> p, double u, in ValleyPoint at, double crossSlope, Span<double> gradient)
    {
        double a = CurvatureAt(p, at);
        var (height, slope, bend) = Shape(p[Asymmetry], u);
        double whole = 1 + a * height;
        if (!gradient.IsEmpty)
        {
            double byPlace = a * slope / whole + crossSlope;
            gradient[Curvature] = a * height / whole;
            gradient[Optimum] = -byPlace;
            gradient[Drift] = -byPlace * at.Size;
            gradient[Asymmetry] = a * bend / whole;
            gradient[BudgetDrift] = -byPlace * at.Budget;
            gradient[BudgetGrowth] = -byPlace * at.Size * at.Budget;
            gradient[BudgetCurvature] = gradient[Curvature] * at.Budget;
        }

        return Math.Log(whole);
    }

    /// <summary>φ, its slope in u, and its derivative by κ; by its series where the closed form loses its digits.</summary>
    private static (double Height, double Slope, double ByAsymmetry) Shape(double k, double u)
    {
        double t = k * u;
        if (Math.Abs(t) < 0.02)
        {
            return (
                u * u * (1 / 2.0 - t / 6 + t * t / 24 - t * t * t / 120),
                u * (1 - t / 2 + t * t / 6 - t * t * t / 24),
                u * u * u * (-1 / 6.0 + t / 12 - t * t / 40 + t * t * t / 180));
        }

        double fall = Math.Exp(Math.Clamp(-t, -40, 40));
        double height = (fall - 1 + t) / (k * k);
        return (height, (1 - fall) / k, u * (1 - fall) / (k * k) - 2 * height / k);
    }
}

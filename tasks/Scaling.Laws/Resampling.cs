// Residual bootstrap: the law refitted to losses that could as well have been measured.
using MathNet.Numerics.Random;

namespace Scaling.Laws;

/// <summary>
/// Each resample is the fitted loss plus a drawn residual (Efron 1979), residuals inflated for the parameters that were fitted. Of a conditional
/// law the residual has two parts, drawn apart: what an (N, D) class shares, which is the base law's error there, and what is left within the
/// class, which is training noise. Drawing rows alone would count the shared error as many times as there are shapes.
/// </summary>
internal static class Resampling
{
    public static IReadOnlyList<LawSolution> Of(Design design, LawSolution solution)
    {
        double[] fitted = design.Predict(solution);
        int[] classes = design.Shape is null ? [.. Enumerable.Range(0, fitted.Length)] : design.Classes;
        var (shared, own) = Split(design, [.. design.Loss.Zip(fitted, (l, f) => l - f)], classes);

        // Its algorithm is fixed by its name, unlike that of the framework's generator.
        var random = new MersenneTwister(design.Options.ResampleSeed, threadSafe: false);
        var solutions = new List<LawSolution>();
        for (int k = 0; k < design.Options.Resamples; k++)
        {
            double[] drawn = [.. shared.Select(_ => shared[random.Next(shared.Length)])];
            double[] loss = [.. fitted.Select((f, i) => Math.Max(f + drawn[classes[i]] + own[random.Next(own.Length)], 1e-3 * design.Loss[i]))];

            // One round: local slopes barely move. A millionth of the objective is far below what draws differ by.
            solutions.Add(LawFit.Settle(design, loss, solution.Base, solution.Theta, rounds: 1, tolerance: 1e-6));
        }

        return solutions;
    }

    private static (double[] Shared, double[] Own) Split(Design design, double[] residuals, int[] classes)
    {
        double[] mean = new double[classes.Max() + 1];
        foreach (var group in residuals.Zip(classes).GroupBy(p => p.Second))
        {
            mean[group.Key] = group.Average(p => p.First);
        }

        double between = Inflation(mean.Length, design.BaseFreedom);
        double within = Inflation(residuals.Length, mean.Length + (design.Shape?.Terms ?? 0));
        double centre = mean.Average();
        return ([.. mean.Select(m => (m - centre) * between)], [.. residuals.Select((r, i) => (r - mean[classes[i]]) * within)]);
    }

    private static double Inflation(int count, int fitted) => count > fitted ? Math.Sqrt((double)count / (count - fitted)) : 1;
}

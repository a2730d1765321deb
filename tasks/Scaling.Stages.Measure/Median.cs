// A median and how sure it is.
namespace Scaling.Stages.Measure;

/// <summary>A median with the 95 % percentile bootstrap interval (Efron 1979): the middle 95 % of the medians of 2000 resamples, drawn with a fixed seed.</summary>
/// <param name="Value">The median; the mean of the two middle values where the count is even.</param>
/// <param name="Low">2.5th percentile of the resamples' medians.</param>
/// <param name="High">97.5th percentile of the resamples' medians.</param>
public sealed record Median(double Value, double Low, double High)
{
    private const int Resamples = 2000;

    /// <summary>The median of some values.</summary>
    /// <param name="values">At least one.</param>
    public static Median Of(IReadOnlyList<double> values)
    {
        var random = new Random(1);
        double[] medians = new double[Resamples];
        double[] resample = new double[values.Count];
        for (int i = 0; i < Resamples; i++)
        {
            for (int j = 0; j < resample.Length; j++)
            {
                resample[j] = values[random.Next(values.Count)];
            }

            medians[i] = Middle(resample);
        }

        Array.Sort(medians);
        return new Median(Middle([.. values]), medians[(int)(0.025 * Resamples)], medians[(int)(0.975 * Resamples) - 1]);
    }

    /// <summary>Sorts the values in place.</summary>
    private static double Middle(double[] values)
    {
        Array.Sort(values);
        int half = values.Length / 2;
        return values.Length % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
    }
}

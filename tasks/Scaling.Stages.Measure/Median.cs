// Medians and how sure they are.
namespace Scaling.Stages.Measure;

/// <summary>
/// A median with a 95 % percentile bootstrap interval: the middle 95 % of the medians of 2000 resamples, drawn with a fixed seed. Resamples are put together of blocks of √n successive values, the last
/// followed by the first (Politis and Romano 1992): what slows a machine lasts for more than one round, and drawing rounds one by one would take them for independent.
/// </summary>
/// <param name="Value">The median; the mean of the two middle values where the count is even.</param>
/// <param name="Low">2.5th percentile of the resamples' medians.</param>
/// <param name="High">97.5th percentile of the resamples' medians.</param>
public sealed record Median(double Value, double Low, double High)
{
    private const int Resamples = 2000;

    /// <summary>The median of some values.</summary>
    /// <param name="values">At least one.</param>
    public static Median Of(IReadOnlyList<double> values) => OfProduct([values]);

    /// <summary>
    /// The product of medians of series that were observed together: a resample draws the same rounds of all, so that what they share widens the interval and what cancels between them does not.
    /// </summary>
    /// <param name="series">At least one, all equally long; element i of each belongs to the same round.</param>
    public static Median OfProduct(IReadOnlyList<IReadOnlyList<double>> series)
    {
        int rounds = series[0].Count;
        int block = (int)Math.Round(Math.Sqrt(rounds));
        var random = new Random(1);
        double[] products = new double[Resamples];
        int[] drawn = new int[rounds];
        double[] resample = new double[rounds];
        for (int i = 0; i < Resamples; i++)
        {
            for (int j = 0; j < rounds; j++)
            {
                drawn[j] = j % block == 0 ? random.Next(rounds) : (drawn[j - 1] + 1) % rounds;
            }

            products[i] = 1;
            foreach (var values in series)
            {
                for (int j = 0; j < rounds; j++)
                {
                    resample[j] = values[drawn[j]];
                }

                products[i] *= Sorted(resample);
            }
        }

        Array.Sort(products);
        return new Median(series.Aggregate(1.0, (product, values) => product * Middle(values)), products[(int)(0.025 * Resamples)], products[(int)(0.975 * Resamples) - 1]);
    }

    /// <summary>The median alone.</summary>
    /// <param name="values">At least one.</param>
    public static double Middle(IEnumerable<double> values) => Sorted([.. values]);

    /// <summary>Sorts the values in place.</summary>
    private static double Sorted(double[] values)
    {
        Array.Sort(values);
        int half = values.Length / 2;
        return values.Length % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
    }
}

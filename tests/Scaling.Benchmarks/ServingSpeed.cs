// How well a calibration foretells shapes that it did not see, and how well a measurement repeats.
using Scaling.Architectures;
using Scaling.Laws;

namespace Scaling.Benchmarks;

/// <summary>The <c>speed</c> command.</summary>
internal static class ServingSpeed
{
    private const int Splits = 20;
    private const double RatioError = 3, Order = 95, Overlap = 90;

    private static readonly Workload InBatch = new(128, 32, 8) { Weights = DataType.Float32, KvCache = DataType.Float32 };
    private static readonly Workload Alone = new(256, 32, 1) { Weights = DataType.Float32, KvCache = DataType.Float32 };

    /// <summary>
    /// Small: what studies on a processor train, within a core's own caches. Large: what a decode step reads fills the last cache, which others on the host fill too, so that
    /// no two runs need agree.
    /// </summary>
    private static readonly (string Name, double[] Sizes, Workload Workload, bool Repeats)[] Sets =
    [
        ("small, batch 8", [3e4, 1e5, 3e5], InBatch, true),
        ("small, batch 1", [3e4, 1e5, 3e5], Alone, true),
        ("large, batch 8", [1e6, 3e6], InBatch, false),
    ];

    /// <summary>Measures, or reads what was measured, and prints.</summary>
    /// <param name="arguments">Tables that lie in the folder already are read, not measured.</param>
    /// <param name="output">Where the tables go.</param>
    /// <returns>1 where the tool failed, else 0.</returns>
    public static int Run(SpeedArguments arguments, TextWriter output)
    {
        var (folder, against) = (arguments.Folder, arguments.Against);
        Directory.CreateDirectory(folder);
        var targets = new List<TargetLine>();
        var repeats = new List<string>();
        output.WriteLine("| workload | shapes | half width of an interval, % | calibrated by | ratios of held-out shapes, median error, % | by three costs alone | pairs apart | in the right order, % |");
        output.WriteLine("|---|---|---|---|---|---|---|---|");
        foreach (var (name, sizes, workload, mustRepeat) in Sets)
        {
            string file = Path.Combine(folder, name + ".csv");
            try
            {
                if (!File.Exists(file))
                {
                    MeasuredTable.Measure(MeasuredTable.DrawShapes(arguments.Seed, sizes), workload, file);
                }
            }
            catch (InvalidDataException e)
            {
                Console.Error.WriteLine(e.Message);
                return 1;
            }

            var rows = MeasuredTable.Read(file);
            var held = HeldOut(rows, r => SpeedCalibration.Fit(r).Model);
            var plain = HeldOut(rows, RooflineFit.Of);
            var model = SpeedCalibration.Fit([.. rows.Select(r => r.Measured)]).Model;
            string by = model is CalibratedCosts costs ? $"costs by kind of work, cache {(costs.CacheBytes is { } bytes ? $"{bytes / 1048576:0.#} MiB" : "of any size")}" : "three costs";
            double width = 100 * Quantiles.Median(rows.Select(r => (r.Relative.High - r.Relative.Low) / 2 / r.Relative.Value));
            output.WriteLine($"| {name} | {rows.Count} | {width:0.0} | {by} | {held.RatioError:0.0} | {plain.RatioError:0.0} | {held.Pairs} | {held.InOrder:0.0} |");
            targets.Add(TargetLine.AtMost($"{name}: ratios of held-out shapes, median error, %", RatioError, held.RatioError));
            targets.Add(TargetLine.AtLeast($"{name}: pairs apart in the right order, %", Order, held.InOrder));

            if (against is not null)
            {
                var earlier = MeasuredTable.Read(Path.Combine(against, name + ".csv")).ToDictionary(r => r.Measured.Shape);
                double Share(Func<MeasuredRow, (double Value, double Low, double High)> of) => 100.0 * rows.Count(r => Meet(of(r), of(earlier[r.Measured.Shape]))) / rows.Count;
                double machine = Quantiles.Median(rows.Select(r => r.Rate.Value / earlier[r.Measured.Shape].Rate.Value));
                repeats.Add($"| {name} | {machine:0.00} | {Share(r => r.Rate):0} | {Share(r => r.Relative):0} |");
                if (mustRepeat)
                {
                    targets.Add(TargetLine.AtLeast($"{name}: shapes whose speed over the anchor's overlaps that of the earlier run, %", Overlap, Share(r => r.Relative)));
                }
            }
        }

        if (repeats.Count > 0)
        {
            output.WriteLine();
            output.WriteLine("| again | the machine's speed, earlier = 1 | tokens a second that overlap, % | speeds over the anchor's that overlap, % |");
            output.WriteLine("|---|---|---|---|");
            repeats.ForEach(output.WriteLine);
        }

        output.WriteLine();
        TargetLine.Write(targets, output);
        return 0;
    }

    private static bool Meet((double Value, double Low, double High) a, (double Value, double Low, double High) b) => a.Low <= b.High && b.Low <= a.High;

    /// <summary>Half of the shapes calibrate, the pairs of the other half are judged; twenty times.</summary>
    private static (double RatioError, double InOrder, int Pairs) HeldOut(IReadOnlyList<MeasuredRow> rows, Func<IReadOnlyList<MeasuredSpeed>, ISpeedModel> fit)
    {
        var random = new Random(1);
        var errors = new List<double>();
        int apart = 0, inOrder = 0;
        for (int split = 0; split < Splits; split++)
        {
            MeasuredRow[] dealt = [.. rows];
            random.Shuffle(dealt);
            var model = fit([.. dealt.Take(dealt.Length / 2).Select(r => r.Measured)]);
            var heldOut = dealt.Skip(dealt.Length / 2).Select(r => (Row: r, Predicted: Speed.Predict(model, r.Measured.Shape, r.Measured.Workload).TokensPerSecond)).ToArray();
            foreach (var (a, b) in from i in Enumerable.Range(0, heldOut.Length) from j in Enumerable.Range(0, i) select (heldOut[i], heldOut[j]))
            {
                double measured = a.Row.Relative.Value / b.Row.Relative.Value, predicted = a.Predicted / b.Predicted;
                errors.Add(100 * Math.Abs(predicted / measured - 1));
                if (a.Row.IsApartFrom(b.Row))
                {
                    apart++;
                    inOrder += measured > 1 == predicted > 1 ? 1 : 0;
                }
            }
        }

        return (Quantiles.Median(errors), 100.0 * inOrder / apart, apart / Splits);
    }
}

// A calibration finds the machine behind measured times, and says how well it meets shapes that it did not see.
using Scaling.Architectures;

namespace Scaling.Laws.Tests;

public class SpeedCalibrationTests
{
    private static readonly Workload Small = new(128, 64, 8) { Weights = DataType.Float32, KvCache = DataType.Float32 };

    private static readonly DecoderShape[] Shapes =
    [
        .. from hidden in new[] { 16, 32, 64, 96 }
           from intermediate in new[] { 32, 128, 256 }
           from layers in new[] { 2, 4 }
           select new DecoderShape(layers, hidden, intermediate, 4, 2, 8, 256, true),
    ];

    // In turn: all bound by time a layer; prefill by arithmetic and decode by memory; arithmetic never; memory never.
    [Theory]
    [InlineData(1e-11, 1e-10, 3e-4)]
    [InlineData(2e-11, 1e-9, 1e-5)]
    [InlineData(0, 1e-9, 1e-5)]
    [InlineData(2e-10, 0, 1e-5)]
    public void Times_that_a_roofline_gave_lead_back_to_it(double perFlop, double perByte, double perLayer)
    {
        var truth = new Roofline(perFlop, perByte, perLayer);
        var fit = RooflineFit.Of([.. Shapes.Select(s => Measure(truth, s))]);
        foreach (var shape in Shapes)
        {
            double expected = Speed.Predict(truth, shape, Small).TokensPerSecond;
            Assert.Equal(expected, Speed.Predict(fit, shape, Small).TokensPerSecond, 1e-5 * expected);
        }
    }

    [Fact]
    public void Efficiencies_are_shares_of_the_data_sheets_peaks()
    {
        var truth = Roofline.Of(Device.H200, bandwidthEfficiency: 0.7, flopEfficiency: 0.45, secondsPerLayer: 4e-6);
        DecoderShape[] shapes = [new(16, 2048, 8192, 32, 8, 64, 128256, true), new(16, 2560, 4096, 72, 18, 64, 128256, true), new(16, 2560, 6144, 36, 4, 64, 128256, true), new(28, 3072, 8192, 24, 8, 128, 128256, true)];
        var fit = RooflineFit.Of([.. shapes.Select(s => Measure(truth, s, new Workload(4096, 1024, 32)))]);
        Assert.Equal(0.7, 1 / (fit.SecondsPerByte * Device.H200.BytesPerSecond), 1e-5);
        Assert.Equal(0.45, 1 / (fit.SecondsPerFlop * Device.H200.FlopsPerSecond), 1e-5);
        Assert.Equal(4e-6, fit.SecondsPerLayer, 1e-9);
    }

    [Fact]
    public void No_roofline_nearby_fits_noisy_times_better()
    {
        MeasuredSpeed[] rows = [.. Noisy(new Roofline(2e-11, 1e-9, 1e-5))];
        var fit = RooflineFit.Of(rows);
        foreach (double step in new[] { 0.99, 1.01 })
        {
            var (flop, memory, layer) = fit;
            Assert.True(SquaredErrors(new Roofline(flop * step, memory, layer), rows) >= SquaredErrors(fit, rows));
            Assert.True(SquaredErrors(new Roofline(flop, memory * step, layer), rows) >= SquaredErrors(fit, rows));
            Assert.True(SquaredErrors(new Roofline(flop, memory, layer * step), rows) >= SquaredErrors(fit, rows));
        }
    }

    [Fact]
    public void A_processor_whose_cache_overflows_is_met_where_a_roofline_is_not()
    {
        DecoderShape[] shapes =
        [
            .. from hidden in new[] { 64, 128, 192, 256, 320 }
               from intermediate in new[] { 128, 256, 512, 1024 }
               from kvHeads in new[] { 1, 4 }
               select new DecoderShape(3, hidden, intermediate, 8, kvHeads, 16, 1024, true),
        ];
        var costs = new Dictionary<string, double>
        {
            ["projection_flops"] = 2e-11, ["attention_flops"] = 3e-11, ["missed_bytes"] = 2e-10, ["layers"] = 4e-5,
        };
        var truth = new CalibratedCosts(costs, costs, 4 * 1048576);
        var fit = SpeedCalibration.Fit([.. shapes.Select(s => Measure(truth, s))]);
        Assert.IsType<CalibratedCosts>(fit.Model);
        Assert.Equal(4.0 * 1048576, ((CalibratedCosts)fit.Model).CacheBytes);
        Assert.True(fit.HeldOutError < 1e-3 && fit.HeldOutRatioError < 1e-3, $"{fit}");
    }

    [Fact]
    public void The_held_out_error_is_that_of_rows_that_were_not_seen()
    {
        var fit = SpeedCalibration.Fit([.. Noisy(new Roofline(2e-11, 1e-9, 1e-5))]);
        Assert.InRange(fit.HeldOutError!.Value, 0.03, 0.25); // the noise below has a standard deviation of .1
        Assert.True(fit.HeldOutError >= 0.9 * fit.FitError, $"{fit}");
        Assert.InRange(fit.HeldOutRatioError!.Value, 0.01, 0.3);
        Assert.Equal(fit.FitError, Math.Sqrt(SquaredErrors(fit.Model, [.. Noisy(new Roofline(2e-11, 1e-9, 1e-5))]) / (2 * Shapes.Length)), 1e-12);
    }

    [Fact]
    public void The_order_of_rows_changes_nothing()
    {
        MeasuredSpeed[] rows = [.. Noisy(new Roofline(2e-11, 1e-9, 1e-5))];
        var (one, other) = (SpeedCalibration.Fit(rows), SpeedCalibration.Fit([.. rows.Reverse()]));
        Assert.Equal(one.HeldOutError!.Value, other.HeldOutError!.Value, 1e-9);
        Assert.Equal(Speed.Predict(one.Model, Shapes[0], Small).TokensPerSecond, Speed.Predict(other.Model, Shapes[0], Small).TokensPerSecond, 1e-3);
    }

    [Fact]
    public void One_measured_shape_is_enough_and_none_is_refused()
    {
        var one = SpeedCalibration.Fit([Measure(new Roofline(2e-11, 1e-9, 1e-5), Shapes[0])]);
        Assert.True(one.FitError < 1e-5);
        Assert.Null(one.HeldOutError);
        Assert.Throws<ArgumentException>(() => SpeedCalibration.Fit([]));
    }

    private static IEnumerable<MeasuredSpeed> Noisy(Roofline truth)
    {
        double[] noise = [0.13, -0.08, 0.05, -0.17, 0.02, 0.11, -0.04];
        return Shapes.Select((s, i) =>
        {
            var exact = Measure(truth, s);
            return exact with
            {
                TimeToFirstToken = exact.TimeToFirstToken * (1 + noise[i % 7]),
                TimePerOutputToken = exact.TimePerOutputToken * (1 + noise[(i * 3 + 2) % 7]),
            };
        });
    }

    private static MeasuredSpeed Measure(ISpeedModel machine, DecoderShape shape, Workload? workload = null)
    {
        var speed = Speed.Predict(machine, shape, workload ?? Small);
        return new MeasuredSpeed(shape, workload ?? Small, speed.TimeToFirstToken, speed.TimePerOutputToken);
    }

    private static double SquaredErrors(ISpeedModel model, MeasuredSpeed[] rows) => rows.Sum(r =>
    {
        var p = Speed.Predict(model, r.Shape, r.Workload);
        return Math.Pow(p.TimeToFirstToken / r.TimeToFirstToken - 1, 2) + Math.Pow(p.TimePerOutputToken / r.TimePerOutputToken - 1, 2);
    });
}

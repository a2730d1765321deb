// A calibration finds the machine behind measured times.
namespace Scaling.Architectures.Tests;

public class CalibrationTests
{
    private static readonly Workload Small = new(128, 64, 8, 4, 4);

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
    public void Times_that_a_machine_gave_lead_back_to_it(double perFlop, double perByte, double perLayer)
    {
        var truth = new Roofline(perFlop, perByte, perLayer);
        var fit = Calibration.Fit([.. Shapes.Select(s => Measure(truth, s))]);
        Assert.True(fit.RelativeError < 1e-9, $"{fit}");
        foreach (var shape in Shapes)
        {
            double expected = truth.Predict(shape, Small).TokensPerSecond;
            Assert.Equal(expected, fit.Roofline.Predict(shape, Small).TokensPerSecond, 1e-6 * expected);
        }
    }

    [Fact]
    public void No_machine_nearby_fits_noisy_times_better()
    {
        double[] noise = [0.13, -0.08, 0.05, -0.17, 0.02, 0.11, -0.04];
        MeasuredSpeed[] rows = [.. Shapes.Select((s, i) =>
        {
            var exact = Measure(new Roofline(2e-11, 1e-9, 1e-5), s);
            return exact with
            {
                TimeToFirstToken = exact.TimeToFirstToken * (1 + noise[i % 7]),
                TimePerOutputToken = exact.TimePerOutputToken * (1 + noise[(i * 3 + 2) % 7]),
            };
        })];
        var fit = Calibration.Fit(rows);
        Assert.InRange(fit.RelativeError, 0.02, 0.15);
        Assert.Equal(RelativeError(fit.Roofline, rows), fit.RelativeError, 1e-12);
        foreach (double step in new[] { 0.99, 1.01 })
        {
            var (flop, memory, layer) = fit.Roofline;
            Assert.True(RelativeError(new Roofline(flop * step, memory, layer), rows) >= fit.RelativeError);
            Assert.True(RelativeError(new Roofline(flop, memory * step, layer), rows) >= fit.RelativeError);
            Assert.True(RelativeError(new Roofline(flop, memory, layer * step), rows) >= fit.RelativeError);
        }
    }

    [Fact]
    public void Efficiencies_are_shares_of_the_data_sheets_peaks()
    {
        var truth = Roofline.Of(Device.H200, bandwidthEfficiency: 0.7, flopEfficiency: 0.45, secondsPerLayer: 4e-6);
        var rows = PublishedShapes.All.Select(s => Measure(truth, s, new Workload(4096, 1024, 32))).ToArray();
        var fit = Calibration.Fit(rows);
        Assert.Equal(0.7, fit.BandwidthEfficiency(Device.H200)!.Value, 1e-6);
        Assert.Equal(0.45, fit.FlopEfficiency(Device.H200)!.Value, 1e-6);
        Assert.Equal(4e-6, fit.Roofline.SecondsPerLayer, 1e-10);
    }

    [Fact]
    public void One_measured_shape_is_enough_and_none_is_refused()
    {
        Assert.True(Calibration.Fit([Measure(new Roofline(2e-11, 1e-9, 1e-5), Shapes[0])]).RelativeError < 1e-9);
        Assert.Throws<ArgumentException>(() => Calibration.Fit([]));
    }

    private static MeasuredSpeed Measure(Roofline machine, DecoderShape shape, Workload? workload = null)
    {
        var speed = machine.Predict(shape, workload ?? Small);
        return new MeasuredSpeed(shape, workload ?? Small, speed.TimeToFirstToken, speed.TimePerOutputToken);
    }

    private static double RelativeError(Roofline roofline, MeasuredSpeed[] rows) => Math.Sqrt(rows.Average(r =>
    {
        var p = roofline.Predict(r.Shape, r.Workload);
        return (Math.Pow(p.TimeToFirstToken / r.TimeToFirstToken - 1, 2) + Math.Pow(p.TimePerOutputToken / r.TimePerOutputToken - 1, 2)) / 2;
    }));
}

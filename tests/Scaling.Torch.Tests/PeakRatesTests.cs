// Rates that a machine reaches at best, within what any machine can do.
using Scaling.Architectures;
using Xunit.Abstractions;

namespace Scaling.Torch.Tests;

public sealed class PeakRatesTests(ITestOutputHelper output)
{
    [Fact]
    public void Peaks_of_this_machine_lie_within_what_processors_do()
    {
        Libtorch.Load();

        var peaks = PeakRates.Measure(ComputeDevice.Cpu, DataType.Float32, 4L << 30);

        output.WriteLine($"{peaks}");
        // One core since 2013 multiplies at 1e9 float32 a second even on a loaded machine, and none at 1e12; memory gives a core 0.1 to 200 GB a second.
        Assert.InRange(peaks.FlopsPerSecond, 1e9, 1e12);
        Assert.InRange(peaks.BytesPerSecond, 1e8, 2e11);
    }
}

// What a machine does at best: the rates that measured speeds are held against where no data sheet tells them.
using System.Diagnostics;
using System.Globalization;
using Scaling.Architectures;
using static TorchSharp.torch;

namespace Scaling.Torch;

/// <summary>The best of a few tries, with the threads that the process has at the time.</summary>
/// <param name="FlopsPerSecond">Of products of two large square matrices.</param>
/// <param name="BytesPerSecond">Of reading numbers that are far more than the caches hold.</param>
public sealed record PeakRates(double FlopsPerSecond, double BytesPerSecond)
{
    private const int Tries = 5;
    private const string Caches = "/sys/devices/system/cpu/cpu0/cache";

    /// <summary>A product of libtorch's own kind, and on a processor oneDNN's, which may be twice as fast there (see <see cref="LossGradients"/>).</summary>
    private static readonly jit.CompilationUnit Script = jit.compile("""
        def by_onednn(a: Tensor, b: Tensor) -> Tensor:
            image = a.view([1, a.size(0), 1, -1]).permute([0, 3, 1, 2])
            return torch.mkldnn_convolution(image, b.unsqueeze(2).unsqueeze(3), None, [0, 0], [1, 1], [1, 1], 1)

        """);

    /// <summary>Measures, in about half a second.</summary>
    /// <param name="device">Where; libtorch is loaded for it.</param>
    /// <param name="type">Of the numbers: float32, or bfloat16 on a GPU.</param>
    /// <param name="availableBytes">Memory that nobody uses; an eighth of it is taken at most.</param>
    public static PeakRates Measure(ComputeDevice device, DataType type, long availableBytes)
    {
        using var pause = new CollectionPause();
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        bool gpu = device == ComputeDevice.Cuda;
        var (where, number) = (gpu ? CUDA : CPU, type == DataType.Bfloat16 ? ScalarType.BFloat16 : ScalarType.Float32);
        long square = gpu ? 8192 : 1024 * (long)Math.Ceiling(Math.Cbrt(get_num_threads()));
        Tensor a = ones([square, square], number, where), b = ones([square, square], number, where);
        double seconds = Fastest(gpu, () => a.mm(b));
        if (!gpu)
        {
            seconds = Math.Min(seconds, Fastest(gpu, () => Script.invoke<Tensor>("by_onednn", a, b)));
        }

        long bytes = Math.Min(gpu ? 1L << 30 : FarMoreThanCaches(), availableBytes / 8);
        Tensor read = ones([bytes / type.Bytes() / 1024, 1024], number, where), vector = ones([1024], number, where);
        double reading = Math.Min(Fastest(gpu, () => read.sum()), Fastest(gpu, () => read.mv(vector)));
        return new PeakRates(2.0 * square * square * square / seconds, (double)read.NumberOfElements * type.Bytes() / reading);
    }

    private static double Fastest(bool gpu, Func<Tensor> work)
    {
        double best = double.PositiveInfinity;
        for (int i = 0; i <= Tries; i++) // The first warms up.
        {
            long start = Stopwatch.GetTimestamp();
            work().Dispose();
            if (gpu)
            {
                cuda.synchronize();
            }

            best = i == 0 ? best : Math.Min(best, Stopwatch.GetElapsedTime(start).TotalSeconds);
        }

        return best;
    }

    /// <summary>Eight times the largest cache, as many threads may have several of them; at least 256 MiB.</summary>
    private static long FarMoreThanCaches()
    {
        var sizes = Directory.Exists(Caches) ? Directory.EnumerateDirectories(Caches, "index*").Select(d => Path.Combine(d, "size")).Where(File.Exists).Select(f => File.ReadAllText(f).Trim()) : [];
        long largest = sizes.Select(s => s.EndsWith('K') && long.TryParse(s[..^1], NumberStyles.None, CultureInfo.InvariantCulture, out long kib) ? kib * 1024 : 0).DefaultIfEmpty().Max();
        return Math.Max(256L << 20, 8 * largest);
    }
}

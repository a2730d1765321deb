// One process that trains on one thread and measures itself; the benchmark starts it alone and once a core.
using System.Diagnostics;
using System.Text.Json;
using Scaling.Architectures;
using Scaling.Torch;
using static TorchSharp.torch;

namespace Scaling.Benchmarks;

/// <summary>What is trained.</summary>
/// <param name="Name">Non-embedding parameters, about.</param>
/// <param name="Shape">Vocabulary 256: bytes.</param>
internal sealed record TrainingSize(string Name, DecoderShape Shape)
{
    public const int Batch = 16, Context = 128;

    public static readonly IReadOnlyList<TrainingSize> All =
    [
        new("25k", new DecoderShape(2, 32, 96, 4, 2, 8, 256, Tied: true)),
        new("700k", new DecoderShape(4, 128, 352, 8, 2, 16, 256, Tied: true)),
        new("4.4M", new DecoderShape(6, 256, 736, 8, 2, 32, 256, Tied: true)),
    ];
}

/// <summary>Medians over rounds of some seconds in all.</summary>
/// <param name="Tokens">Trained a second.</param>
/// <param name="Gemm">FLOP/s of <c>torch.mm</c> on square float32 matrices.</param>
/// <param name="OneDnn">FLOP/s of oneDNN's product of the same.</param>
/// <param name="Share">6N FLOP/s of training over <paramref name="Gemm"/> just before and after.</param>
internal sealed record TrainingRates(double Tokens, double Gemm, double OneDnn, double Share);

/// <summary>The hidden commands <c>training-rates SIZE</c> and <c>training-memory</c>, which print JSON for <see cref="TrainingSpeed"/>.</summary>
internal static class TrainingProcess
{
    public const string RatesCommand = "training-rates", MemoryCommand = "training-memory", Ready = "ready";

    /// <summary>Steps over which memory is watched, and those before it counts.</summary>
    public const int MemorySteps = 2000, MemoryWarmup = 800;

    private const int Square = 1024;
    private const double Seconds = 10, RoundSeconds = 0.8;

    /// <summary>Warms up, says that it is ready, waits for a line, and measures.</summary>
    public static int Rates(string name)
    {
        var size = TrainingSize.All.Single(s => s.Name == name);
        using var run = Start(size.Shape);
        using var products = new SquareProducts(Square);
        Median(3, () => products.Gemm() + products.OneDnn());
        Advance(run, 3);
        Console.WriteLine(Ready);
        Console.ReadLine();

        var rounds = new List<TrainingRates>();
        for (var clock = Stopwatch.StartNew(); clock.Elapsed.TotalSeconds < Seconds;)
        {
            double before = Median(3, products.Gemm), oneDnn = Median(3, products.OneDnn);
            var round = Stopwatch.StartNew();
            int steps = 0;
            while (round.Elapsed.TotalSeconds < RoundSeconds)
            {
                run.Advance();
                steps++;
            }

            double tokens = steps * TrainingSize.Batch * TrainingSize.Context / round.Elapsed.TotalSeconds;
            double gemm = (before + Median(3, products.Gemm)) / 2;
            rounds.Add(new TrainingRates(tokens, gemm, oneDnn, 6 * size.Shape.Parameters * tokens / gemm));
        }

        double Of(Func<TrainingRates, double> rate) => rounds.Select(rate).Order().ElementAt(rounds.Count / 2);
        Console.WriteLine(JsonSerializer.Serialize(new TrainingRates(Of(r => r.Tokens), Of(r => r.Gemm), Of(r => r.OneDnn), Of(r => r.Share))));
        return 0;
    }

    /// <summary>Trains the smallest size and prints the resident set, MB, every 100 steps after the warm-up.</summary>
    public static int Memory()
    {
        using var run = Start(TrainingSize.All[0].Shape);
        Advance(run, MemoryWarmup);
        var megabytes = new List<double> { Environment.WorkingSet / 1e6 };
        for (int step = 0; step < MemorySteps; step += 100)
        {
            Advance(run, 100);
            megabytes.Add(Environment.WorkingSet / 1e6);
        }

        Console.WriteLine(JsonSerializer.Serialize(megabytes));
        return 0;
    }

    private static TrainingRun Start(DecoderShape shape)
    {
        using var manifest = JsonDocument.Parse(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "native.json")));
        string[] folders = [.. manifest.RootElement.GetProperty("packages").EnumerateArray().Where(p => p.TryGetProperty("folder", out _)).Select(p => p.GetProperty("folder").GetString()!)];
        NativeLibtorch.Load(folders, Path.Combine(AppContext.BaseDirectory, "native-cache"), Console.Error.WriteLine);
        var random = new Random(1);
        ushort[] tokens = [.. Enumerable.Range(0, 1 << 20).Select(_ => (ushort)random.Next(shape.Vocabulary))];
        const long steps = 1_000_000; // more than are taken
        var plan = new TrainingPlan
        {
            Shape = shape,
            Seed = 1,
            OrderSeed = 1,
            Points = [steps],
            Batch = TrainingSize.Batch,
            Context = TrainingSize.Context,
            Schedule = new Schedule(ScheduleKind.Cosine, steps, Warmup: 0, Peak: 1e-3, Decay: 0.2),
            WeightDecay = 0.1,
        };
        return new TrainingRun(plan, tokens, _ => throw new InvalidOperationException("no step of the benchmark is the last"));
    }

    private static void Advance(TrainingRun run, int steps)
    {
        for (int i = 0; i < steps; i++)
        {
            run.Advance();
        }
    }

    private static double Median(int count, Func<double> measure) => Enumerable.Range(0, count).Select(_ => measure()).Order().ElementAt(count / 2);

    /// <summary>Products of two square matrices, FLOP/s.</summary>
    private sealed class SquareProducts(int side) : IDisposable
    {
        private readonly jit.CompilationUnit _script = jit.compile("""
            def product(a: Tensor, b: Tensor) -> Tensor:
                image = a.view([1, a.size(0), 1, -1]).permute([0, 3, 1, 2])
                return torch.mkldnn_convolution(image, b.unsqueeze(2).unsqueeze(3), None, [0, 0], [1, 1], [1, 1], 1)

            """);

        private readonly Tensor _a = rand(side, side);
        private readonly Tensor _b = rand(side, side);

        public double Gemm() => Rate(() => mm(_a, _b));

        public double OneDnn() => Rate(() => _script.invoke<Tensor>("product", _a, _b));

        public void Dispose()
        {
            _a.Dispose();
            _b.Dispose();
            _script.Dispose();
        }

        private double Rate(Func<Tensor> product)
        {
            var clock = Stopwatch.StartNew();
            product().Dispose();
            return 2.0 * side * side * side / clock.Elapsed.TotalSeconds;
        }
    }
}

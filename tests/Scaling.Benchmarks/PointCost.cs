// What a point costs in a worker that is there already: the slope between studies of N and 2N points.
using System.Globalization;

namespace Scaling.Benchmarks;

/// <summary>Each repetition has both sizes and every edition, each with an empty store and one worker.</summary>
/// <param name="bench">Where.</param>
internal sealed class PointCost(EngineBench bench) : IEnginePart
{
    private const double MostMilliseconds = 5;
    private const int Repetitions = 7;

    private readonly int _points = bench.Points(500);
    private readonly Dictionary<string, Spread> _milliseconds = [];

    /// <inheritdoc/>
    public IEnumerable<Measurement> Measurements =>
        [new($"a point in a reused worker, {_points} against {2 * _points} points", bench.Repetitions(Repetitions) * bench.Editions.Count * (0.013 * _points + 1), Measure)];

    /// <inheritdoc/>
    public IEnumerable<EngineTarget> Targets => [new("a point in a reused worker, ms", MostMilliseconds, _milliseconds[bench.Judged.Name].Median)];

    /// <inheritdoc/>
    public void Write(TextWriter output)
    {
        output.WriteLine($"A point in a reused worker: what {2 * _points} points took longer than {_points}, over {_points}, with `--jobs 1`, each from an empty store. It includes all that grows with the points: planning and the key, the request to the worker, the action itself (three small files), digests, durable publishing (flushed and renamed), collecting the tables, the copy among the results, and the run's record.");
        output.WriteLine();
        output.WriteLine("| tool | median, ms | quartiles, ms |");
        output.WriteLine("|---|---|---|");
        foreach (var (edition, spread) in _milliseconds)
        {
            output.WriteLine($"| {edition} | {spread.Cells("0.00")} |");
        }
    }

    private void Measure()
    {
        var rounds = Enumerable.Range(0, bench.Repetitions(Repetitions)).Select(round => bench.Editions.Select(edition =>
        {
            double Seconds(int points) => EngineStudy.In(bench, string.Create(CultureInfo.InvariantCulture, $"point-{edition.Name}-{points}-{round}"), points).Time(edition, "run", "--jobs", "1");
            double small = Seconds(_points), large = Seconds(2 * _points);
            return large > small ? 1000 * (large - small) / _points : double.PositiveInfinity; // Too busy to tell is no pass.
        }).ToArray()).ToArray();
        foreach (var (i, edition) in bench.Editions.Index())
        {
            _milliseconds[edition.Name] = Spread.Of(rounds.Select(r => r[i]));
        }
    }
}

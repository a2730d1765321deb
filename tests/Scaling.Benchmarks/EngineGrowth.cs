// Whether a point among a hundred thousand costs more than one among ten thousand: to run with nothing to do, to plan, to run first.
using System.Globalization;

namespace Scaling.Benchmarks;

/// <summary>On the judged edition. Time per point is what is left beside that of the smallest study, so that the start does not hide growth.</summary>
/// <param name="bench">Where.</param>
/// <param name="sizes">Has measured the small and the middle size.</param>
internal sealed class EngineGrowth(EngineBench bench, NothingToDo sizes) : IEnginePart
{
    private const int Small = 200, Middle = 10_000, Large = 100_000, LessLarge = 50_000;
    private const int Repetitions = 5;
    private const double LongestFirstRun = 360; // Seconds, so that the whole stays under twenty minutes.
    private const double MostGrowth = 2;

    private readonly List<(string Command, Spread[] Seconds, Spread Growth)> _commands = [];
    private EngineStudy? _large;
    private WatchedProcess? _first;

    private double ExpectedFirst => 0.003 * bench.Points(Large);

    /// <inheritdoc/>
    public IEnumerable<Measurement> Measurements =>
    [
        new($"the first run of {bench.Points(Large)} points", ExpectedFirst, RunFirst),
        new($"nothing to do and plan at {bench.Points(Small)}, {bench.Points(Middle)} and {bench.Points(Large)} points", bench.Repetitions(Repetitions) * 2 * (0.5 + 45e-6 * bench.Points(Large + Middle)), RunAgain),
    ];

    /// <inheritdoc/>
    public IEnumerable<EngineTarget> Targets =>
    [
        .. _commands.Select(c => new EngineTarget($"{c.Command}: a point among {_large!.Points}, times one among {bench.Points(Middle)} (with the square: {_large.Points / bench.Points(Middle)})", MostGrowth, c.Growth.Median)),
        new($"first run: a point among {_large!.Points}, times one among {bench.Points(Middle)}", MostGrowth, Growth(sizes.FirstSeconds(Small), sizes.FirstSeconds(Middle), _first!.Seconds)),
    ];

    /// <inheritdoc/>
    public void Write(TextWriter output)
    {
        output.WriteLine($"Growth, {bench.Judged.Name}. Of {_large!.Points} points, the first run took {_first!.Seconds.ToString("0", CultureInfo.InvariantCulture)} s, {(1000 * _first.Seconds / _large.Points).ToString("0.00", CultureInfo.InvariantCulture)} ms a point; the tool had {_first.Peaks.ToolMegabytes.ToString("0", CultureInfo.InvariantCulture)} MB, a worker {_first.Peaks.WorkerMegabytes.ToString("0", CultureInfo.InvariantCulture)} MB.{(_large.Points < bench.Points(Large) ? $" {bench.Points(Large)} would have taken longer than {LongestFirstRun} s." : "")}");
        output.WriteLine();
        output.WriteLine($"| command | points | median, s | quartiles, s | µs a point beyond {bench.Points(Small)} |");
        output.WriteLine("|---|---|---|---|---|");
        foreach (var (command, seconds, _) in _commands)
        {
            foreach (var (points, spread) in Points.Zip(seconds))
            {
                string each = points == Points[0] ? "" : (1e6 * (spread.Median - seconds[0].Median) / (points - Points[0])).ToString("0.0", CultureInfo.InvariantCulture);
                output.WriteLine($"| {command} | {points} | {spread.Cells("0.000")} | {each} |");
            }
        }
    }

    private int[] Points => [bench.Points(Small), bench.Points(Middle), _large!.Points];

    private void RunFirst()
    {
        bool affordable = sizes.FirstSeconds(Middle) / Middle * Large <= LongestFirstRun;
        _large = EngineStudy.In(bench, "large", bench.Points(affordable ? Large : LessLarge));
        _first = _large.Watch(bench.Judged, "run");
    }

    private void RunAgain()
    {
        EngineStudy[] studies = [sizes.Done(Small), sizes.Done(Middle), _large!];
        foreach (var (command, name) in new[] { ("run", "run, nothing to do"), ("plan", "plan, nothing to do") })
        {
            double[][] rounds = EngineBench.InTurn(bench.Repetitions(Repetitions), [.. studies.Select(s => new Func<double>(() => s.Time(bench.Judged, command)))]);
            _commands.Add((name, [.. studies.Select((_, i) => Spread.Of(rounds.Select(r => r[i])))], Spread.Of(rounds.Select(r => Growth(r[0], r[1], r[2])))));
        }
    }

    /// <summary>Infinite where the middle size took no longer than the small one: then the machine was too busy to tell, and that is no pass.</summary>
    private double Growth(double small, double middle, double large) => middle > small
        ? (large - small) / (Points[2] - Points[0]) / ((middle - small) / (Points[1] - Points[0]))
        : double.PositiveInfinity;
}

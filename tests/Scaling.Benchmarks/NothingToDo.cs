// A run with nothing to do, in turn with a hello world, ninja and Snakemake; before it the first run, and the memory of both.
using System.ComponentModel;
using System.Globalization;

namespace Scaling.Benchmarks;

/// <summary>At several sizes, each edition on a study of its own.</summary>
/// <param name="bench">Where.</param>
internal sealed class NothingToDo(EngineBench bench) : IEnginePart
{
    private const int MostOfSnakemake = 1000; // Seconds there, half a minute at ten thousand.
    private const double MostMegabytes = 150;
    private const string HelloWorld = ".NET hello world";

    private static readonly Size[] Sizes = [new(200, 15, 0.12), new(1000, 5, null), new(2000, 9, 0.2), new(10_000, 7, 0.5)];

    private readonly Dictionary<(int Points, string Edition), EngineStudy> _studies = [];
    private readonly List<(int Points, string What, Spread? Seconds)> _times = [];
    private readonly List<(int Points, string Edition, WatchedProcess First, ProcessPeaks Nothing, ProcessPeaks Plan)> _memory = [];

    /// <inheritdoc/>
    public IEnumerable<Measurement> Measurements => Sizes.SelectMany(size => new Measurement[]
    {
        new($"the first run of {bench.Points(size.Points)} points", bench.Editions.Count * (0.004 * bench.Points(size.Points) + 1), () => RunFirst(size)),
        new($"nothing to do at {bench.Points(size.Points)} points", bench.Repetitions(size.Repetitions) * (0.5 + bench.Editions.Count * (0.12 + 40e-6 * bench.Points(size.Points)) + (size.Points <= MostOfSnakemake ? 1.5 : 0)) + 0.001 * bench.Points(size.Points), () => RunAgain(size)),
    });

    /// <inheritdoc/>
    public IEnumerable<EngineTarget> Targets
    {
        get
        {
            foreach (var size in Sizes.Where(s => s.Stated is not null))
            {
                int points = bench.Points(size.Points);
                yield return new($"nothing to do at {points} points, s", size.Stated!.Value, Time(points, Named(bench.Judged))!.Median) { Hello = Time(points, HelloWorld)!.Median };
            }

            int most = bench.Points(Sizes[^1].Points);
            var peaks = _memory.Single(m => m.Points == most && m.Edition == bench.Judged.Name);
            yield return new($"memory of the tool at {most} points, first run, MB", MostMegabytes, peaks.First.Peaks.ToolMegabytes);
            yield return new($"memory of the tool at {most} points, nothing to do, MB", MostMegabytes, peaks.Nothing.ToolMegabytes);
            yield return new($"memory of the tool at {most} points, plan, MB", MostMegabytes, peaks.Plan.ToolMegabytes);
        }
    }

    /// <summary>A study of which everything is done, of the judged edition.</summary>
    /// <param name="points">Before shrinking, one of the sizes measured.</param>
    public EngineStudy Done(int points) => _studies[(bench.Points(points), bench.Judged.Name)];

    /// <summary>Seconds that its first run took.</summary>
    /// <param name="points">Before shrinking, one of the sizes measured.</param>
    public double FirstSeconds(int points) => _memory.Single(m => m.Points == bench.Points(points) && m.Edition == bench.Judged.Name).First.Seconds;

    /// <inheritdoc/>
    public void Write(TextWriter output)
    {
        output.WriteLine($"Nothing to do. Each size's programs ran in turn, so many times each; ninja and Snakemake have a rule a point that touches a file, none of them left to do. Snakemake's files were made for it, so that it has no records of them to read.");
        output.WriteLine();
        output.WriteLine("| points | program | median, s | quartiles, s | times hello world |");
        output.WriteLine("|---|---|---|---|---|");
        foreach (var (points, what, seconds) in _times)
        {
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"| {points} | {what} | {seconds?.Cells("0.000") ?? NotRun(what)} | {seconds?.Median / Time(points, HelloWorld)!.Median:0.00} |"));
        }

        output.WriteLine();
        output.WriteLine("The first run of everything with as many workers as processors, and the largest resident sets (10⁶ bytes) that the tool, and one of its worker processes, ever had.");
        output.WriteLine();
        output.WriteLine("| points | tool | first run, s | ms a point | tool, MB | workers | a worker, MB | tool, nothing to do, MB | tool, plan, MB |");
        output.WriteLine("|---|---|---|---|---|---|---|---|---|");
        foreach (var (points, edition, first, nothing, plan) in _memory)
        {
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"| {points} | {edition} | {first.Seconds:0.0} | {1000 * first.Seconds / points:0.00} | {first.Peaks.ToolMegabytes:0} | {first.Peaks.Workers} | {first.Peaks.WorkerMegabytes:0} | {nothing.ToolMegabytes:0} | {plan.ToolMegabytes:0} |"));
        }
    }

    private void RunFirst(Size size)
    {
        int points = bench.Points(size.Points);
        foreach (var edition in bench.Editions)
        {
            var study = _studies[(points, edition.Name)] = EngineStudy.In(bench, $"{edition.Name}-{points}", points);
            var first = study.Watch(edition, "run");
            _memory.Add((points, edition.Name, first, study.Watch(edition, "run").Peaks, study.Watch(edition, "plan").Peaks));
        }
    }

    private void RunAgain(Size size)
    {
        int points = bench.Points(size.Points);
        var programs = new List<(string What, Func<double> Time)> { (HelloWorld, bench.SayHello) };
        programs.AddRange(bench.Editions.Select(e => (Named(e), new Func<double>(() => _studies[(points, e.Name)].Time(e, "run")))));
        string[] absent = [.. Rivals.Where(r => size.Points > r.Most || !TryAdd(r.Name, r.Make)).Select(r => r.Name)];
        double[][] rounds = EngineBench.InTurn(bench.Repetitions(size.Repetitions), [.. programs.Select(p => p.Time)]);
        _times.AddRange(programs.Select((p, i) => (points, p.What, (Spread?)Spread.Of(rounds.Select(r => r[i])))));
        _times.AddRange(absent.Select(name => (points, name, (Spread?)null)));

        bool TryAdd(string name, Func<int, Func<double>> make)
        {
            try
            {
                programs.Add((name, make(points)));
                return true;
            }
            catch (Win32Exception)
            {
                return false; // It is not installed.
            }
        }
    }

    private (string Name, int Most, Func<int, Func<double>> Make)[] Rivals => [("ninja", int.MaxValue, MakeNinja), ("Snakemake", MostOfSnakemake, MakeSnakemake)];

    private Func<double> MakeNinja(int points)
    {
        string folder = Directory.CreateDirectory(Path.Combine(bench.Folder, $"ninja-{points}")).FullName;
        File.WriteAllLines(Path.Combine(folder, "build.ninja"), ["rule make", "  command = touch $out", .. Enumerable.Range(0, points).Select(i => $"build o{i}: make")]);
        TimedProcess.Run(folder, "ninja");
        return () => TimedProcess.Run(folder, "ninja").Seconds;
    }

    private Func<double> MakeSnakemake(int points)
    {
        string folder = Directory.CreateDirectory(Path.Combine(bench.Folder, $"snakemake-{points}")).FullName;
        File.WriteAllText(Path.Combine(folder, "Snakefile"), $"rule all:\n    input: expand('o{{i}}', i=range({points}))\nrule make:\n    output: 'o{{i}}'\n    shell: 'touch {{output}}'\n");
        for (int i = 0; i < points; i++)
        {
            File.WriteAllText(Path.Combine(folder, $"o{i}"), ""); // It would take a tenth of a second for each.
        }

        double Time() => TimedProcess.Run(folder, "snakemake", "--cores", "1", "--quiet").Seconds;
        Time();
        return Time;
    }

    private static string Named(ToolEdition edition) => $"dotnet scaling, {edition.Name}";

    private Spread? Time(int points, string what) => _times.Single(t => t.Points == points && t.What == what).Seconds;

    /// <summary>Two cells on a rival that was not run.</summary>
    private string NotRun(string what) => _times.LastOrDefault(t => t.What == what && t.Seconds is not null) is { Seconds: { } known, Points: var most }
        ? string.Create(CultureInfo.InvariantCulture, $"not run: {most} took {known.Median:0.0} s | ")
        : "not installed | ";

    /// <summary>A size.</summary>
    /// <param name="Points">How many.</param>
    /// <param name="Repetitions">Of everything with nothing to do.</param>
    /// <param name="Stated">The most seconds of the tool; null: nothing was promised, it is there for the rivals.</param>
    private sealed record Size(int Points, int Repetitions, double? Stated);
}

// What a scheduler's job takes to begin with an action of a frozen plan: one that is done already.
using System.Diagnostics;
using System.Globalization;

namespace Scaling.Benchmarks;

/// <summary>Each edition, in turn with a hello world.</summary>
/// <param name="bench">Where.</param>
/// <param name="sizes">Has measured the size of the plan.</param>
internal sealed class FrozenJob(EngineBench bench, NothingToDo sizes) : IEnginePart
{
    private const int Points = 10_000, Repetitions = 9;
    private const double MostBeyondHello = 0.1;

    private readonly List<(string Program, Spread Seconds)> _times = [];
    private double _megabytes;

    /// <inheritdoc/>
    public IEnumerable<Measurement> Measurements => [new($"a job on a frozen plan of {bench.Points(Points)} points", bench.Repetitions(Repetitions) * (0.05 + 0.25 * bench.Editions.Count) + 2, Measure)];

    /// <inheritdoc/>
    public IEnumerable<EngineTarget> Targets => [new("a job on a frozen plan, s beyond a hello world", MostBeyondHello, _times[1].Seconds.Median - _times[0].Seconds.Median) { Hello = _times[0].Seconds.Median }];

    /// <inheritdoc/>
    public void Write(TextWriter output)
    {
        output.WriteLine($"`execute` of one action of a plan of {bench.Points(Points)} points, {_megabytes.ToString("0.0", CultureInfo.InvariantCulture)} MB, found done.");
        output.WriteLine();
        output.WriteLine("| program | median, s | quartiles, s |");
        output.WriteLine("|---|---|---|");
        _times.ForEach(t => output.WriteLine($"| {t.Program} | {t.Seconds.Cells("0.000")} |"));
    }

    private void Measure()
    {
        var study = sizes.Done(Points);
        string plan = Freeze(study);
        double Execute(ToolEdition edition) => TimedProcess.Run(study.Folder, edition.Program, "execute", plan, "squares@p7.1").Seconds;
        Execute(bench.Judged);
        var programs = bench.Editions.Select(e => (e.Name, Time: new Func<double>(() => Execute(e)))).Prepend((Name: ".NET hello world", Time: bench.SayHello)).ToArray();
        double[][] rounds = EngineBench.InTurn(bench.Repetitions(Repetitions), [.. programs.Select(p => p.Time)]);
        _times.AddRange(programs.Select((p, i) => (p.Name, Spread.Of(rounds.Select(r => r[i])))));
    }

    private string Freeze(EngineStudy study)
    {
        string plan = Path.Combine(study.Folder, "plan.json");
        var start = new ProcessStartInfo(bench.Judged.Program, ["plan", study.Changed(), "--json"]) { WorkingDirectory = study.Folder, RedirectStandardOutput = true, Environment = { ["SCALING_CACHE"] = Path.Combine(study.Folder, "store") } };
        using (var process = Process.Start(start)!)
        {
            File.WriteAllText(plan, process.StandardOutput.ReadToEnd());
            process.WaitForExit();
            if (process.ExitCode != 0)
            {
                throw new InvalidDataException($"'{bench.Judged.Program} plan' ended with exit code {process.ExitCode}.");
            }
        }

        _megabytes = new FileInfo(plan).Length / 1e6;
        return plan;
    }
}

// What the engine itself costs: nothing to do, a point in a worker, memory, growth; beside a .NET hello world, ninja and Snakemake in the same run.
using System.Diagnostics;
using System.Globalization;

namespace Scaling.Benchmarks;

/// <summary>The <c>engine</c> command.</summary>
internal static class EngineCost
{
    /// <summary>What the targets are stated for: a hello world that takes so long, seconds.</summary>
    private const double StatedHello = 0.045;

    private const int Repeats = 9;
    private const int MostOfSnakemake = 1000; // It takes seconds there, and minutes at ten thousand.

    private static readonly (int Points, double Seconds)[] NothingToDo = [(200, 0.12), (2000, 0.2), (10_000, 0.5)];
    private static readonly int[] Growth = [10_000, 20_000, 50_000, 100_000];

    /// <summary>Measures all.</summary>
    /// <param name="output">Where the tables go.</param>
    /// <returns>1 where a program failed, else 0.</returns>
    public static int Run(TextWriter output)
    {
        string folder = Directory.CreateTempSubdirectory("scaling-engine-").FullName;
        try
        {
            Measure(folder, output);
            return 0;
        }
        catch (InvalidDataException e)
        {
            Console.Error.WriteLine(e.Message);
            return 1;
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static void Measure(string folder, TextWriter output)
    {
        string hello = BuildHello(folder);
        var targets = new List<TargetLine>();
        output.WriteLine($"{Environment.ProcessorCount} processors, .NET {Environment.Version}. Medians of {Repeats}, in turn with a hello world of .NET.");
        output.WriteLine();
        output.WriteLine("| points | first run, ms a point | nothing to do, s | hello world, s | times hello | memory, MB | ninja, s | Snakemake, s |");
        output.WriteLine("|---|---|---|---|---|---|---|---|");
        foreach (var (points, asked) in NothingToDo)
        {
            Console.Error.WriteLine($"{points} points");
            string study = Study(folder, $"study-{points}", points);
            string ninja = Ninja(folder, points), snakemake = Snakemake(folder, points);

            // One worker, reused: what a point costs is the time between a small study and this one.
            TimedProcess.Run(study, BuiltTool.Program, "run", "warm.yaml", "--jobs", "1");
            double first = TimedProcess.Run(study, BuiltTool.Program, "run", "study.yaml", "--jobs", "1").Seconds;
            double bare = TimedProcess.Run(study, BuiltTool.Program, "run", "bare.yaml", "--jobs", "1").Seconds;
            double point = 1000 * (first - bare) / points;

            var rounds = Enumerable.Range(0, Repeats).Select(_ => (
                Hello: TimedProcess.Run(folder, hello), Tool: TimedProcess.Run(study, BuiltTool.Program, "run", "study.yaml"),
                Ninja: Rival(ninja, "ninja"), Snakemake: points <= MostOfSnakemake ? Rival(snakemake, "snakemake", "--cores", "1", "--quiet") : null)).ToArray();
            double helloTime = Median(rounds.Select(r => r.Hello.Seconds)), tool = Median(rounds.Select(r => r.Tool.Seconds));
            double memory = rounds.Max(r => r.Tool.PeakMegabytes);
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"| {points} | {point:0.00} | {tool:0.000} | {helloTime:0.000} | {tool / helloTime:0.0} | {memory:0} | {Shown(rounds.Select(r => r.Ninja))} | {Shown(rounds.Select(r => r.Snakemake))} |"));
            targets.Add(TargetLine.AtMost(string.Create(CultureInfo.InvariantCulture, $"nothing to do at {points} points, s (stated for a hello world of {StatedHello} s: {asked})"), Math.Round(asked * helloTime / StatedHello, 3), tool));
            targets.Add(TargetLine.AtMost($"a point in a reused worker, {points} points, ms", 5, point));
            if (points == NothingToDo[^1].Points)
            {
                targets.Add(TargetLine.AtMost($"memory at {points} points, MB", 150, memory));
                targets.Add(FrozenWorker(study, folder, hello, output));
            }
        }

        output.WriteLine();
        output.WriteLine("| points to plan, nothing done | s | µs a point | memory, MB |");
        output.WriteLine("|---|---|---|---|");
        var plans = new List<double>();
        foreach (int points in Growth)
        {
            Console.Error.WriteLine($"planning {points} points");
            string study = Study(folder, $"plan-{points}", points);
            TimedProcess.Run(study, BuiltTool.Program, "plan", "study.yaml");
            var rounds = Enumerable.Range(0, 3).Select(_ => TimedProcess.Run(study, BuiltTool.Program, "plan", "study.yaml")).ToArray();
            plans.Add(1e6 * Median(rounds.Select(r => r.Seconds)) / points);
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"| {points} | {plans[^1] * points / 1e6:0.00} | {plans[^1]:0.0} | {rounds.Max(r => r.PeakMegabytes):0} |"));
        }

        targets.Add(TargetLine.AtMost($"planning a point among {Growth[^1]}, times one among {Growth[0]} (10 if it grew with the square)", 1.5, plans[^1] / plans[0]));
        output.WriteLine();
        TargetLine.Write(targets, output);
    }

    /// <summary>What a scheduler's job takes to begin with an action of a plan: one that is done already.</summary>
    private static TargetLine FrozenWorker(string study, string folder, string hello, TextWriter output)
    {
        string yaml = File.ReadAllText(Path.Combine(study, "study.yaml"));
        File.WriteAllText(Path.Combine(study, "later.yaml"), yaml.Replace("suffix: a", "suffix: b", StringComparison.Ordinal));
        string plan = Path.Combine(study, "plan.json");
        using (var process = Process.Start(new ProcessStartInfo(BuiltTool.Program, ["plan", "later.yaml", "--json"]) { WorkingDirectory = study, RedirectStandardOutput = true, Environment = { ["SCALING_CACHE"] = Path.Combine(study, "store") } })!)
        {
            File.WriteAllText(plan, process.StandardOutput.ReadToEnd());
            process.WaitForExit();
        }

        TimedProcess.Run(study, BuiltTool.Program, "execute", plan, "squares@p77.1");
        var rounds = Enumerable.Range(0, Repeats).Select(_ => (Hello: TimedProcess.Run(folder, hello).Seconds, Tool: TimedProcess.Run(study, BuiltTool.Program, "execute", plan, "squares@p77.1").Seconds)).ToArray();
        double helloTime = Median(rounds.Select(r => r.Hello)), over = Median(rounds.Select(r => r.Tool)) - helloTime;
        output.WriteLine();
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"`execute` of one action of a plan of {new FileInfo(plan).Length / 1e6:0.0} MB, found done: {over + helloTime:0.000} s, hello world {helloTime:0.000} s."));
        return TargetLine.AtMost($"a job on a frozen plan, s beyond a hello world (stated for one of {StatedHello} s: 0.1)", Math.Round(0.1 * helloTime / StatedHello, 3), over);
    }

    private static string Study(string folder, string name, int points)
    {
        string study = Directory.CreateDirectory(Path.Combine(folder, name)).FullName;
        Write("study.yaml", points);
        Write("warm.yaml", 1);
        Write("bare.yaml", 2);
        return study;

        void Write(string file, int count) => File.WriteAllText(Path.Combine(study, file), string.Create(CultureInfo.InvariantCulture, $$"""
            plugins:
              - path: {{BuiltTool.TestPlugin}}
            stages:
              rows: { uses: echo, with: { text: x{{count}}, count: {{count}} } }
              squares: { uses: square, needs: rows, with: { suffix: a } }
              total: { uses: collect, needs: squares }

            """));
    }

    private static string Ninja(string folder, int points)
    {
        string rival = Directory.CreateDirectory(Path.Combine(folder, $"ninja-{points}")).FullName;
        File.WriteAllLines(Path.Combine(rival, "build.ninja"), ["rule make", "  command = touch $out", .. Enumerable.Range(0, points).Select(i => $"build o{i}: make")]);
        Rival(rival, "ninja");
        return rival;
    }

    private static string Snakemake(string folder, int points)
    {
        string rival = Directory.CreateDirectory(Path.Combine(folder, $"snakemake-{points}")).FullName;
        File.WriteAllText(Path.Combine(rival, "Snakefile"), $"rule all:\n    input: expand('o{{i}}', i=range({points}))\nrule make:\n    output: 'o{{i}}'\n    shell: 'touch {{output}}'\n");
        if (points <= MostOfSnakemake)
        {
            Rival(rival, "snakemake", "--cores", "1", "--quiet");
        }

        return rival;
    }

    /// <summary>Null where the program is not installed.</summary>
    private static TimedProcess? Rival(string folder, string program, params string[] arguments)
    {
        try
        {
            return TimedProcess.Run(folder, program, arguments);
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return null;
        }
    }

    private static string BuildHello(string folder)
    {
        string project = Directory.CreateDirectory(Path.Combine(folder, "hello")).FullName;
        File.WriteAllText(Path.Combine(project, "hello.csproj"), """<Project Sdk="Microsoft.NET.Sdk"><PropertyGroup><OutputType>Exe</OutputType><TargetFramework>net10.0</TargetFramework></PropertyGroup></Project>""");
        File.WriteAllText(Path.Combine(project, "Program.cs"), "System.Console.WriteLine(\"Hello, world.\");\n");
        TimedProcess.Run(project, "dotnet", "build", "-c", "Release", "-nodeReuse:false");
        return Path.Combine(project, "bin", "Release", "net10.0", "hello");
    }

    private static string Shown(IEnumerable<TimedProcess?> rounds) =>
        rounds.OfType<TimedProcess>().Select(r => r.Seconds).ToArray() is { Length: > 0 } some ? Median(some).ToString("0.000", CultureInfo.InvariantCulture) : "–";

    private static double Median(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        return sorted[sorted.Length / 2];
    }
}

// What the parts of the engine's benchmark share: where they work, which tool, beside which hello world.
using System.Globalization;

namespace Scaling.Benchmarks;

/// <summary>The bench.</summary>
/// <param name="Folder">For studies and their stores; whoever made it deletes it.</param>
/// <param name="Editions">Of the tool; targets are judged on the first.</param>
/// <param name="Hello">A .NET program that says hello.</param>
/// <param name="Shrink">Divides points and repetitions; 1 for what is claimed.</param>
internal sealed record EngineBench(string Folder, IReadOnlyList<ToolEdition> Editions, string Hello, int Shrink)
{
    /// <summary>The edition that targets are judged on.</summary>
    public ToolEdition Judged => Editions[0];

    /// <summary>So many points, shrunk.</summary>
    public int Points(int points) => points / Shrink;

    /// <summary>So many repetitions, shrunk, but 3 at least.</summary>
    public int Repetitions(int repetitions) => Math.Max(Math.Min(3, repetitions), repetitions / Shrink);

    /// <summary>Seconds of a hello world now.</summary>
    public double SayHello() => TimedProcess.Run(Folder, Hello).Seconds;

    /// <summary>Times programs in turn; each round begins with another, so that none always follows the same.</summary>
    /// <param name="rounds">Of all programs, once each.</param>
    /// <param name="programs">Seconds of a start now.</param>
    /// <returns>Seconds by round and program.</returns>
    public static double[][] InTurn(int rounds, Func<double>[] programs)
    {
        double[][] seconds = [.. Enumerable.Range(0, rounds).Select(_ => new double[programs.Length])];
        for (int i = 0; i < rounds * programs.Length; i++)
        {
            int round = i / programs.Length, program = (round + i) % programs.Length;
            seconds[round][program] = programs[program]();
        }

        return seconds;
    }

    /// <summary>Builds a hello world and finds the tool.</summary>
    /// <param name="folder">Empty.</param>
    /// <param name="shrink">See <see cref="Shrink"/>.</param>
    /// <exception cref="InvalidDataException">It cannot be built.</exception>
    public static EngineBench In(string folder, int shrink)
    {
        string project = Directory.CreateDirectory(Path.Combine(folder, "hello")).FullName;
        File.WriteAllText(Path.Combine(project, "hello.csproj"), """<Project Sdk="Microsoft.NET.Sdk"><PropertyGroup><OutputType>Exe</OutputType><TargetFramework>net10.0</TargetFramework></PropertyGroup></Project>""");
        File.WriteAllText(Path.Combine(project, "Program.cs"), "System.Console.WriteLine(\"Hello, world.\");\n");
        TimedProcess.Run(project, "dotnet", "build", "-c", "Release", "-nodeReuse:false");
        return new EngineBench(folder, ToolEdition.All(folder), Path.Combine(project, "bin", "Release", "net10.0", "hello"), shrink);
    }
}

/// <summary>A part of the engine's benchmark.</summary>
internal interface IEnginePart
{
    /// <summary>What it measures, in order.</summary>
    IEnumerable<Measurement> Measurements { get; }

    /// <summary>What it found beside what was promised; after the measurements.</summary>
    IEnumerable<EngineTarget> Targets { get; }

    /// <summary>Writes what it found as Markdown; after the measurements.</summary>
    void Write(TextWriter output);
}

/// <summary>A pipeline of so many points with a store and results of its own: `echo` lists them, `square` is a trivial action for each, `collect` reads all.</summary>
/// <param name="Folder">It and its store lie there.</param>
/// <param name="Points">Of the stage in the middle.</param>
internal sealed record EngineStudy(string Folder, int Points)
{
    private const string Suffix = "suffix: a";

    /// <summary>Writes one of which nothing is done.</summary>
    /// <param name="bench">Where.</param>
    /// <param name="name">New.</param>
    /// <param name="points">At least 1.</param>
    public static EngineStudy In(EngineBench bench, string name, int points)
    {
        var study = new EngineStudy(Directory.CreateDirectory(Path.Combine(bench.Folder, name)).FullName, points);
        File.WriteAllText(Path.Combine(study.Folder, "study.yaml"), string.Create(CultureInfo.InvariantCulture, $$"""
            plugins:
              - path: {{BuiltTool.TestPlugin}}
            stages:
              rows: { uses: echo, with: { count: {{points}} } }
              squares: { uses: square, needs: rows, with: { {{Suffix}} } }
              total: { uses: collect, needs: squares }

            """));
        return study;
    }

    /// <summary>The same points with another setting: all of them are new.</summary>
    public string Changed()
    {
        File.WriteAllText(Path.Combine(Folder, "changed.yaml"), File.ReadAllText(Path.Combine(Folder, "study.yaml")).Replace(Suffix, "suffix: b", StringComparison.Ordinal));
        return "changed.yaml";
    }

    /// <summary>Seconds of a command on the pipeline.</summary>
    public double Time(ToolEdition tool, string command, params string[] options) => TimedProcess.Run(Folder, tool.Program, [command, "study.yaml", .. options]).Seconds;

    /// <summary>A command on the pipeline, watched.</summary>
    /// <exception cref="InvalidDataException">It failed, or another program did the work than this edition's.</exception>
    public WatchedProcess Watch(ToolEdition tool, string command)
    {
        var watched = TimedProcess.Watch(Folder, tool.Program, command, "study.yaml");
        return watched.Peaks.Executable is { } executable && tool.IsDoneBy(executable)
            ? watched
            : throw new InvalidDataException($"'{tool.Name}' was to be measured, and what ran was {watched.Peaks.Executable ?? "not seen in /proc"}. Run the benchmark with -p:CompileTool=true, or remove its folder 'compiled'.");
    }
}

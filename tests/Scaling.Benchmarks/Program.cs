// The benchmarks' entrance: what is claimed of speed and of statistics, measured.
using Scaling.Benchmarks;

const string Usage = """
    Measures what the project claims of speed and of statistics.

      dotnet run -c Release --project tests/Scaling.Benchmarks -- COMMAND

      laws                      how long fits take, beside a fit by plain multi-start descent (1 to 3 minutes on two cores)
      training                  tokens a second of training, beside the rate of matrix products, and whether memory stays (2 minutes on idle cores)
      report                    how long the report of two thousand runs takes and how large its page is (half a minute)
      engine                    what the engine costs: nothing to do, a point, memory, growth; beside ninja and Snakemake where they are installed (15 minutes on idle cores)
        --shrink N              a trial of the benchmark itself: points and repetitions divided by N (default 1)
      speed FOLDER              how well a calibration foretells the speed of shapes that it did not see; keeps what it measures in FOLDER (5 minutes on idle cores)
        --against FOLDER        an earlier run's: how many of the measured intervals overlap
        --seed N                of the shapes (default 3)
      coverage                  how often intervals, confidence sets and verdicts are right, on studies whose truth is known
        --worlds N              studies with a valley, and as many without; beside the target's design others get a fifth (default 1000)
        --resamples N           of each fit (default 1000)
        --seed N                of the studies (default 1)
        --design NAME           one design alone: {0}
      design                    what a sequential study saves beside a grid, chance and a Latin hypercube, in worlds around the published constants (10 minutes on idle cores)
        --worlds N              how many (default 200)
        --seed N                of the worlds (default 1)
      --help                    this text

    Exit codes: 0 measured, 1 a benchmark failed, 2 usage. A target that is missed is a line in the table; of engine it is exit code 1 too.
    """;

try
{
    switch (args)
    {
        case ["--help" or "-h" or "help"]:
            Console.WriteLine(Usage, string.Join(", ", CoverageDesigns.All.Select(d => d.Name)));
            return 0;
        case ["laws"]:
            return LawSpeed.Run(Console.Out);
        case ["report"]:
            return ReportSpeed.Run(Console.Out);
        case ["training"]:
            return TrainingSpeed.Run(Console.Out);
        case [TrainingProcess.RatesCommand, var size]:
            return TrainingProcess.Rates(size);
        case [TrainingProcess.MemoryCommand]:
            return TrainingProcess.Memory();
        case ["engine", .. var ofEngine]:
            return EngineCost.Run(EngineArguments.Parse(ofEngine), Console.Out);
        case ["speed", .. var ofSpeed]:
            return ServingSpeed.Run(SpeedArguments.Parse(ofSpeed), Console.Out);
        case ["design", .. var ofDesign]:
            return DesignTable.Run(DesignArguments.Parse(ofDesign), Console.Out);
        case ["coverage", .. var rest]:
            Coverage(CoverageArguments.Parse(rest));
            return 0;
        case []:
            throw new UsageException("Which command? There are laws, training, report, engine, speed, coverage and design.");
        case ["laws" or "training" or "report", ..]:
            throw new UsageException($"{args[0]} takes no options, found '{args[1]}'.");
        default:
            throw new UsageException($"There is no command '{args[0]}'; there are laws, training, report, engine, speed, coverage and design.");
    }
}
catch (UsageException e)
{
    Console.Error.WriteLine($"{e.Message} --help tells more.");
    return 2;
}

static void Coverage(CoverageArguments arguments)
{
    var study = new CoverageStudy(arguments.Resamples, arguments.Seed);
    var summaries = new List<CoverageSummary>();
    foreach (var design in CoverageDesigns.All.Where(d => arguments.Design is null || d.Name == arguments.Design))
    {
        int worlds = design == CoverageDesigns.Target || arguments.Design is not null ? arguments.Worlds : arguments.Worlds / 5;
        summaries.Add(new CoverageSummary(study.Run(design, worlds, Console.Error)));
    }

    Console.WriteLine($"{arguments.Resamples} resamples a fit, seed {arguments.Seed}; ± is one standard error.");
    Console.WriteLine();
    foreach (var design in summaries.Select(s => s.Design))
    {
        Console.WriteLine($"- {design.Name}: {design.Description}");
    }

    Console.WriteLine();
    CoverageTable.Write(summaries, Console.Out);
    if (summaries.FirstOrDefault(s => s.Design == CoverageDesigns.Target) is { } target)
    {
        Console.WriteLine();
        TargetLine.Write(CoverageTable.Targets(target), Console.Out);
    }
}

// The harness's entrance: runs that are broken at every step, and input that nobody should write.
using Scaling.Faults;
using Scaling.Faults.Faulted;
using Scaling.Faults.Fuzzing;
using Scaling.Faults.Tracing;

const string Usage = """
    Breaks runs of the built tool, and looks whether the next run puts everything right without help.

      dotnet run -c Release --project tests/Scaling.Faults -- COMMAND

      every-step                a fault at each call that changes a file, in tool or worker (an hour on two idle cores)
        --kinds A,B             of: kill, kill-tool, kill-worker, tear, full, read-only, clock (default all)
        --every N               only at each Nth step (default 1)
        --steps FIRST-LAST      only at these (default all)
      random                    kills at random moments, up to three runs in turn
        --count N               how many trials (default 300)
      both take
        --jobs N                actions side by side in the run (default 1)
        --side-by-side N        trials side by side (default 2)
        --seed N                of what is random (default 1)
        --minutes N             begin no trial after that (default: no end)
        --tool PATH             this program, for example a published one that starts quicker (default: the one that was built with this)
        --folder PATH           work here and leave it (default: a temporary folder)
      steps                     the steps of an undisturbed run
        --jobs N                actions side by side (default 1)
      fuzz                      mutated pipelines, entries, records of runs, locks, frozen plans, plugin.json and native.json
        --count N               cases (default 100000)
        --seed N                of all (default 1)
        --case N                this one alone
        --folder PATH           keeps cases that were not survived (default: here)
      probe                     whether this machine lets processes be traced; says why not
      --help                    this text

    Exit codes: 0 everything held, 1 something did not, 2 usage, 3 this machine lets nobody trace.
    """;

try
{
    switch (args)
    {
        case ["--help" or "-h" or "help"]:
            Console.WriteLine(Usage);
            return 0;
        case ["every-step" or "random" or "steps" or "probe", .. var rest]:
            return Faults(args[0], Arguments.Parse(args[0], rest));
        case ["fuzz", .. var rest]:
            return Fuzzed(FuzzArguments.Parse(rest)) ? 0 : 1;
        default:
            throw new UsageException(args.Length == 0 ? "Which command?" : $"There is no command '{args[0]}'.");
    }
}
catch (UsageException e)
{
    Console.Error.WriteLine($"{e.Message} --help tells more.");
    return 2;
}
catch (Exception e) when (e is TracingRefusedException || e.InnerException is TracingRefusedException)
{
    Console.Error.WriteLine(e.Message);
    return 3;
}

static bool Fuzzed(FuzzSettings settings)
{
    string folder = Directory.CreateTempSubdirectory("scaling-fuzz-").FullName;
    string keep = settings.Folder;
    Directory.SetCurrentDirectory(folder);
    try
    {
        var build = Build.OfThis();
        using var pipelines = new PipelineTarget(folder, build);
        using var natives = new PluginTarget(folder, native: true, build);
        using var descriptions = new PluginTarget(folder, native: false, build);
        return new Fuzz(settings, [pipelines, new EntryTarget(folder), new RecordTarget(folder), new LockTarget(folder, pipelines), new PlanTarget(folder, pipelines, build), natives, descriptions]).Run(Console.Out, Console.Error);
    }
    finally
    {
        Directory.SetCurrentDirectory(keep);
        Directory.Delete(folder, recursive: true);
    }
}

static int Faults(string command, Arguments arguments)
{
    if (Probe.Refusal() is { } refusal)
    {
        Console.Error.WriteLine(refusal);
        return 3;
    }

    if (command == "probe")
    {
        Console.WriteLine("Processes can be traced.");
        return 0;
    }

    var build = Build.OfThis();
    build = build with { Tool = arguments.Tool ?? build.Tool };
    string folder = arguments.Folder ?? Directory.CreateTempSubdirectory("scaling-faults-").FullName;
    try
    {
        if (command == "steps")
        {
            var trial = new Trial(new Study(folder, build, arguments.Settings.Jobs));
            trial.LookAtUndisturbed();
            foreach (var step in trial.Steps)
            {
                Console.WriteLine($"{step.Number,4} {(step.IsTool ? "tool  " : "worker")} {step.Call.Name,-10} {step.Path}{(step.Bytes > 0 ? $" ({step.Bytes} bytes)" : "")}");
            }

            return 0;
        }

        return new Campaign(arguments.Settings, build, folder).Run(Console.Out, Console.Error) ? 0 : 1;
    }
    finally
    {
        if (arguments.Folder is null)
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}

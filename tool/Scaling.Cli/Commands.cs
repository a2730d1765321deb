// The commands, their options and help.
using System.CommandLine;
using System.CommandLine.Parsing;
using System.Runtime.InteropServices;
using Scaling.Engine;
using Scaling.Engine.Execution;
using Scaling.Engine.Executors;
using Scaling.Engine.Planning;
using Scaling.Remote;
using Scaling.Sdk;

namespace Scaling.Cli;

/// <summary>What can be typed after <c>dotnet scaling</c>.</summary>
internal static class Commands
{
    /// <summary>The pipeline file of a folder that has one.</summary>
    public const string UsualPipeline = "pipeline.yaml";

    private static readonly Argument<string?> PipelineFile = new("pipeline") { Description = $"The pipeline file. Default: {UsualPipeline}.", Arity = ArgumentArity.ZeroOrOne };
    private static readonly Argument<string> InitFolder = new("folder") { Description = "Where to write. Default: here.", DefaultValueFactory = _ => "." };

    private static readonly Option<string?> Baseline = new("--baseline") { Description = "Hugging Face config.json of a Llama: write a search for shapes that beat it, instead of a study.", HelpName = "file" };
    private static readonly Option<string?> TableOfLosses = new("--table") { Description = "Table with a row for each trained model (CSV): write a fit and a search on it, instead of a study.", HelpName = "file" };

    private static readonly Option<string?> Cache = new("--cache")
    {
        Description = "The store's folder. Default: SCALING_CACHE, else dotnet-scaling in the user's cache folder.", Recursive = true, HelpName = "folder",
    };

    private static readonly Option<bool> Locked = new("--locked") { Description = "Refuse plugins that the lock beside the pipeline does not have, instead of resolving them.", Recursive = true };

    private static readonly Option<string> Out = new("--out") { Description = "Results go to FOLDER/PIPELINE/STAGE.", DefaultValueFactory = _ => "results", HelpName = "folder" };

    private static readonly Option<int> Jobs = new("--jobs", "-j")
    {
        Description = "Actions side by side. Default: one a processor.", DefaultValueFactory = _ => Environment.ProcessorCount, HelpName = "count",
    };

    private static readonly Option<bool> KeepGoing = new("--keep-going", "-k") { Description = "Where rows fail, go on with those that succeeded." };
    private static readonly Option<bool> FailFast = new("--fail-fast") { Description = "At the first failure stop what runs and begin nothing." };
    private static readonly Option<bool> Json = new("--json") { Description = "One JSON object on standard output, for programs." };
    private static readonly Option<bool> Quiet = new("--quiet", "-q") { Description = "Say only what failed and what warns." };
    private static readonly Option<bool> Verbose = new("--verbose", "-v") { Description = "Say also why each stage runs in full, when each action begins and ends, and where its log lies." };
    private static readonly Option<string> LogFormat = new("--log-format") { Description = "What is said on standard error: text, or jsonl, one event a line for programs.", DefaultValueFactory = _ => "text", HelpName = "format", Recursive = true };
    private static readonly Option<bool> Detach = new("--detach", "-d") { Description = "Run in the background, also after the terminal is closed." };
    private static readonly Option<bool> Follow = new("--follow", "-f") { Description = "Go on while the action runs." };
    private static readonly Option<string?> OneFile = new("--file") { Description = "Write the content of one of its files to standard output.", HelpName = "name" };
    private static readonly Argument<string?> TypeOfStage = new("type") { Description = "Stage type. Without one, what there is.", Arity = ArgumentArity.ZeroOrOne };
    private static readonly Option<bool> Watch = new("--watch", "-w") { Description = "Check again whenever the file, or a file that it names, has changed; until Ctrl-C." };
    private static readonly Argument<string> Shell = new("shell") { Description = "bash, zsh, fish or pwsh." };
    private static readonly Option<string> Format = new("--format") { Description = "mermaid, dot or json.", DefaultValueFactory = _ => "mermaid", HelpName = "format" };
    private static readonly Option<bool> JsonPlan = new("--json") { Description = "Print the plan as JSON; 'run --plan' and 'execute' take it." };

    /// <summary>Of every command that reads a pipeline file to run, to plan or to look.</summary>
    public static readonly Option<string[]> Set = new("--set")
    {
        Description = "Change a setting of the pipeline file: STAGE.SETTING=VALUE, the value in YAML; seed=VALUE. In quotes where it has brackets. May be given several times.", HelpName = "setting=value",
    };

    /// <summary>Of every command that runs a pipeline or looks at the keys of its actions: what a stage measures holds the class of device that it runs on.</summary>
    private static readonly Option<string?> ExecutorName = new("--executor") { Description = "Where actions run: local, all of them here, or slurm. Default: what stage, pipeline or profile say, else local.", HelpName = "executor" };

    private static readonly Option<bool> Force = new("--force") { Description = "Execute everything, also what is in the store." };
    private static readonly Option<string?> From = new("--from") { Description = "Execute that stage, and all that depend on it, also where they are in the store.", HelpName = "stage" };
    private static readonly Option<string?> PlanFile = new("--plan") { Description = "Execute a plan that 'plan --json' printed, without reading the pipeline file again.", HelpName = "file" };
    private static readonly Option<string?> AgainstRun = new("--against") { Description = "Compare with that run: its number, or last, last~1, last~2 … Default: last.", HelpName = "run" };
    private static readonly Option<string[]> Compared = new("--compare") { Description = "Two pipelines that were run, A and B, side by side: what they found, and what changed from one to the other. A run is A@3, or A@last~1.", Arity = new ArgumentArity(2, 2), AllowMultipleArgumentsPerToken = true, HelpName = "pipelines" };
    private static readonly Argument<string> PlanArgument = new("plan") { Description = "A plan that 'plan --json' printed." };

    private static readonly Option<int> Replay = new("--replay")
    {
        Description = "Execute so many of its actions again, drawn at random, beside the store, and compare what they give.", DefaultValueFactory = _ => 0, HelpName = "count",
    };

    private static readonly Option<int> ReplaySeed = new("--seed") { Description = "Draws other actions: a whole number. Default: 1.", DefaultValueFactory = _ => 1, HelpName = "number" };
    private static readonly Option<string?> PriceOn = new("--price") { Description = "Tell also what it would cost on that device, for example h100-sxm.", HelpName = "device" };

    private static readonly Option<double> Utilisation = new("--utilisation")
    {
        Description = "Share of the device's peak that is reached.", DefaultValueFactory = _ => 0.4, HelpName = "share",
    };

    private static readonly Argument<string> Target = new("stage") { Description = "STAGE or STAGE@POINT: a stage's id, a row's name or its beginning. In quotes where a shell reads [ or * in it: 'STAGE@POINT'." };
    private static readonly Argument<string> PackageId = new("package") { Description = "Package id." };
    private static readonly Option<string?> PackageVersion = new("--version") { Description = "Exact (1.2.0), floating (1.*) or a range. Default: the highest released one.", HelpName = "version" };
    private static readonly Option<string?> Into = new("--into") { Description = "Where results are put, as FOLDER/STAGE/FILE.", HelpName = "folder" };
    private static readonly Option<string?> CommittedResults = new("--results") { Description = "The committed results. Default: results/PIPELINE beside the pipeline file.", HelpName = "folder" };
    private static readonly Option<string?> OnlyStages = new("--stages") { Description = "Stages whose results are wanted, with commas. Default: those that no other stage needs.", HelpName = "ids" };
    private static readonly Option<string?> InputsList = new("--inputs-to") { Description = "Write the paths of all files that the outcome depends on, one a line.", HelpName = "file" };
    private static readonly Option<bool> Verify = new("--verify") { Description = "Only see whether the committed results are those of the pipeline." };
    private static readonly Option<string?> RecordType = new("--record") { Description = "Write a C# record of the JSON results also: its full name, such as My.Models.Architecture.", HelpName = "type" };
    private static readonly Option<string?> RecordTo = new("--record-to") { Description = "The C# file of --record.", HelpName = "file" };
    private static readonly Option<string?> RecordFrom = new("--record-from") { Description = "File name of the JSON results that --record takes. Default: the only one there is.", HelpName = "name" };
    private static readonly Argument<string?> OptionalPipeline = new("pipeline") { Description = "A pipeline whose plugins are included.", DefaultValueFactory = _ => null };

    /// <summary>Who stops a command may signal its process and its group: that is one request.</summary>
    private static readonly TimeSpan OneRequest = TimeSpan.FromMilliseconds(300);

    /// <summary>Commands that have nothing to finish when they are interrupted.</summary>
    private static readonly string[] Looks = ["plan", "why", "check", "graph", "schema", "stage", "status", "logs", "show", "report", "completion", "list"];

    /// <summary>Parses, runs, and gives the exit code.</summary>
    public static async Task<int> Invoke(string[] args)
    {
        CommandConsole.Choose(args);
        var parsed = Root().Parse(args, new ParserConfiguration { ResponseFileTokenReplacer = null });
        if (Misspelt.Of(parsed) is { Count: > 0 } wrong)
        {
            CommandConsole.Print(wrong);
            string path = string.Join(' ', Path(parsed.CommandResult));
            CommandConsole.Now.Say($"Type '{path} --help' for what it takes.");
            Refusal.Answer(parsed, ExitCode.Usage, wrong);
            return ExitCode.Usage;
        }

        if (parsed.CommandResult.Children.FirstOrDefault(c => c.Tokens.Any(t => t.Value.Length == 0) && c is ArgumentResult or OptionResult { Option.Name: "--plan" }) is { } empty)
        {
            string name = empty is ArgumentResult argument ? $"<{argument.Argument.Name}>" : "--plan";
            return Refuse(new UsageException("SCAL1007", $"{name} is empty.", "Name one, or leave it away; a variable of the shell that is not set is an empty text."), interrupted: false);
        }

        if (parsed.GetValue(LogFormat) is { } format && !CommandConsole.Formats.Contains(format))
        {
            return Refuse(new UsageException("SCAL1050", $"--log-format takes {string.Join(" or ", CommandConsole.Formats)}, found '{format}'.", NearestSpelling.Hint(format, CommandConsole.Formats)), interrupted: false);
        }

        using var stop = new CancellationTokenSource();
        long asked = 0;
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
        try
        {
            return await parsed.InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null }, stop.Token).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            return Refuse(e, stop.IsCancellationRequested);
        }
        finally
        {
            CommandConsole.End();
        }

        int Refuse(Exception e, bool interrupted)
        {
            int exit = Report(e, interrupted);
            Refusal.Answer(parsed, exit, exit == ExitCode.Interrupted ? [] : Findings(e));
            return exit;
        }

        void Stop(PosixSignalContext signal)
        {
            signal.Cancel = true;
            if (stop.IsCancellationRequested && System.Diagnostics.Stopwatch.GetElapsedTime(asked) < OneRequest)
            {
                return;
            }

            asked = System.Diagnostics.Stopwatch.GetTimestamp();
            if (stop.IsCancellationRequested || Looks.Contains(parsed.CommandResult.Command.Name))
            {
                if (stop.IsCancellationRequested)
                {
                    CommandConsole.Now.Say("Ended at once.");
                    CommandConsole.End();
                }

                Refusal.Answer(parsed, ExitCode.Interrupted, []);
                Environment.Exit(ExitCode.Interrupted); // Workers end when their pipe closes.
            }

            if (parsed.CommandResult.Command.Name == "attach")
            {
                CommandConsole.Now.Say("Leaving the jobs to themselves: 'attach' goes on with them, 'cancel' ends them.");
            }
            else
            {
                CommandConsole.Now.Stopping();
            }

            stop.Cancel();
        }
    }

    /// <summary>What an argument or option can be, for whoever completes a command line.</summary>
    private static void AddCompletions()
    {
        PipelineFile.CompletionSources.Add(context => IsAtTarget(context) ? [] : Completion.OfFiles(context.WordToComplete));
        Compared.CompletionSources.Add(context => Completion.OfFiles(context.WordToComplete));
        OptionalPipeline.CompletionSources.Add(context => IsAtType(context) ? [] : Completion.OfFiles(context.WordToComplete));
        Target.CompletionSources.Add(context => !IsAtTarget(context) ? [] : Completion.OfTargets(context.WordToComplete, context.ParseResult.GetValue(PipelineFile), new Invocation(context.ParseResult, default).StoreFolder));
        TypeOfStage.CompletionSources.Add(context => IsAtType(context) ? Completion.OfTypes() : []);
        Shell.CompletionSources.Add(_ => Completion.OfShells());
        Format.CompletionSources.Add("mermaid", "dot", "json");
        ExecutorName.CompletionSources.Add([.. Placement.Executors.Keys]);
        LogFormat.CompletionSources.Add([.. CommandConsole.Formats]);
    }

    /// <summary>Whether the word is the stage of a command that takes one, and not the pipeline after it.</summary>
    private static bool IsAtTarget(System.CommandLine.Completions.CompletionContext context) =>
        context.ParseResult.CommandResult.Command.Arguments.Contains(Target)
        && context.ParseResult.GetResult(PipelineFile) is not { Tokens.Count: > 0 }
        && (context.WordToComplete.Length > 0 || context.ParseResult.GetResult(Target) is not { Tokens.Count: > 0 });

    /// <summary>Whether the word is a type, and not the pipeline after it.</summary>
    private static bool IsAtType(System.CommandLine.Completions.CompletionContext context) =>
        context.ParseResult.CommandResult.Command.Arguments.Contains(TypeOfStage)
        && context.ParseResult.GetResult(OptionalPipeline) is not { Tokens.Count: > 0 }
        && (context.WordToComplete.Length > 0 || context.ParseResult.GetResult(TypeOfStage) is not { Tokens.Count: > 0 });

    /// <summary>Options of which one would be dropped without a word.</summary>
    private static void AddExclusions()
    {
        foreach (var (one, other) in new (Option, Option)[] { (JsonPlan, PriceOn), (Force, From), (PlanFile, Force), (PlanFile, From), (PlanFile, Detach), (KeepGoing, FailFast), (Watch, Json), (Baseline, TableOfLosses), (Quiet, Verbose) })
        {
            one.Validators.Add(result =>
            {
                if (!result.Implicit && result.GetResult(other) is { Implicit: false })
                {
                    result.AddError($"{one.Name} and {other.Name} exclude each other: leave one away.");
                }
            });
        }

        Compared.Validators.Add(result =>
        {
            if (result.GetResult(PipelineFile) is { Tokens.Count: > 0 })
            {
                result.AddError("--compare names both pipelines: leave the other one away.");
            }
        });

        Locked.Validators.Add(result =>
        {
            if (!result.Implicit && result.GetResult(PackageId) is not null)
            {
                result.AddError("--locked and 'plugin add' exclude each other: what is added is not locked yet.");
            }
        });
    }

    private static RootCommand Root()
    {
        AddCompletions();
        AddExclusions();
        var root = new RootCommand(
            """
            Runs declarative pipelines for LLM scaling studies, each stage once: what is finished is found in a store by the content it was made from.

            Examples:
              dotnet scaling init                                    write a first study, pipeline.yaml, to begin with
              dotnet scaling init --table runs.csv                   one on losses of your own
              dotnet scaling run                                     run it, or what is missing of it
              dotnet scaling plan                                    what would run, and why
              dotnet scaling plan study.yaml --price h100-sxm        of another file than pipeline.yaml, what it would cost
              dotnet scaling why runs                                why one of its stages would run, or last ran
              dotnet scaling why runs@048ae9f3                       why the rows whose names begin so would
              dotnet scaling why law --against 12                    what changed since run 12
              dotnet scaling run --set 'runs.tokens_per_parameter=[20]'   in quotes: brackets mean something to a shell
              dotnet scaling run --from law                          fit, and all after it, again
              dotnet scaling plan --json > plan.json                 freeze what would run …
              dotnet scaling run --plan plan.json                    … and run just that
              dotnet scaling verify --replay 3                       are results what three actions give when repeated?
              dotnet scaling check --watch                           find mistakes without running anything, again at every change
              dotnet scaling stage fit                               the settings of a stage type, with units and defaults
              dotnet scaling run --jobs 4 --out here                 four actions side by side, results to here/quickstart
              dotnet scaling run --json > summary.json               a summary for programs
              dotnet scaling run --log-format jsonl 2> events.jsonl  every change of state, for a dashboard
              dotnet scaling run --executor slurm --detach           in jobs of a cluster, from its login node
              dotnet scaling status                                  is somebody running it, and what is missing
              dotnet scaling logs runs@048ae9f3.1.10 --follow        what one row prints while it runs
              dotnet scaling show law --file law.json                a file of the store, as it was made
              dotnet scaling report > report.md                      the report of the last run
              dotnet scaling report --compare old.yaml study.yaml    what two studies found, and what is other about them
              dotnet scaling graph --format dot | dot -Tsvg > study.svg
              dotnet scaling schema > pipeline.schema.json           completion and checks in an editor

            Stages are named as the study names them (here the one that init writes), not by the type after uses:.

            Exit codes: 0 done, 1 a stage failed, 2 usage, 3 invalid pipeline, 4 integrity, 5 infrastructure, 130 interrupted.
            """)
        {
            Command("init", $"Write a first study, {UsualPipeline}, with the schema for your editor.", [InitFolder, Baseline, TableOfLosses], InitCommand.Run),
            Command("run", "Run a pipeline, or what is missing of it. Typing it again continues.", [PipelineFile, Out, Jobs, KeepGoing, FailFast, Quiet, Verbose, Set, ExecutorName, Force, From, PlanFile, Detach, Json], RunCommand.Run),
            Command("plan", "Say what would run, and why, without running it. Only sweeps are evaluated, as they name the rows.", [PipelineFile, PriceOn, Utilisation, Set, ExecutorName, JsonPlan], PlanCommand.Run),
            Command("why", "Say why a stage, or one of its rows, would run, or last ran: what changed, the nearest past entry, and what it costs.", [Target, PipelineFile, AgainstRun, Set, ExecutorName, Json], WhyCommand.Run),
            Command("execute", "Execute actions of a plan without planning: STAGE for all of a stage, STAGE@POINT for some. For schedulers.", [PlanArgument, Target], ExecuteCommand.Run),
            Command("verify", "See whether what a pipeline's stages gave is whole in the store, and with --replay whether it can be repeated.", [PipelineFile, Replay, ReplaySeed, Set, ExecutorName, Json], VerifyCommand.Run),
            Command("check", "Find mistakes in a pipeline file without running anything.", [PipelineFile, Watch, Set, Json], LookCommands.Check),
            Command("attach", "Go on with the jobs of a pipeline that are under way on a cluster, whoever submitted them. Stopping it leaves them alone.", [PipelineFile, Out, Jobs, KeepGoing, FailFast, Quiet, Verbose, Set, ExecutorName, Json], ClusterCommands.Attach),
            Command("cancel", "Cancel the jobs of a pipeline that are under way on a cluster.", [PipelineFile], ClusterCommands.Cancel),
            Command("status", "Say whether somebody runs a pipeline now, how its last run ended, and what is missing.", [PipelineFile, Set, ExecutorName, Json], StatusCommand.Run),
            Command("logs", "Print what an action last printed; for a stage of many rows, list what they printed.", [Target, PipelineFile, Follow, Set, ExecutorName, Json], LogsCommand.Run),
            Command("show", "Show what the store holds of a stage, or of one of its rows: what it was made of, its files, its time.", [Target, PipelineFile, OneFile, Set, ExecutorName, Json], ShowCommand.Run),
            Command("report", "Print the report of the last run, or compare two.", [PipelineFile, Compared, Json], ReportCommand.Run),
            Command("graph", "Draw the stages and what flows between them.", [PipelineFile, Format, Set], LookCommands.Graph),
            Command("restore", "Put the results of a pipeline into a folder, from its committed results or the store; stale ones are refused. Nothing is executed.", [PipelineFile, Into, CommittedResults, OnlyStages, InputsList, Verify, RecordType, RecordTo, RecordFrom, Set, Json], RestoreCommand.Run),
            Command("schema", "Print the JSON schema of pipeline files, for editors.", [OptionalPipeline], LookCommands.Schema),
            Command("stage", "Print the page of a stage type: what it needs, its settings with unit and default, what it writes, what enters its key. Of plugins too, where a pipeline is named.", [TypeOfStage, OptionalPipeline], StageCommand.Run),
            Command("completion", "Print a script that completes commands, options, stages and rows in a shell.", [Shell], Completion.Run),
        };
        root.Add(new Command("plugin", "The packages that a pipeline's plugins are made of: from the sources of nuget.config, locked beside the pipeline.")
        {
            Command("list", "What its stages are made of, and who signed it.", [PipelineFile, Json], PluginCommands.List),
            Command("add", "Add a package to a pipeline and to its lock.", [PackageId, PipelineFile, PackageVersion], PluginCommands.Add),
            Command("restore", "Bring all that a run will need, native libraries too, so that it runs without a network.", [PipelineFile], PluginCommands.Restore),
            Command("verify", "Read every byte of the packages and hold it against the lock.", [PipelineFile, Json], PluginCommands.Verify),
        });
        root.Add(CacheCommands.Command);
        foreach (var help in root.Options.OfType<System.CommandLine.Help.HelpOption>())
        {
            help.Aliases.Remove("/?"); // Here a word that begins so is a path.
            help.Aliases.Remove("/h");
        }

        root.Options.Add(Cache);
        root.Options.Add(Locked);
        RemoteCommands.Options.ToList().ForEach(root.Options.Add);
        root.Options.Add(LogFormat);
        return root;
    }

    private static Command Command(string name, string description, Symbol[] symbols, Func<Invocation, Task<int>> action)
    {
        var command = new Command(name, description);
        foreach (var symbol in symbols)
        {
            if (symbol is Argument argument)
            {
                command.Arguments.Add(argument);
            }
            else
            {
                command.Options.Add((Option)symbol);
            }
        }

        command.SetAction((parsed, cancel) => action(new Invocation(parsed, cancel)));
        return command;
    }

    private static IEnumerable<string> Path(CommandResult? command) =>
        command is null ? [] : [.. Path(command.Parent as CommandResult), command.Parent is null ? "dotnet scaling" : command.Command.Name];

    /// <summary>Prints what went wrong, and gives its exit code.</summary>
    public static int Report(Exception e, bool interrupted)
    {
        if (e is OperationCanceledException && interrupted)
        {
            return ExitCode.Interrupted;
        }

        var findings = Findings(e);
        Session.Print(findings);
        return ExitCode.Of(findings, e switch
        {
            UsageException => ExitCode.Usage,
            PipelineRefusedException => ExitCode.InvalidPipeline,
            StageFailedException => ExitCode.StageFailed,
            _ => ExitCode.Infrastructure,
        });
    }

    /// <summary>What went wrong, for people and programs.</summary>
    public static IReadOnlyList<Diagnostic> Findings(Exception e) => e switch
    {
        UsageException usage => [usage.Diagnostic],
        PipelineRefusedException refused => refused.Findings,
        InfrastructureException infrastructure => [infrastructure.Diagnostic],
        RemoteUsageException remote => [remote.Diagnostic],
        StageFailedException failed => failed.Diagnostics,
        IOException or UnauthorizedAccessException => [InfrastructureException.OfFile(e).Diagnostic],
        _ => [Defect.Of(e)],
    };

    /// <summary>The parsed words of one call.</summary>
    internal sealed record Invocation(ParseResult Parsed, CancellationToken Stop)
    {
        public string Pipeline => Parsed.GetValue(PipelineFile) ?? (File.Exists(UsualPipeline)
            ? UsualPipeline
            : throw new UsageException("SCAL1010", $"No pipeline file is named, and there is no {UsualPipeline} here.", $"Name one, or write a first one with 'dotnet scaling init'."));

        public string InitFolder => Parsed.GetValue(Commands.InitFolder)!;

        public string? InitBaseline => Parsed.GetValue(Baseline);

        public string? InitTable => Parsed.GetValue(TableOfLosses);

        /// <summary>What <c>--compare</c> says: two, or none.</summary>
        public IReadOnlyList<string> Compared => Parsed.GetValue(Commands.Compared) ?? [];

        private static string[] Named(string option, string? value) => value is null ? [] : [option, value];

        public string? PipelineOrNone => Parsed.GetValue(OptionalPipeline);

        public string Target => Parsed.GetValue(Commands.Target)!;

        public string GraphFormat => Parsed.GetValue(Format)!;

        public bool Json => Parsed.GetValue(Commands.Json) || Parsed.GetValue(JsonPlan);

        /// <summary>What <c>--set</c> said when what is attached to was run; null where it is typed.</summary>
        public IReadOnlyList<string>? AttachedSets { get; init; }

        /// <summary>Where results went then; null where that is not known.</summary>
        public string? AttachedResults { get; init; }

        /// <summary>What <c>--executor</c> said then, as far as can be told; null where pipeline and profile say it, or it is typed.</summary>
        public ExecutorKind? AttachedExecutor { get; init; }

        /// <summary>The command line.</summary>
        public IEnumerable<string> Arguments => Parsed.Tokens.Select(t => t.Value);

        public bool Detach => Parsed.GetValue(Commands.Detach);

        public IReadOnlyList<string> Sets => AttachedSets ?? Parsed.GetValue(Set) ?? [];

        /// <summary>What <c>--executor</c> says; null where it is not given.</summary>
        public ExecutorKind? Executor => AttachedExecutor is { } attached ? attached : Parsed.GetValue(ExecutorName) is not { } name ? null
            : Placement.Executors.TryGetValue(name, out var kind) ? kind
            : throw new UsageException("SCAL1080", $"--executor takes {string.Join(" or ", Placement.Executors.Keys)}, found '{name}'.", NearestSpelling.Hint(name, Placement.Executors.Keys));

        public string? Against => Parsed.GetValue(AgainstRun);

        /// <summary>The frozen plan to run; null for a pipeline.</summary>
        public string? Plan => Parsed.GetValue(PlanFile) is not { } plan ? null
            : Parsed.GetValue(PipelineFile) is null && Sets.Count == 0 ? WithoutLock(plan)
            : throw new UsageException("SCAL1074", "--plan has its pipeline and settings within it, and goes with neither a pipeline file nor --set.", "Leave them away, or plan again with them: 'dotnet scaling plan PIPELINE --set … --json'.");

        public string PlanToExecute => WithoutLock(Parsed.GetValue(PlanArgument)!);

        /// <summary>The code of a plan's stages is pinned by its digests; what a lock has is not asked.</summary>
        private string WithoutLock(string plan) => LockUse == LockUse.Resolve
            ? plan
            : throw new UsageException("SCAL1074", "A plan has the digests of its plugins within it, resolves none, and does not go with --locked.", "Leave --locked away here, and plan with it: 'dotnet scaling plan PIPELINE --locked --json'.");

        public int ReplayCount => Parsed.GetValue(Replay) is >= 0 and var count ? count : throw new UsageException("SCAL1075", $"--replay takes a whole number from 0, found {Parsed.GetValue(Replay)}.", "0 repeats nothing; 3 repeats three actions, drawn at random.");

        public int Seed => Parsed.GetValue(ReplaySeed);

        /// <summary>Ids of the stages that are executed whether they are in the store or not.</summary>
        public IReadOnlySet<string> Again(Pipeline pipeline)
        {
            if (Parsed.GetValue(From) is not { } from)
            {
                return Parsed.GetValue(Force) ? pipeline.Stages.Select(s => s.Id).ToHashSet() : new HashSet<string>();
            }

            if (pipeline.Stages.All(s => s.Id != from))
            {
                throw UsageException.NoStage("SCAL1076", from, pipeline.Stages.Select(s => s.Id), " for --from");
            }

            var again = new HashSet<string> { from };
            foreach (var stage in pipeline.Stages.Where(s => s.Needs.Any(n => again.Contains(n.Id))))
            {
                again.Add(stage.Id);
            }

            return again;
        }

        /// <summary>Whether jobs of a cluster go on when the command is stopped.</summary>
        public bool LeavesJobs { get; init; }

        public Telling Telling => Parsed.GetValue(Quiet) ? Telling.Quiet : Parsed.GetValue(Verbose) ? Telling.Verbose : Telling.Usual;

        /// <summary>The command line as it was typed.</summary>
        public string Typed => $"dotnet scaling {CommandLine.Of(Arguments)}";

        /// <summary>What stands after another command about this pipeline: its file, and what it has to be found with; null for a plan.</summary>
        public string? SamePipeline => Parsed.GetResult(PlanFile) is not null ? null : CommandLine.Of([Pipeline, .. Sets.SelectMany(s => new[] { "--set", s }), .. Named("--executor", Parsed.GetValue(ExecutorName)), .. Named("--cache", NamedStore)]);

        public bool Watch => Parsed.GetValue(Commands.Watch);

        /// <summary>The type that 'stage' is asked about; null for none.</summary>
        public string? StageType => Parsed.GetValue(TypeOfStage);

        public bool Follow => Parsed.GetValue(Commands.Follow);

        public string? OneFile => Parsed.GetValue(Commands.OneFile);

        public string Shell => Parsed.GetValue(Commands.Shell)!;

        /// <summary>Absolute path of the pipeline file, also of one that could not be read; null for a plan.</summary>
        public string? PipelinePath => Parsed.GetResult(PlanFile) is not null || Parsed.GetResult(PipelineFile) is { Tokens: [{ Value: "" }] } ? null : System.IO.Path.GetFullPath(Parsed.GetValue(PipelineFile) ?? UsualPipeline);

        /// <summary>What <c>--price</c> asks; null where it is not given.</summary>
        public PriceTarget? PriceTarget => Parsed.GetValue(PriceOn) is not { } device ? null
            : Parsed.GetValue(Utilisation) is > 0 and <= 1 and var share ? new PriceTarget(device, share)
            : throw new UsageException("SCAL1008", FormattableString.Invariant($"--utilisation takes a share above 0 and at most 1, found {Parsed.GetValue(Utilisation)}."), "0.4 is 40 % of the device's peak.");

        public string? IntoFolder => Parsed.GetValue(Into) is { } into ? Folder(into, "--into") : null;

        public string? ResultsFolder => Parsed.GetValue(CommittedResults) is { } results ? System.IO.Path.GetFullPath(Folder(results, "--results")) : null;

        public string[] Stages => Parsed.GetValue(OnlyStages)?.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries) ?? [];

        public string? InputsTo => Parsed.GetValue(InputsList) is { } list ? Folder(list, "--inputs-to", "file") : null;

        public string Package => Parsed.GetValue(PackageId)!;

        public string? Version => Parsed.GetValue(PackageVersion);

        public LockUse LockUse => Parsed.GetValue(Locked) ? LockUse.Locked : LockUse.Resolve;

        /// <summary>What <c>--record</c> and its companions ask; null where none is given.</summary>
        public RecordRequest? Record => (Parsed.GetValue(RecordType), Parsed.GetValue(RecordTo), Parsed.GetValue(Commands.RecordFrom)) switch
        {
            (null, null, null) => null,
            ({ } type, { Length: > 0 } file, var name) when CSharpNames.IsTypeName(type) => new RecordRequest(type, System.IO.Path.GetFullPath(file), name),
            var (type, _, _) => throw new UsageException(
                "SCAL1020", type is null || CSharpNames.IsTypeName(type) ? "--record and --record-to go together." : $"--record takes the full name of a type, found '{type}'.", "For example --record My.Models.Architecture --record-to Architecture.cs."),
        };

        public bool VerifyOnly => Parsed.GetValue(Commands.Verify);

        /// <summary>What <c>--cache</c> says; null where it is not given.</summary>
        public string? NamedStore => Parsed.GetValue(Cache);

        public string StoreFolder => Parsed.GetValue(Cache) is { } named ? Folder(named, "--cache") : DefaultStore();

        private static string Folder(string path, string option, string kind = "folder") =>
            path.Length > 0 ? path : throw new UsageException("SCAL1007", $"{option} takes a {kind}, found an empty text.", "Name one; '.' is the folder here.");

        public RunOptions Options => new(
            Parsed.GetValue(Jobs) is > 0 and var jobs ? jobs : throw new UsageException("SCAL1003", $"--jobs takes a whole number from 1, found {Parsed.GetValue(Jobs)}.", $"1 runs one action at a time; the default here is {Environment.ProcessorCount}."),
            Parsed.GetValue(FailFast) ? FailurePolicy.FailFast : Parsed.GetValue(KeepGoing) ? FailurePolicy.KeepGoing : FailurePolicy.FinishOthers,
            AttachedResults is { } attached && Parsed.GetResult(Out) is null or { Implicit: true } ? attached : System.IO.Path.GetFullPath(Folder(Parsed.GetValue(Out)!, "--out")));

        private static string DefaultStore()
        {
            if (Environment.GetEnvironmentVariable("SCALING_CACHE") is { Length: > 0 } named)
            {
                return named;
            }

            string? cache = Environment.GetEnvironmentVariable("XDG_CACHE_HOME");
            return System.IO.Path.Combine(
                string.IsNullOrEmpty(cache) ? System.IO.Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".cache") : cache, "dotnet-scaling");
        }
    }
}

/// <summary>The command line cannot be worked with; exit code 2.</summary>
internal sealed class UsageException(string code, string message, string? hint = null) : Exception(message)
{
    public Diagnostic Diagnostic { get; } = new(code, message) { Hint = hint };

    /// <summary>A stage that is not there.</summary>
    /// <param name="code">Of whoever asked.</param>
    /// <param name="id">As typed.</param>
    /// <param name="there">Ids that there are.</param>
    /// <param name="where">Where it was looked for, with a blank before it; empty for the pipeline.</param>
    public static UsageException NoStage(string code, string id, IEnumerable<string> there, string where = "")
    {
        string[] ids = [.. there];
        return new UsageException(code, $"There is no stage '{id}'{where}. There are: {string.Join(", ", ids)}.", NearestSpelling.Hint(id, ids));
    }
}

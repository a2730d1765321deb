// Runs an engine's benchmark for one shape and reads what it tells. ENGINES.md says what is run and what differs between engines.
using System.Text;
using System.Text.RegularExpressions;
using Scaling.Sdk;

namespace Scaling.Stages.Measure;

/// <summary>A benchmark with the words that call it, found on this machine.</summary>
internal sealed partial class EngineRun
{
    private const int LinesShown = 12;

    /// <summary>Lines at the end of the output in which a want of memory is looked for: vLLM prints a trace of each process.</summary>
    private const int LinesSearched = 400;

    /// <summary>How long an engine has to give its devices back after SIGTERM.</summary>
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(30);

    /// <summary>Nothing is to be downloaded: what an engine needs lies in the folder.</summary>
    private static readonly Dictionary<string, string> Offline = new() { ["HF_HUB_OFFLINE"] = "1", ["TRANSFORMERS_OFFLINE"] = "1" };

    /// <summary>And no GPU is seen where a processor is measured: engines take one by themselves, llama.cpp for large products even with no layer on it.</summary>
    private static readonly Dictionary<string, string> OnProcessor = new(Offline) { ["CUDA_VISIBLE_DEVICES"] = "" };

    private readonly IReadOnlyList<string> _command;

    private EngineRun(EngineBenchmark benchmark, IReadOnlyList<string> command)
    {
        Benchmark = benchmark;
        _command = command;
    }

    /// <summary>The program that is called.</summary>
    public EngineBenchmark Benchmark { get; }

    /// <summary>The benchmark that a command names, or the engine's first where there is no command.</summary>
    /// <param name="engine">Not <see cref="Engine.Torch"/>.</param>
    /// <param name="command">The user's words; empty for none.</param>
    /// <exception cref="StageFailedException">SCAL8611: the words name no benchmark of the engine; SCAL8612: there is no such program.</exception>
    public static EngineRun Of(Engine engine, IReadOnlyList<string> command)
    {
        EngineBenchmark[] known = [.. EngineBenchmark.All.Where(b => b.Engine == engine)];
        var benchmark = command.Count == 0 ? known[0] : known.FirstOrDefault(b => command.Any(word => Path.GetFileName(word) == b.Word)) ?? throw new StageFailedException(
            "SCAL8611",
            $"command: [{string.Join(", ", command)}] has none of the words by which a benchmark of this engine is known: {string.Join(", ", known.Select(b => $"'{b.Word}'"))}.",
            $"Write for example 'command: [{string.Join(", ", known[0].Command)}]', with flags of your own after it.");
        IReadOnlyList<string> words = command.Count == 0 ? benchmark.Command : command;
        string program = UserProgram.Find(words[0]) ?? throw new StageFailedException(
            "SCAL8612", $"There is no program '{words[0]}', which measures with this engine.",
            $"Install the engine, put it on the PATH, or write 'command: [/path/to/{Path.GetFileName(words[0])}{string.Concat(words.Skip(1).Select(w => $", {w}"))}]'.");
        return new EngineRun(benchmark, [program, .. words.Skip(1)]);
    }

    /// <summary>Measures one shape once. The call's folder is emptied before, and after it went well.</summary>
    /// <param name="context">The shape's row.</param>
    /// <param name="call">What is asked.</param>
    /// <exception cref="StageFailedException">SCAL8612: the engine is no module of its interpreter; SCAL8613: it failed; SCAL8614: it ran out of memory; SCAL8615: its result cannot be read; SCAL8616: it cannot measure this.</exception>
    public EngineTimes Measure(StageContext<MeasureSettings> context, EngineCall call)
    {
        if (Benchmark.Refusal(call) is { } refusal)
        {
            throw new StageFailedException("SCAL8616", $"{context.Point}: {refusal.Found}.", refusal.Hint);
        }

        Empty(call.Folder);
        Directory.CreateDirectory(call.Folder);
        Benchmark.Prepare(call);
        string? version = null;
        var outputs = new List<EngineOutput>();
        foreach (var command in Benchmark.Commands(call))
        {
            outputs.Add(Run(context, call, command, line => version ??= Benchmark.Version(line)));
        }

        try
        {
            var times = Benchmark.Read(call, outputs);
            Empty(call.Folder);
            return times with { Version = times.Version ?? version };
        }
        catch (FormatException e)
        {
            throw new StageFailedException([new Diagnostic("SCAL8615", $"{context.Point}: the result of '{Benchmark.Word}' cannot be read: {e.Message}.")
            {
                Location = new SourceLocation(outputs[0].Source),
                Hint = "ENGINES.md says what is read. The log has all that the engine printed; another version of it may write another form.",
            }]);
        }
    }

    private EngineOutput Run(StageContext<MeasureSettings> context, EngineCall call, EngineCommand command, Action<string> printed)
    {
        using var log = new StreamWriter(Console.OpenStandardOutput(), new UTF8Encoding(false)) { AutoFlush = true };
        var json = new StringBuilder();
        var last = new Queue<string>();
        using var program = new UserProgram([.. _command, .. command.Words], call.Folder, call.OnGpu ? Offline : OnProcessor);
        int exit = program.Serve(
            line =>
            {
                log.WriteLine(line);
                printed(line);
                if (line.StartsWith('{'))
                {
                    json.Append(line).Append('\n');
                }

                last.Enqueue(line);
                if (last.Count > LinesSearched)
                {
                    last.Dequeue();
                }

                context.Progress(call.Round, EngineRounds.Rounds, "starts"); // Any line is a sign of life.
            },
            Grace, context.Stop);
        context.Stop.ThrowIfCancellationRequested();

        string lastLines = last.Count == 0 ? " It printed nothing." : $" Its last lines:\n{string.Join('\n', last.TakeLast(LinesShown))}";
        bool result = command.Result is null ? json.Length > 0 : File.Exists(command.Result);
        if ((exit != 0 || !result) && (exit == 128 + 9 || last.Any(l => WantOfMemory().IsMatch(l))))
        {
            throw new StageFailedException(
                "SCAL8614",
                $"{context.Point}: {call.Shape.ParametersTotal} parameters with {call.Workload.Batch} sequences of {call.Context} tokens are more than the memory that '{Benchmark.Word}' found.{lastLines}",
                "Lower 'batch' or the lengths, take a larger device, or leave the shape out.");
        }

        if (exit != 0 && last.Any(l => l.Contains("No module named", StringComparison.Ordinal)))
        {
            throw new StageFailedException(
                "SCAL8612", $"'{_command[0]}' has no such module as '{Benchmark.Word}', or one that it needs is missing.{lastLines}",
                $"Install the engine for it, or write 'command' with the interpreter that has it: [/path/to/{Path.GetFileName(_command[0])}{string.Concat(_command.Skip(1).Select(w => $", {w}"))}].");
        }

        return exit == 0 && result
            ? new EngineOutput(command.Result ?? $"what {Benchmark.Word} printed", command.Result is null ? json.ToString() : File.ReadAllText(command.Result))
            : throw new StageFailedException(
                "SCAL8613", $"{context.Point}: '{Benchmark.Word}' {(exit > 128 ? $"was ended by signal {exit - 128}" : exit != 0 ? $"ended with exit code {exit}" : "ended without a result")}.{lastLines}",
                $"The log has all that it printed.{(call.OnGpu ? "" : " 'device' is cpu, so it saw no GPU.")} It was called as: {string.Join(' ', [.. _command, .. command.Words])}");
    }

    private static void Empty(string folder)
    {
        if (Directory.Exists(folder))
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>
    /// PyTorch's, CUDA's and C++'s own words; vLLM's where the cache has no room (v1/core/kv_cache_utils.py), SGLang's (bench_one_batch.py skips the batch and ends well, model_runner.py), and llama.cpp's
    /// (ggml's allocators).
    /// </summary>
    [GeneratedRegex(
        @"out of memory|OutOfMemoryError|std::bad_alloc|cudaMalloc failed|failed to allocate|unable to allocate|No available memory for the cache blocks|larger than the available KV cache memory"
        + @"|due to max batch size limit|Not enough memory", RegexOptions.IgnoreCase)]
    private static partial Regex WantOfMemory();
}

// A row trained by a program of the user: TRAINER.md is the contract.
using System.Text;
using System.Text.Json;
using Scaling.Sdk;
using Scaling.Torch;

namespace Scaling.Stages.Train;

/// <summary>Calls the program of <c>trainer:</c> for one row and makes its points the row's runs.</summary>
internal sealed class ExternalTrainer(StageContext<TrainSettings> context, TrainingPlan plan)
{
    private const int LinesShown = 12;

    /// <summary>What a run's tokens may miss of what was asked; schedules end on whole steps of the program's own.</summary>
    private const double Miss = 0.01;

    /// <summary>How long a program has for its checkpoint after SIGTERM.</summary>
    private static readonly TimeSpan Grace = TimeSpan.FromMinutes(1);

    private readonly CorpusFacts _corpus = PreparedCorpus.ReadFacts(context);
    private readonly Queue<string> _last = new();

    /// <summary>Trains, and writes the row's outputs.</summary>
    /// <exception cref="StageFailedException">SCAL8501 to 8505: the program cannot be started, failed, or wrote what is no result.</exception>
    public void Run()
    {
        var paths = LayOut();
        var command = TrainerCommand.Of(context.Settings.Trainer!, paths);
        long start = context.Time.GetTimestamp();
        int exit = Call(command, paths);
        double seconds = context.Time.GetElapsedTime(start).TotalSeconds;
        context.Stop.ThrowIfCancellationRequested(); // What it wrote on its way out is not known to be whole; it is called again and goes on.

        var result = new TrainerResult(paths.Result, plan.GreatestLoss);
        var points = Points(result, exit);
        if (exit != 0 && !points.Any(p => p.Diverged))
        {
            throw Failed(exit);
        }

        if (result.Unknown.Any())
        {
            context.Warn("SCAL8506", $"{context.Point}: the trainer's result has fields that are not known and were left out: {string.Join(", ", result.Unknown)}.", "TRAINER.md lists those that are read.");
        }

        Write(points, seconds);
        File.Copy(paths.Config, context.Output("config.json"));
    }

    private string CallFolder => Path.Combine(context.WorkFolder, "call");

    /// <summary>A folder for this call alone, and one that the program finds again.</summary>
    private TrainerPaths LayOut()
    {
        if (Directory.Exists(CallFolder))
        {
            Directory.Delete(CallFolder, recursive: true);
        }

        Directory.CreateDirectory(CallFolder);
        var paths = new TrainerPaths(
            Path.Combine(CallFolder, "config.json"), Path.Combine(CallFolder, "request.json"), Path.Combine(CallFolder, "result.jsonl"),
            Directory.CreateDirectory(Path.Combine(context.WorkFolder, "work")).FullName);
        RunConfig.Write(context, plan.Shape, paths.Config);
        TrainerRequest.Write(context, plan, _corpus, paths);
        return paths;
    }

    /// <summary>Runs the program; what it prints goes to the log of the action.</summary>
    private int Call(IReadOnlyList<string> command, TrainerPaths paths)
    {
        // Opened anew for each action: the console's own writers keep the descriptor that they saw first.
        using var output = new StreamWriter(Console.OpenStandardOutput(), new UTF8Encoding(false)) { AutoFlush = true };
        var told = (Done: 0.0, News: (string?)null);
        using var process = new UserProgram(command, CallFolder, new Dictionary<string, string>
        {
            ["SCALING_CONFIG"] = paths.Config, ["SCALING_REQUEST"] = paths.Request, ["SCALING_RESULT"] = paths.Result, ["SCALING_WORK"] = paths.Work,
        });
        return process.Serve(
            line =>
            {
                output.WriteLine(line);
                if (Progress(line) is { } progress)
                {
                    told = progress;
                }
                else
                {
                    _last.Enqueue(line);
                    if (_last.Count > LinesShown)
                    {
                        _last.Dequeue();
                    }
                }

                context.Progress(told.Done, plan.Tokens, "tokens", told.News); // Any line is a sign of life.
            },
            Grace, context.Stop);
    }

    /// <summary>A line <c>{"progress": {"tokens": 1000, "loss": 3.2}}</c>; null for any other.</summary>
    private static (double Done, string? News)? Progress(string line)
    {
        if (!line.StartsWith("{\"progress\"", StringComparison.Ordinal))
        {
            return null;
        }

        try
        {
            using var document = JsonDocument.Parse(line);
            var progress = document.RootElement.GetProperty("progress");
            string? news = progress.TryGetProperty("loss", out var loss) && loss.ValueKind == JsonValueKind.Number ? $"{loss.GetDouble():0.000} nats a token" : null;
            return (progress.GetProperty("tokens").GetDouble(), news);
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            return null;
        }
    }

    /// <summary>The points; where the program failed, what it wrote may be cut off and counts only if it says that the run diverged.</summary>
    private static IReadOnlyList<TrainerPoint> Points(TrainerResult result, int exit)
    {
        try
        {
            return result.Read();
        }
        catch (StageFailedException) when (exit != 0)
        {
            return [];
        }
    }

    private StageFailedException Failed(int exit) => new(
        "SCAL8503", $"The trainer {(exit > 128 ? $"was ended by signal {exit - 128}" : $"ended with exit code {exit}")}.{(_last.Count == 0 ? " It printed nothing." : $" Its last lines:\n{string.Join('\n', _last)}")}",
        "The log has all it printed. Run again when it is mended: it finds its work folder as it left it.");

    /// <summary>A row for each point up to the first that tells of no loss; a run that diverged is a result too, so that it is not trained for ever.</summary>
    private void Write(IReadOnlyList<TrainerPoint> points, double seconds)
    {
        var diverged = points.FirstOrDefault(p => p.Diverged);
        TrainerPoint[] told = [.. diverged is null ? points : points.TakeWhile(p => !p.Diverged).Append(diverged)];
        var final = told[^1];
        Warn(final);
        RunOutputs.WriteRuns(context, told.Select(Cells));
        double took = final.Facts.TryGetValue("seconds", out object? said) ? (double)said : seconds;
        RunOutputs.WriteTimings(context, plan, final.Tokens, took, final.Facts.GetValueOrDefault("peak_memory_bytes"), gpu: null);
    }

    private void Warn(TrainerPoint final)
    {
        if (final.Diverged)
        {
            RunOutputs.WarnOfDivergence(context, plan, Step(final), final.Loss);
        }
        else if (!IsAt(final, plan.Steps) || !final.Annealed)
        {
            context.Warn(
                "SCAL8507", $"{context.Point}: the trainer's last point has {final.Tokens} of the {plan.Tokens} tokens asked for{(final.Annealed ? "" : ", and its schedule had not ended")}.",
                "Points whose schedule had ended are fitted with the tokens that they tell; others are not.");
        }
    }

    private bool IsAt(TrainerPoint point, long step) => Math.Abs((double)point.Tokens / plan.TokensAt(step) - 1) <= Miss;

    /// <summary>Tokens a parameter: as asked where the point is one that was, else its share of the budget.</summary>
    private double Budget(TrainerPoint point)
    {
        var asked = TrainStage.Shares(context.Settings, plan.Steps).Where(s => IsAt(point, s.Key)).Select(s => (double?)s.Value).LastOrDefault();
        return TrainStage.TokensPerParameter(context) * (asked ?? (double)point.Tokens / plan.Tokens);
    }

    private long Step(TrainerPoint point) =>
        point.Facts.TryGetValue("steps", out object? step) ? (long)step : Math.Max(1, point.Tokens / ((long)plan.Batch * plan.Context));

    /// <summary>A row of runs.csv: what the point says, else what was asked; what neither tells is empty.</summary>
    private Dictionary<string, object?> Cells(TrainerPoint point)
    {
        var cells = RunOutputs.AskedCells(context, plan);
        cells["tokens_per_parameter"] = Budget(point);
        cells["tokens"] = point.Tokens;
        cells["annealed"] = point.Annealed;
        cells["recipe"] = string.Join(' ', context.Settings.Trainer!.Command);
        cells["tokenizer"] = _corpus.Tokenizer;
        foreach (var (name, value) in point.Facts)
        {
            cells[name] = value;
        }

        cells["steps"] = Step(point);
        cells["loss"] = point.Diverged ? null : point.Loss;
        cells["diverged_at"] = point.Diverged ? Step(point) : null;
        return cells;
    }
}

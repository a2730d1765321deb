// Accuracy by others: the results_*.json of lm-evaluation-harness, each matched to the run whose model it judges.
using System.Text.Json;
using System.Text.RegularExpressions;
using Scaling.Sdk;

namespace Scaling.Stages.Export;

/// <summary>A task's accuracy in a file of results.</summary>
/// <param name="Task">As the harness calls it, for example <c>arc_easy</c>.</param>
/// <param name="Metric"><c>acc_norm</c> where the task has it, else <c>acc</c>.</param>
/// <param name="Accuracy">0 to 1.</param>
/// <param name="StandardError">Null where the harness could not tell it.</param>
internal sealed record TaskScore(string Task, string Metric, double Accuracy, double? StandardError);

/// <summary>
/// One file, as version 0.4 of https://github.com/EleutherAI/lm-evaluation-harness writes it: <c>results</c> holds an object a task with <c>metric,filter</c> and
/// <c>metric_stderr,filter</c>; <c>model_name</c> and <c>config.model_args</c> (text, or an object) hold the model's path.
/// </summary>
/// <param name="Path">The file.</param>
/// <param name="Model">Text in which the model's path stands.</param>
/// <param name="Scores">Of the tasks that have an accuracy. Tasks of a group that has one itself, such as the 57 of <c>mmlu</c>, are left out.</param>
internal sealed partial record LmEvalResults(string Path, string Model, IReadOnlyList<TaskScore> Scores)
{
    /// <summary>Accuracies of the runs that the files judge; warns of files that say nothing of any.</summary>
    /// <exception cref="StageFailedException">SCAL7505: a file is no such results; SCAL7507: there are no runs to match.</exception>
    public static IReadOnlyList<RunAccuracy> Match(StageContext<ExportSettings> context, IReadOnlyList<StudyRun> runs)
    {
        if (context.Settings.LmEval is not { } files)
        {
            return [];
        }

        if (runs.Count == 0)
        {
            throw new StageFailedException("SCAL7507", "'lm_eval' names results, and there are no runs that they could be of.", "Name the stage 'train' under 'needs'.");
        }

        var found = new List<RunAccuracy>();
        foreach (var results in ReadAll(files.Paths))
        {
            void Warn(string message, string hint) => context.Warn("SCAL7506", $"{results.Path}: {message}", hint);
            var named = results.Named(runs);
            if (results.Scores.Count == 0)
            {
                Warn("none of its tasks has an accuracy (acc_norm or acc).", "Leave it out of 'lm_eval', or evaluate a multiple-choice task.");
            }
            else if (named.Count != 1)
            {
                Warn(
                    named.Count == 0
                        ? $"its model ({results.Model}) has the shape of no run in its path; it is not used."
                        : $"its model ({results.Model}) may be any of {named.Count} runs, {string.Join(", ", named.Select(r => r.Name).Take(5))}{(named.Count > 5 ? ", …" : "")}; it is not used.",
                    "Evaluate the weights where 'train' left them, in a folder SHAPE.SEED.TOKENS_PER_PARAMETER.");
            }
            else
            {
                int repeated = found.RemoveAll(f => f.Run == named[0] && results.Scores.Any(s => s.Task == f.Task));
                if (repeated > 0)
                {
                    Warn($"it judges {named[0].Name} again; of two files the one whose path comes later in the alphabet counts.", "Keep one file of a model and a task.");
                }

                found.AddRange(results.Scores.Select(s => new RunAccuracy(s.Task, s.Metric, named[0], s.Accuracy, s.StandardError)));
            }
        }

        return found;
    }

    private static List<LmEvalResults> ReadAll(IReadOnlyList<string> paths)
    {
        var read = new List<LmEvalResults>();
        var wrong = new List<Diagnostic>();
        foreach (string path in paths)
        {
            try
            {
                read.Add(Read(path));
            }
            catch (Exception e) when (e is JsonException or FormatException)
            {
                wrong.Add(new Diagnostic("SCAL7505", $"This is no results file of lm-evaluation-harness: {e.Message}")
                {
                    Location = new SourceLocation(path),
                    Hint = "Expected a results_*.json as 'lm_eval --output_path' writes it (version 0.4). Name such files alone under 'lm_eval'.",
                });
            }
        }

        return wrong.Count == 0 ? read : throw new StageFailedException(wrong);
    }

    private static LmEvalResults Read(string path)
    {
        using var document = JsonDocument.Parse(File.ReadAllText(path));
        var root = document.RootElement;
        if (!Has(root, "results", JsonValueKind.Object, out var tasks))
        {
            throw new FormatException("it has no object 'results'.");
        }

        var model = new List<string>();
        if (Has(root, "model_name", JsonValueKind.String, out var name))
        {
            model.Add(name.GetString()!);
        }

        if (Has(root, "config", JsonValueKind.Object, out var config) && config.TryGetProperty("model_args", out var arguments))
        {
            model.Add(arguments.ValueKind == JsonValueKind.String ? arguments.GetString()! : arguments.GetRawText());
        }

        if (model.Count == 0)
        {
            throw new FormatException("it has neither 'model_name' nor 'config.model_args', so that nobody knows whose results it holds.");
        }

        var scores = tasks.EnumerateObject().Select(ScoreOf).OfType<TaskScore>().ToList();
        var parts = PartsOf(root, scores);
        return new LmEvalResults(path, string.Join(", ", model), [.. scores.Where(s => !parts.Contains(s.Task))]);
    }

    private static TaskScore? ScoreOf(JsonProperty task)
    {
        if (task.Value.ValueKind != JsonValueKind.Object)
        {
            throw new FormatException($"'results.{task.Name}' is no object.");
        }

        foreach (string metric in (string[])["acc_norm", "acc"])
        {
            if (task.Value.TryGetProperty($"{metric},none", out var accuracy))
            {
                return accuracy.ValueKind == JsonValueKind.Number && accuracy.GetDouble() is >= 0 and <= 1 and var share
                    ? new TaskScore(task.Name, metric, share, Has(task.Value, $"{metric}_stderr,none", JsonValueKind.Number, out var error) ? error.GetDouble() : null)
                    : throw new FormatException($"'{metric},none' of '{task.Name}' is {accuracy.GetRawText()} where a number from 0 to 1 was expected.");
            }
        }

        return null;
    }

    /// <summary>Tasks that a group with an accuracy of its own has counted already: <c>group_subtasks</c> has an empty list for what is no group.</summary>
    private static HashSet<string> PartsOf(JsonElement root, List<TaskScore> scores) =>
        Has(root, "group_subtasks", JsonValueKind.Object, out var groups)
            ? [.. groups.EnumerateObject()
                .Where(g => g.Value.ValueKind == JsonValueKind.Array && scores.Exists(s => s.Task == g.Name))
                .SelectMany(g => g.Value.EnumerateArray()).Select(p => p.ToString())]
            : [];

    private static bool Has(JsonElement element, string name, JsonValueKind kind, out JsonElement value)
    {
        value = default;
        return element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out value) && value.ValueKind == kind;
    }

    /// <summary>
    /// The models that the path can mean, by the most telling name in it: the training run's, else shape and seed, else the shape alone. Of a run's points it is
    /// the last, whose weights were kept.
    /// </summary>
    private List<StudyRun> Named(IReadOnlyList<StudyRun> runs)
    {
        var models = runs.Where(r => r.Name is not null).GroupBy(r => r.Name).Select(points => points.MaxBy(r => r.Tokens)!).ToList();
        string[] words = [.. Word().Matches(Model).Select(m => m.Value)];
        foreach (var name in (Func<StudyRun, string>[])[run => run.Name!, run => $"{run.Shape}.{run.Seed}", run => run.Shape!])
        {
            var named = models.Where(run => words.Contains(name(run))).ToList();
            if (named.Count > 0)
            {
                return named;
            }
        }

        return [];
    }

    /// <summary>What a run is called or a part of it: 8 hex digits, then parts behind dots.</summary>
    [GeneratedRegex(@"(?<![0-9A-Za-z])[0-9a-f]{8}(?:\.\d+(?:\.learning_rate_factor_[0-9.eE+-]*[0-9])?(?:\.tokens_share_[0-9.eE+-]*[0-9])?(?:\.[0-9.eE+-]*[0-9])?)?(?![0-9A-Za-z])")]
    private static partial Regex Word();
}

// What a study has found so far: the tables that `export` was given, read.
using System.Security.Cryptography;
using System.Text.Json;
using Scaling.Architectures;
using Scaling.Laws;
using Scaling.Reports;
using Scaling.Sdk;

namespace Scaling.Stages.Export;

/// <summary>A training run as the report needs it.</summary>
/// <param name="Parameters">N, non-embedding.</param>
/// <param name="Tokens">D.</param>
/// <param name="Budget">D/N as asked, tokens a parameter.</param>
/// <param name="X">d/√N; null where the table does not say.</param>
/// <param name="Ratio">MLP to attention; null where the table does not say.</param>
/// <param name="Loss">Held out, nats a token.</param>
internal sealed record StudyRun(double Parameters, double Tokens, double Budget, double? X, double? Ratio, double Loss)
{
    /// <summary>Class of the size, from 0 for the smallest.</summary>
    public int Size { get; init; }

    /// <summary>Of the table, from 1.</summary>
    public int Row { get; init; }

    /// <summary>What tells it from others in a figure: its shape, or the table's row where that names none.</summary>
    public string Label => Shape is { Length: > 0 } shape ? shape : $"row {Row}";

    /// <summary>The training run's, by which its weights lie; null where the table does not say.</summary>
    public string? Name { get; init; }

    /// <summary>Content id; null where the table does not say.</summary>
    public string? Shape { get; init; }

    /// <summary>Of the initialisation; null where the table does not say.</summary>
    public string? Seed { get; init; }

    /// <summary>Whether its shape is one that the others are held against.</summary>
    public bool Baseline { get; init; }

    /// <summary>The baseline's loss as its user knows it; null where unknown.</summary>
    public double? KnownLoss { get; init; }
}

/// <summary>The share of a task's questions that a run's model answers rightly.</summary>
/// <param name="Task">Its name.</param>
/// <param name="Metric">How a choice is taken: <c>acc_norm</c> or <c>acc</c> of lm-evaluation-harness, or <c>accuracy</c> of <c>runs.csv</c>.</param>
/// <param name="Run">Whose model.</param>
/// <param name="Accuracy">0 to 1.</param>
/// <param name="StandardError">Over the questions; null where it is not known.</param>
internal sealed record RunAccuracy(string Task, string Metric, StudyRun Run, double Accuracy, double? StandardError);

/// <summary>An input with what proves its content.</summary>
/// <param name="File">Its name.</param>
/// <param name="Stage">Type of the stage that writes it.</param>
/// <param name="Rows">Of a table, or how many files; null for an object.</param>
/// <param name="Digest">First 16 hex digits of its SHA-256; of several files, of their digests' one after the other.</param>
internal sealed record StudySource(string File, string Stage, int? Rows, string Digest);

/// <summary>Everything that the report and the figures are made of. Absent: null, or empty where it is a list.</summary>
internal sealed record Study
{
    /// <summary>What the search found; null where none was asked, and then <see cref="Law"/> is there.</summary>
    public SearchResult? Best { get; init; }

    /// <summary>The action's key; empty where nobody says.</summary>
    public string Key { get; init; } = "";

    public LawDocument? Law { get; init; }

    public ScoresDocument? Scores { get; init; }

    public Table? Runs { get; init; }

    public Table? Residuals { get; init; }

    public Table? Predictions { get; init; }

    public Table? Speed { get; init; }

    public Table? Candidates { get; init; }

    public Table? Front { get; init; }

    /// <summary>What the search picks with other multiples.</summary>
    public Table? Sensitivity { get; init; }

    /// <summary>Shapes of known loss, scored by the search's law and device.</summary>
    public Table? References { get; init; }

    /// <summary>Other searches, to be set beside <see cref="Best"/>.</summary>
    public IReadOnlyList<SearchResult> Compared { get; init; } = [];

    /// <summary>What a design knew before each of its rounds; read by <see cref="ChosenRuns"/>, as the next two.</summary>
    public Table? Rounds { get; init; }

    /// <summary>What more runs of it are worth.</summary>
    public Table? Forecast { get; init; }

    /// <summary>The runs that it chose.</summary>
    public Table? Design { get; init; }

    /// <summary>The learning curve of each training run, by its name.</summary>
    public IReadOnlyDictionary<string, string> Curves { get; init; } = new Dictionary<string, string>();

    /// <summary><see cref="Runs"/>, or where they were not given the runs that the law was fitted to; by rising size, budget and loss.</summary>
    public IReadOnlyList<StudyRun> RunList { get; init; } = [];

    /// <summary>Of the runs' own questions, then of lm-evaluation-harness's tasks.</summary>
    public IReadOnlyList<RunAccuracy> Accuracies { get; init; } = [];

    public required IReadOnlyList<StudySource> Sources { get; init; }

    public static Study Read(StageContext<ExportSettings> context)
    {
        if (context.Inputs("best").Count + context.Inputs("law").Count == 0)
        {
            throw new StageFailedException(
                "SCAL7510", "There is nothing to report on: neither a search's result nor a law was given. Expected 'best' or 'law'.", "Name a stage of type 'search' or 'fit' under 'needs'.");
        }

        var (runs, residuals) = (TableOf(context, "runs"), TableOf(context, "residuals"));
        var (list, accuracies) = runs is not null ? RunsOf(runs) : residuals is not null ? (FittedRuns(residuals), []) : ([], []);
        return new Study
        {
            Best = Document(context, "best", SearchResult.Read),
            Key = context.Key,
            Law = Document(context, "law", LawDocument.Read),
            Scores = Document(context, "scores", ScoresDocument.Read),
            Runs = runs,
            Residuals = residuals,
            Predictions = TableOf(context, "predictions"),
            Speed = TableOf(context, "speed"),
            Candidates = TableOf(context, "candidates"),
            Front = TableOf(context, "front"),
            Sensitivity = TableOf(context, "sensitivity"),
            References = TableOf(context, "scored_references"),
            Rounds = TableOf(context, "rounds"),
            Forecast = TableOf(context, "forecast"),
            Design = TableOf(context, "design"),
            Compared = [.. context.Inputs(ExportTables.Compared).Select(i => Document(i.Path, "best", SearchResult.Read))],
            Curves = context.Inputs(ExportTables.Curves).Where(i => i.Point is not null).ToDictionary(i => i.Point!, i => i.Path),
            RunList = list,
            Accuracies = [.. accuracies, .. LmEvalResults.Match(context, runs is null ? [] : list)],
            Sources = [.. ExportTables.Sources.Where(s => context.Inputs(s.Role).Count > 0).Select(s => Source(context.Input(s.Role), s.File, s.Stage)), .. context.Inputs(ExportTables.Compared).Select(i => Source(i.Path, "best.json", "search")), .. Harness(context.Settings.LmEval)],
        };
    }

    /// <summary>One of the search's two shapes.</summary>
    /// <param name="name">Of <see cref="ExportTables.Picks"/>.</param>
    /// <exception cref="InvalidOperationException">There was no search.</exception>
    public ScoredShape Pick(string name) =>
        Best is not { } best ? throw new InvalidOperationException("a study without a search has no picks") : name == "accurate" ? best.Accurate : best.Efficient;

    /// <summary>Parameters of each size class in words, for example <c>16.4k</c>: the geometric mean of its runs.</summary>
    public IReadOnlyList<string> SizeNames() =>
        [.. RunList.GroupBy(r => r.Size).OrderBy(g => g.Key).Select(g => Quantity.Count(SizeClasses.GeometricMean(g.Select(r => r.Parameters))))];

    /// <summary>The budgets of the runs, rising, tokens a parameter.</summary>
    public IReadOnlyList<double> Budgets() => [.. RunList.Select(r => r.Budget).Distinct().Order()];

    /// <summary>The runs, and their accuracies where the table has any.</summary>
    private static (IReadOnlyList<StudyRun> Runs, IReadOnlyList<RunAccuracy> Accuracies) RunsOf(Table table)
    {
        var read = RunTable.Read(table.Columns, table.Rows, new RunColumns());
        if (read.Findings.Count > 0)
        {
            throw new StageFailedException([.. read.Findings.Select(f => new Diagnostic(f.Code, f.Message) { Hint = "Give it the runs of a 'train' stage." })]);
        }

        int[] sizes = SizeClasses.Of([.. read.Runs.Select(r => r.Parameters)]);
        var runs = read.Runs.Zip(sizes, (run, size) => (Run: RunOf(run, table, table[run.Row - 1]) with { Size = size }, Row: table[run.Row - 1]))
            .OrderBy(r => r.Run.Size).ThenBy(r => r.Run.Budget).ThenBy(r => r.Run.Loss).ToList();
        if (!table.Has("tokens_per_parameter"))
        {
            var budgets = Budgeted([.. runs.Select(r => r.Run)]);
            runs = [.. budgets.Zip(runs, (run, r) => (run, r.Row)).OrderBy(r => r.run.Size).ThenBy(r => r.run.Budget).ThenBy(r => r.run.Loss)];
        }

        return ([.. runs.Select(r => r.Run)], [.. runs.Where(r => table.Has("accuracy") && r.Row.Text("accuracy").Length > 0).Select(r => AccuracyOf(r.Run, table, r.Row))]);
    }

    /// <summary>The rows of residuals.csv, of a study whose runs' own table was not given.</summary>
    private static IReadOnlyList<StudyRun> FittedRuns(Table residuals)
    {
        double? At(Row row, string column) => residuals.Has(column) ? RowText.Optional(row, column) : null;
        int[] sizes = SizeClasses.Of([.. residuals.Each().Select(r => r.Number("parameters"))]);
        var runs = residuals.Each().Select((row, i) => new StudyRun(
                row.Number("parameters"), row.Number("tokens"), row.Number("tokens") / row.Number("parameters"), At(row, "x"), At(row, "ratio"), row.Number("loss"))
            {
                Size = sizes[i],
                Row = (int)row.Number("row"),
                Shape = residuals.Has("shape") ? row.Text("shape") : null,
                Seed = residuals.Has("seed") ? row.Text("seed") : null,
            });
        return [.. Budgeted([.. runs]).OrderBy(r => r.Size).ThenBy(r => r.Budget).ThenBy(r => r.Loss)];
    }

    /// <summary>Runs whose table does not say what budget was asked for: those of alike tokens a parameter have one, their mean to three digits.</summary>
    private static IReadOnlyList<StudyRun> Budgeted(IReadOnlyList<StudyRun> runs)
    {
        int[] classes = SizeClasses.Of([.. runs.Select(r => r.Tokens / r.Parameters)]);
        var means = runs.Zip(classes).GroupBy(r => r.Second).ToDictionary(g => g.Key, g => Quantity.Rounded(SizeClasses.GeometricMean(g.Select(r => r.First.Tokens / r.First.Parameters)), 3));
        return [.. runs.Zip(classes, (run, budget) => run with { Budget = means[budget] })];
    }

    private static StudyRun RunOf(TrainingRun run, Table table, Row row)
    {
        double budget = table.Has("tokens_per_parameter") ? row.Number("tokens_per_parameter") : run.Tokens / run.Parameters;
        string? shape = table.Has("shape") ? row.Text("shape") : null;
        string? seed = table.Has("seed") ? row.Text("seed") : null;
        return new StudyRun(run.Parameters, run.Tokens, budget, run.X, run.Ratio, run.Loss)
        {
            Row = run.Row,
            Shape = shape,
            Baseline = run.Baseline,
            KnownLoss = table.Has("baseline_loss") && row.Text("baseline_loss").Length > 0 ? row.Number("baseline_loss") : null,
            Seed = seed,
            Name = table.Has("training_run") ? row.Text("training_run") : shape is null || seed is null ? null : $"{shape}.{seed}.{Table.Cell(budget)}",
        };
    }

    private static RunAccuracy AccuracyOf(StudyRun run, Table table, Row row) => new(
        "multiple_choice", "accuracy", run, row.Number("accuracy"),
        table.Has("accuracy_standard_error") && row.Text("accuracy_standard_error").Length > 0 ? row.Number("accuracy_standard_error") : null);

    private static Table? TableOf(StageContext<ExportSettings> context, string role) =>
        context.Inputs(role).Count == 0 ? null : context.InputTable(role);

    private static T? Document<T>(StageContext<ExportSettings> context, string role, Func<string, T?> read)
        where T : class => context.Inputs(role).Count == 0 ? null : Document(context.Input(role), role, read);

    /// <param name="path">Where it lies.</param>
    /// <param name="kind">Of <see cref="ExportTables.Sources"/>, where roles are named as kinds.</param>
    /// <param name="read">Reads it.</param>
    private static T Document<T>(string path, string kind, Func<string, T?> read)
        where T : class
    {
        try
        {
            return read(path) ?? throw new FormatException("it is null");
        }
        catch (Exception e) when (e is JsonException or FormatException or InvalidOperationException)
        {
            var (_, stage, file) = ExportTables.Sources.First(s => s.Role == kind);
            throw new StageFailedException(
                "SCAL7504", $"The file of the role '{kind}' is no {file}: {e.Message}", $"Expected what the stage '{stage}' writes. Name that stage under 'needs'.");
        }
    }

    private static StudySource Source(string path, string file, string stage) => new(
        file, stage, file.EndsWith(".csv", StringComparison.Ordinal) ? Table.Read(path).Rows.Count : null,
        Digest(File.ReadAllBytes(path)));

    private static IEnumerable<StudySource> Harness(FileSet? files) => files is null
        ? []
        : [new StudySource("results_*.json", "lm-evaluation-harness", files.Paths.Count, Digest([.. files.Paths.SelectMany(p => SHA256.HashData(File.ReadAllBytes(p)))]))];

    private static string Digest(byte[] content) => Convert.ToHexStringLower(SHA256.HashData(content))[..16];
}

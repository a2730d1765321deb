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

    /// <summary>Content id of the shape of a baseline; null for any other.</summary>
    public string? Baseline { get; init; }

    /// <summary>The baseline's loss as its user knows it; null where unknown.</summary>
    public double? KnownLoss { get; init; }
}

/// <summary>An input with what proves its content.</summary>
/// <param name="File">Its name.</param>
/// <param name="Stage">Type of the stage that writes it.</param>
/// <param name="Rows">Of a table; null for an object.</param>
/// <param name="Digest">First 16 hex digits of its SHA-256.</param>
internal sealed record StudySource(string File, string Stage, int? Rows, string Digest);

/// <summary>Everything that the report and the figures are made of. Absent: null, or empty where it is a list.</summary>
internal sealed record Study
{
    public required SearchResult Best { get; init; }

    public LawDocument? Law { get; init; }

    public ScoresDocument? Scores { get; init; }

    public Table? Runs { get; init; }

    public Table? Residuals { get; init; }

    public Table? Predictions { get; init; }

    public Table? Speed { get; init; }

    public Table? Candidates { get; init; }

    public Table? Front { get; init; }

    /// <summary><see cref="Runs"/>, by rising size, budget and loss.</summary>
    public IReadOnlyList<StudyRun> RunList { get; init; } = [];

    public required IReadOnlyList<StudySource> Sources { get; init; }

    public static Study Read(StageContext<ExportSettings> context)
    {
        var runs = TableOf(context, "runs");
        return new Study
        {
            Best = Document(context, "best", SearchResult.Read)!,
            Law = Document(context, "law", LawDocument.Read),
            Scores = Document(context, "scores", ScoresDocument.Read),
            Runs = runs,
            Residuals = TableOf(context, "residuals"),
            Predictions = TableOf(context, "predictions"),
            Speed = TableOf(context, "speed"),
            Candidates = TableOf(context, "candidates"),
            Front = TableOf(context, "front"),
            RunList = runs is null ? [] : RunsOf(runs),
            Sources = [.. ExportTables.Sources.Where(s => context.Inputs(s.Role).Count > 0).Select(s => Source(context.Input(s.Role), s.File, s.Stage))],
        };
    }

    /// <summary>Parameters of each size class in words, for example <c>16.4k</c>: the geometric mean of its runs.</summary>
    public IReadOnlyList<string> SizeNames() =>
        [.. RunList.GroupBy(r => r.Size).OrderBy(g => g.Key).Select(g => Quantity.Count(SizeClasses.GeometricMean(g.Select(r => r.Parameters))))];

    /// <summary>The budgets of the runs, rising, tokens a parameter.</summary>
    public IReadOnlyList<double> Budgets() => [.. RunList.Select(r => r.Budget).Distinct().Order()];

    private static List<StudyRun> RunsOf(Table table)
    {
        var read = RunTable.Read(table.Columns, table.Rows, new RunColumns());
        if (read.Findings.Count > 0)
        {
            throw new StageFailedException([.. read.Findings.Select(f => new Diagnostic(f.Code, f.Message) { Hint = "Give it the runs of a 'train' stage." })]);
        }

        var runs = read.Runs.Select(run =>
        {
            var row = table[run.Row - 1];
            double budget = table.Has("tokens_per_parameter") ? row.Number("tokens_per_parameter") : Math.Round(run.Tokens / run.Parameters);
            return new StudyRun(run.Parameters, run.Tokens, budget, run.X, run.Ratio, run.Loss)
            {
                Baseline = run.Baseline ? run.Shape : null,
                KnownLoss = table.Has("baseline_loss") && row.Text("baseline_loss").Length > 0 ? row.Number("baseline_loss") : null,
            };
        }).ToList();
        int[] sizes = SizeClasses.Of([.. runs.Select(r => r.Parameters)]);
        return [.. runs.Select((run, i) => run with { Size = sizes[i] }).OrderBy(r => r.Size).ThenBy(r => r.Budget).ThenBy(r => r.Loss)];
    }

    private static Table? TableOf(StageContext<ExportSettings> context, string role) =>
        context.Inputs(role).Count == 0 ? null : context.InputTable(role);

    private static T? Document<T>(StageContext<ExportSettings> context, string role, Func<string, T?> read)
        where T : class
    {
        if (context.Inputs(role).Count == 0)
        {
            return null;
        }

        try
        {
            return read(context.Input(role)) ?? throw new FormatException("it is null");
        }
        catch (Exception e) when (e is JsonException or FormatException or InvalidOperationException)
        {
            var (_, stage, file) = ExportTables.Sources.First(s => s.Role == role);
            throw new StageFailedException(
                "SCAL7504", $"The file of the role '{role}' is no {file}: {e.Message}", $"Expected what the stage '{stage}' writes. Name that stage under 'needs'.");
        }
    }

    private static StudySource Source(string path, string file, string stage) => new(
        file, stage, file.EndsWith(".csv", StringComparison.Ordinal) ? Table.Read(path).Rows.Count : null,
        Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(path)))[..16]);
}

// What a table of runs calls its columns, and how it is to be read.
namespace Scaling.Laws;

/// <summary>
/// What a table calls its columns; null: the study's own word, <c>tasks/TABLES.md</c>, if the table has a column so called. A text that is a column's
/// name is that column; another is a formula over columns (<c>step * batch</c>), see <see cref="ExpressionParser"/>. Texts, not numbers:
/// <see cref="Shape"/>, <see cref="Run"/> and <see cref="Group"/>, which are names of columns and no formulas.
/// </summary>
public sealed record RunColumns
{
    /// <summary>N by <see cref="RunReading.Counting"/>. Must be there or follow from others.</summary>
    public string? Parameters { get; init; }

    /// <summary>All parameters, embeddings and norms included.</summary>
    public string? ParametersTotal { get; init; }

    /// <summary>D. Must be there.</summary>
    public string? Tokens { get; init; }

    /// <summary>L, nats a token. Must be there.</summary>
    public string? Loss { get; init; }

    /// <summary>d/√N.</summary>
    public string? X { get; init; }

    /// <summary>MLP parameters over attention parameters.</summary>
    public string? Ratio { get; init; }

    /// <summary>Query heads a key/value head.</summary>
    public string? Gqa { get; init; }

    /// <summary>Decoder blocks.</summary>
    public string? Layers { get; init; }

    /// <summary>d, features.</summary>
    public string? Hidden { get; init; }

    /// <summary>f, features.</summary>
    public string? Intermediate { get; init; }

    /// <summary>Query heads.</summary>
    public string? Heads { get; init; }

    /// <summary>Key/value heads.</summary>
    public string? KvHeads { get; init; }

    /// <summary>Features a head.</summary>
    public string? HeadSize { get; init; }

    /// <summary>Different tokens.</summary>
    public string? Vocabulary { get; init; }

    /// <summary>Whether the embeddings are one matrix: true, false, 1 or 0.</summary>
    public string? Tied { get; init; }

    /// <summary>What a row counts beside others. Null: 1.</summary>
    public string? Weight { get; init; }

    /// <summary>What names a row's shape in <c>residuals.csv</c>.</summary>
    public string? Shape { get; init; }

    /// <summary>Rows with the same text are points of one training run. Null: <c>training_run</c>; without such a column each row is a run.</summary>
    public string? Run { get; init; }

    /// <summary>Rows that differ in one of these columns had other hyper-parameters. Empty: all rows had the same.</summary>
    public IReadOnlyList<string> Group { get; init; } = [];
}

/// <summary>Which parameters N counts.</summary>
public enum ParameterCounting
{
    /// <summary>Those of the blocks' matrices.</summary>
    NonEmbedding,

    /// <summary>All, with embeddings and norms.</summary>
    Total,
}

/// <summary>How a table is to be read.</summary>
public sealed record RunReading
{
    /// <summary>What it calls its columns.</summary>
    public RunColumns Columns { get; init; } = new();

    /// <summary>Default: without embeddings.</summary>
    public ParameterCounting Counting { get; init; } = ParameterCounting.NonEmbedding;

    /// <summary>A comparison that a row must meet, for example <c>loss &lt; 10 and data == 'c4'</c>; null for all rows.</summary>
    public string? Where { get; init; }

    /// <summary>Covariates by name, each a column or a formula.</summary>
    public IReadOnlyDictionary<string, string> Covariates { get; init; } = new Dictionary<string, string>();
}

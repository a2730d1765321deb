// What the user's table calls its columns.
using System.ComponentModel;
using Scaling.Laws;

namespace Scaling.Stages.Fit;

/// <summary>What the user's table calls its columns; absent: the study's word of the same name, where the table has a column so called.</summary>
public sealed record ColumnNames
{
    [Description("Parameters N, counted as 'counting' says; without embeddings where 'parameters_total' is given too.")]
    public string? Parameters { get; init; }

    [Description("All parameters, embeddings and norms included.")]
    public string? ParametersTotal { get; init; }

    [Description("Tokens D trained on.")]
    public string? Tokens { get; init; }

    [Description("Held-out loss, nats a token.")]
    public string? Loss { get; init; }

    [Description("Hidden size over the square root of the non-embedding parameters.")]
    public string? X { get; init; }

    [Description("MLP parameters over attention parameters.")]
    public string? Ratio { get; init; }

    [Description("Query heads a key/value head; 1 for as many key/value heads as heads.")]
    public string? Gqa { get; init; }

    [Description("Decoder blocks.")]
    public string? Layers { get; init; }

    [Description("Width of the residual stream.")]
    public string? Hidden { get; init; }

    [Description("Width of a gated MLP of three matrices.")]
    public string? Intermediate { get; init; }

    [Description("Query heads.")]
    public string? Heads { get; init; }

    [Description("Key/value heads.")]
    public string? KvHeads { get; init; }

    [Description("Features a head.")]
    public string? HeadSize { get; init; }

    [Description("Different tokens.")]
    public string? Vocabulary { get; init; }

    [Description("Whether input and output embeddings are one matrix: true, false, 1 or 0.")]
    public string? Tied { get; init; }

    [Description("What a row counts beside the others, more than 0. Absent: 1.")]
    public string? Weight { get; init; }

    [Description("Column that names a row's shape in residuals.csv.")]
    public string? Shape { get; init; }

    [Description("Column that says which rows are checkpoints of one training run. Absent: every row is a run of its own.")]
    public string? Run { get; init; }

    [Description("Columns of hyper-parameters or data; rows that differ in one of them are of different groups.")]
    public IReadOnlyList<string> Group { get; init; } = [];

    /// <summary>The same in the words of who reads the table.</summary>
    internal RunColumns ToRead() => new()
    {
        Parameters = Parameters,
        ParametersTotal = ParametersTotal,
        Tokens = Tokens,
        Loss = Loss,
        X = X,
        Ratio = Ratio,
        Gqa = Gqa,
        Layers = Layers,
        Hidden = Hidden,
        Intermediate = Intermediate,
        Heads = Heads,
        KvHeads = KvHeads,
        HeadSize = HeadSize,
        Vocabulary = Vocabulary,
        Tied = Tied,
        Weight = Weight,
        Shape = Shape,
        Run = Run,
        Group = Group,
    };
}

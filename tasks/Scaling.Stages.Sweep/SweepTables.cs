// The columns of what `sweep` writes.
using Scaling.Architectures;
using Scaling.Sdk;

namespace Scaling.Stages.Sweep;

internal static class SweepTables
{
    public static readonly IReadOnlyList<Column> Shapes =
    [
        .. Vocabulary.ShapeTerms.Select(Documented), Documented(Vocabulary.Seed), Documented(Vocabulary.LearningRateFactor),
        new("size", "parameters", "non-embedding parameters that were asked for; a baseline's own where none of these is near"),
        Documented(Vocabulary.Baseline), Documented(Vocabulary.BaselineLoss),
    ];

    public static readonly IReadOnlyList<Column> Rejected =
    [
        new("size", "parameters", "non-embedding parameters that were asked for"),
        Documented(Vocabulary.Layers),
        new("x", "1", "hidden size over the square root of the parameters, as asked"),
        new("ratio", "1", "MLP parameters over attention parameters, as asked"),
        new("gqa", "1", "query heads a key/value head, as asked"),
        Documented(Vocabulary.HeadSize),
        new("parameters", "parameters", "what the nearest shape holds; empty where there is none"),
        new("reason", "text", "why no shape stands for it"),
    ];

    private static Column Documented(Term term) => new(term.Name, term.Unit, term.Meaning);
}

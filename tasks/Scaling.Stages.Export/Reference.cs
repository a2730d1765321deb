// Shapes of known loss beside what the law says of them: what was published (or measured elsewhere) and what is predicted, each against one of them.
using Scaling.Sdk;
using static Scaling.Stages.Export.RowText;

namespace Scaling.Stages.Export;

/// <summary>A row of the role <c>scored_references</c>.</summary>
/// <param name="Row">With the shape's columns.</param>
/// <param name="Name">As its user calls it.</param>
/// <param name="Against">The row that it is held against, perhaps itself.</param>
/// <param name="Known">Its known loss less that of <paramref name="Against"/>, nats a token; null where one of them is not known.</param>
/// <param name="Predicted">Its predicted loss less that of <paramref name="Against"/>, nats a token.</param>
internal sealed record Reference(Row Row, string Name, string Against, double? Known, double? Predicted)
{
    /// <summary>Whether it is its own yardstick, of which differences say nothing.</summary>
    public bool IsYardstick => Name == Against;

    /// <summary>How much better the law makes it than it is, nats a token; null where it is not known, and of a yardstick.</summary>
    public double? Optimism => IsYardstick ? null : Known - Predicted;

    /// <summary>All rows, in the table's order; empty without a table.</summary>
    public static IReadOnlyList<Reference> Of(Study study) =>
        [.. study.References?.Each().Select(row => new Reference(row, row.Text("name"), row.Text("against"), Optional(row, "measured_difference"), Optional(row, "predicted_difference"))) ?? []];
}

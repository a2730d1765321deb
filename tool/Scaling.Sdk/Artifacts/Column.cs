// A column of a table: its name, unit and meaning.
namespace Scaling.Sdk;

/// <summary>A documented column of a table artifact.</summary>
/// <param name="Name">Snake case, the study's one word for it, for example <c>kv_heads</c>.</param>
/// <param name="Unit">For example <c>tokens</c>; <c>1</c> for a pure number, <c>text</c> for text.</param>
/// <param name="Meaning">One sentence.</param>
public sealed record Column(string Name, string Unit, string Meaning);

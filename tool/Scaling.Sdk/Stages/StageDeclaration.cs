// What a stage says of itself, in code: inputs, outputs, fan-out, determinism. The engine plans from it without loading the stage.
using System.Text.Json.Serialization;

namespace Scaling.Sdk;

/// <summary>
/// The revision of this contract. It enters every key; it changes only by decision, when what a stage gets or how its output is read changes. What a stage may do beside its actions, such as
/// telling their price, changes neither and keeps the revision.
/// </summary>
public static class Contract
{
    /// <summary>The revision that this assembly implements: the major number of its assembly version.</summary>
    public const int Revision = 1;

    /// <summary>
    /// How often the contract of this revision has gained something that a stage may use and none has to know: the minor number of its assembly version. A tool serves a
    /// stage that was built against as many or fewer.
    /// </summary>
    public const int Additions = 0;
}

/// <summary>How many artifacts an input role takes.</summary>
public enum Cardinality
{
    /// <summary>Exactly one. The default.</summary>
    One,

    /// <summary>One or none.</summary>
    Optional,

    /// <summary>Any number, none included.</summary>
    Many,
}

/// <summary>Whether a stage gives the same bytes again.</summary>
public enum Determinism
{
    /// <summary>Same key, same machine kind: same bytes. The default.</summary>
    Exact,

    /// <summary>The same up to noise that its outputs state, as measured speed.</summary>
    Statistical,

    /// <summary>Nothing can be promised, as with a command of the user.</summary>
    Never,
}

/// <summary>What a stage needs from others: <c>needs: [a, b]</c> binds by <paramref name="Kind"/>, <c>needs: {role: a}</c> by name.</summary>
/// <param name="Name">Role, snake case. Of several roles of one kind, the one that is named as the kind is bound by kind, and the others by name alone.</param>
/// <param name="Kind">Kind of the artifact, as its producer declares it, for example <c>runs</c>.</param>
/// <param name="Cardinality">Default: exactly one.</param>
public sealed record InputRole(string Name, string Kind, Cardinality Cardinality = Cardinality.One)
{
    /// <summary>
    /// Takes what the round before gave. Absent in the first round. Bound by <c>feedback:</c>, never by <c>needs</c>: to the stages named there by kind, and for a kind that the stage writes itself and none of
    /// them gives, to its own output of the round before. Only an enumerating stage without fan-out has such roles, of <see cref="Cardinality.Optional"/> or <see cref="Cardinality.Many"/>. Default: no.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] // Descriptors of stages without stay as they are.
    public bool Feedback { get; init; }
}

/// <summary>A file that every action of a stage writes.</summary>
/// <param name="Name">
/// File name. Of a fanned-out stage the engine collects the rows of every <c>.csv</c> into one table of this name;
/// other files stay one a row, at <c>POINT/Name</c>.
/// </param>
/// <param name="Kind">What consumers bind to, for example <c>runs</c>.</param>
public sealed record OutputFile(string Name, string Kind)
{
    /// <summary>A table's columns; empty for what is no table.</summary>
    public IReadOnlyList<Column> Columns { get; init; } = [];

    /// <summary>Differs from run to run (seconds, rates, memory): it enters no key and nobody may need it.</summary>
    public bool Volatile { get; init; }

    /// <summary>The action may leave it out.</summary>
    public bool Optional { get; init; }
}

/// <summary>How the rows of a fanned-out stage are executed.</summary>
public enum FanOutMode
{
    /// <summary>One action a row, in any order and side by side.</summary>
    PerRow,

    /// <summary>All missing rows go to <see cref="Stage{TSettings}.RunBatch"/> together, which publishes one entry a row.</summary>
    Batch,
}

/// <summary>One action for each row of an input table.</summary>
/// <param name="Role">The input whose rows are taken; its kind is a table.</param>
/// <param name="Reads">The columns that an action sees. Only these enter its key, so a new column repeats no work; equal rows are one action.</param>
/// <param name="Point">
/// The columns, among <paramref name="Reads"/> and <see cref="Optional"/>, that name the row in messages and folders, joined by a dot; an optional one as <c>column_cell</c>.
/// </param>
public sealed record FanOut(string Role, IReadOnlyList<string> Reads, IReadOnlyList<string> Point)
{
    /// <summary>
    /// Columns beyond <see cref="Reads"/> that a table may lack, each with the cell that then stands for it. A cell that equals it enters neither the key nor the point, so a
    /// table that gains such a column repeats no work.
    /// </summary>
    public IReadOnlyDictionary<string, string> Optional { get; init; } = new Dictionary<string, string>();

    /// <summary>Default: one action a row.</summary>
    public FanOutMode Mode { get; init; } = FanOutMode.PerRow;

    /// <summary>
    /// A list setting whose elements multiply the rows: each action sees a list of one element, so a new element repeats no work.
    /// Snake case; null for none.
    /// </summary>
    public string? Across { get; init; }
}

/// <summary>An action that all rows of a stage share, such as tokenising a corpus. It runs before them, once.</summary>
/// <param name="Reads">The settings, snake case, that it depends on. Only these enter its key.</param>
/// <param name="Outputs">The files it writes; rows find them by <see cref="StageContext{TSettings}.Prepared"/>.</param>
public sealed record PrepareAction(IReadOnlyList<string> Reads, IReadOnlyList<string> Outputs);

/// <summary>Everything the engine knows of a stage.</summary>
public sealed partial record StageDeclaration
{
    /// <summary>What YAML says after <c>uses:</c>. Lower case, digits and dashes.</summary>
    public required string Type { get; init; }

    /// <summary>One sentence for help and the schema.</summary>
    public required string Summary { get; init; }

    /// <summary>
    /// How a pipeline has it, for its page and for editors: one stage in YAML, its id first, for example <c>shapes: { uses: sweep, with: { sizes: [8k, 16k], layers: 2 } }</c>.
    /// It enters no key. Default: empty, for none.
    /// </summary>
    public string Example { get; init; } = "";

    /// <summary>What it needs. Default: nothing.</summary>
    public IReadOnlyList<InputRole> Inputs { get; init; } = [];

    /// <summary>What it writes.</summary>
    public required IReadOnlyList<OutputFile> Outputs { get; init; }

    /// <summary>One action a row of an input; null for one action in all.</summary>
    public FanOut? FanOut { get; init; }

    /// <summary>An action that the rows share; null for none.</summary>
    public PrepareAction? Prepare { get; init; }

    /// <summary>Default: <see cref="Determinism.Exact"/>.</summary>
    public Determinism Determinism { get; init; } = Determinism.Exact;

    /// <summary>Has the machine for itself while it runs. Its key then holds the device class.</summary>
    public bool Exclusive { get; init; }

    /// <summary>Cheap and pure: executed while planning, so that the plan knows the rows it gives.</summary>
    public bool Enumerating { get; init; }

    /// <summary>Sees the pipeline's seed, which then enters its key.</summary>
    public bool UsesPipelineSeed { get; init; }

    /// <summary>The longest an action may go without reporting progress before it counts as hung. Default: ten minutes; <c>timeout:</c> in YAML overrides it.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromMinutes(10);
}

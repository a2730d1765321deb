// What the tool and a worker say to each other: one JSON object a line, over two pipes of their own.
using System.Text.Json.Nodes;
using Scaling.Engine.Keys;
using Scaling.Engine.Store;
using Scaling.Sdk;

namespace Scaling.Engine.Workers;

/// <summary>What kind of action it is.</summary>
public enum ActionKind
{
    /// <summary>The stage's work.</summary>
    Run,

    /// <summary>What the rows of a stage share.</summary>
    Prepare,
}

/// <summary>An input file as an action finds it.</summary>
/// <param name="Role">The role it is bound to.</param>
/// <param name="Name">Its file name, so that a stage and its messages see a familiar one.</param>
/// <param name="Point">The row it belongs to; null for none.</param>
/// <param name="Sha256">Its content.</param>
/// <param name="Path">Where it lies: a blob or a file of the user; null where it stands in <paramref name="Inline"/>.</param>
/// <param name="Inline">Its content where small.</param>
public sealed record ActionInput(string Role, string Name, string? Point, string Sha256, string? Path, byte[]? Inline)
{
    /// <summary>What a prepare action made, as the rows of its stage find it.</summary>
    /// <param name="store">Holds it.</param>
    /// <param name="manifest">Of the prepare action.</param>
    public static ActionInput[] Prepared(ContentStore store, Manifest manifest) =>
        [.. manifest.Files.Select(f => new ActionInput("prepared", f.Name, null, f.Sha256, store.ContentPath(f), f.Inline))];
}

/// <summary>A file of the user that a setting named: digested before, checked again after.</summary>
/// <param name="Path">Absolute.</param>
/// <param name="Sha256">As planned.</param>
public sealed record ReadFile(string Path, string Sha256);

/// <summary>Everything a worker needs to execute and publish one action; it plans nothing.</summary>
public sealed record ActionSpec
{
    /// <summary>See KEYS.md.</summary>
    public required string Key { get; init; }

    /// <summary>What the key is made of.</summary>
    public required IReadOnlyList<KeyEntry> Entries { get; init; }

    /// <summary>Run or prepare.</summary>
    public ActionKind Kind { get; init; }

    /// <summary>Path of the plugin's main assembly.</summary>
    public required string Assembly { get; init; }

    /// <summary>Stage type.</summary>
    public required string Stage { get; init; }

    /// <summary>Canonical settings; those that name files hold their paths.</summary>
    public required JsonObject Settings { get; init; }

    /// <summary>The row's cells; null without fan-out.</summary>
    public IReadOnlyDictionary<string, string>? Row { get; init; }

    /// <summary>The row's name; null without fan-out.</summary>
    public string? Point { get; init; }

    /// <summary>0 where the stage does not use it.</summary>
    public long PipelineSeed { get; init; }

    /// <summary>Bound inputs.</summary>
    public IReadOnlyList<ActionInput> Inputs { get; init; } = [];

    /// <summary>Files of the user that settings name.</summary>
    public IReadOnlyList<ReadFile> Reads { get; init; } = [];

    /// <summary>Files of the prepare action.</summary>
    public IReadOnlyList<ActionInput> Prepared { get; init; } = [];

    /// <summary>Folders of native packages.</summary>
    public IReadOnlyList<string> NativeFolders { get; init; } = [];

    /// <summary>Has the machine for itself.</summary>
    public bool Exclusive { get; init; }

    /// <summary>The lease of another that may be superseded, since its holder is silent; null for none.</summary>
    public string? Supersedes { get; init; }

    /// <summary>Executed though it may be published; what is published then stands in its place.</summary>
    public bool Again { get; init; }
}

/// <summary>Prices of actions of one stage.</summary>
/// <param name="Target">On what.</param>
/// <param name="Actions">Each needs its settings, row and point alone.</param>
public sealed record PriceRequest(PriceTarget Target, IReadOnlyList<ActionSpec> Actions);

/// <summary>The tool's side.</summary>
public sealed record Request
{
    /// <summary>Describe the plugin at this path.</summary>
    public string? Describe { get; init; }

    /// <summary>Execute these actions; more than one only as a batch.</summary>
    public IReadOnlyList<ActionSpec>? Run { get; init; }

    /// <summary>See whether this machine has what the action's settings need, executing nothing.</summary>
    public ActionSpec? Check { get; init; }

    /// <summary>Price these actions of one stage, executing none.</summary>
    public PriceRequest? Price { get; init; }

    /// <summary>Stop the action at hand gracefully.</summary>
    public bool Stop { get; init; }
}

/// <summary>How an action ended.</summary>
public enum ActionEnd
{
    /// <summary>Executed and published.</summary>
    Published,

    /// <summary>Somebody else had published it meanwhile.</summary>
    Found,

    /// <summary>Somebody else executes it now.</summary>
    Busy,

    /// <summary>It failed; the diagnostics say why.</summary>
    Failed,

    /// <summary>The worker died or hung; in a batch, not necessarily because of this action.</summary>
    Died,

    /// <summary>Stopped as asked.</summary>
    Stopped,

    /// <summary>Its inputs changed while it ran; nothing was published.</summary>
    InputsChanged,
}

/// <summary>The worker's side: one of its parts is there.</summary>
public sealed record Reply
{
    /// <summary>Answer to <see cref="Request.Describe"/>: JSON of <c>closure</c> and <c>stages</c>.</summary>
    public string? Description { get; init; }

    /// <summary>Answer to <see cref="Request.Price"/>: the quantities of all its actions, combined.</summary>
    public IReadOnlyList<PricedQuantity>? Price { get; init; }

    /// <summary>The action that the reply is about.</summary>
    public string? Key { get; init; }

    /// <summary>It is executed from now on: nobody else has it, and its entry was not there.</summary>
    public bool Started { get; init; }

    /// <summary>How far it is.</summary>
    public StageProgress? Progress { get; init; }

    /// <summary>A warning of the stage.</summary>
    public Diagnostic? Warning { get; init; }

    /// <summary>The action ended.</summary>
    public ActionEnd? End { get; init; }

    /// <summary>Who executes a busy action, or what made one fail.</summary>
    public IReadOnlyList<Diagnostic>? Findings { get; init; }

    /// <summary>The lease that a busy action is under; null where it waits for the machine.</summary>
    public string? Lease { get; init; }

    /// <summary>File of what an ended action printed, or its batch; null for nothing.</summary>
    public string? Log { get; init; }

    /// <summary>Seconds that the action took.</summary>
    public double Seconds { get; init; }

    /// <summary>The request is answered; the worker takes the next.</summary>
    public bool Ready { get; init; }
}

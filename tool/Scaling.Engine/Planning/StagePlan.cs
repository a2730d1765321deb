// The actions of one stage, with their keys.
using Scaling.Engine.Keys;
using Scaling.Engine.Plugins;
using Scaling.Engine.Store;
using Scaling.Engine.Workers;
using Scaling.Sdk;

namespace Scaling.Engine.Planning;

/// <summary>What a stage gave: its published files.</summary>
/// <param name="Files">With their points where the stage fans out and the file is no table.</param>
public sealed record StageResult(IReadOnlyList<StoredFile> Files)
{
    /// <summary>Key of the collection; null where the stage does not fan out.</summary>
    public string? Collection { get; init; }

    /// <summary>The files that a role of that kind takes.</summary>
    /// <param name="kind">Kind of an artifact.</param>
    public IEnumerable<StoredFile> OfKind(string kind) => Files.Where(f => f.Kind == kind && !f.Volatile);
}

/// <summary>A stage whose inputs are known.</summary>
/// <param name="Stage">The stage.</param>
/// <param name="Prepare">What its rows share; null for none.</param>
/// <param name="Actions">One, or one a distinct row, sorted by point. Each spec lacks the prepared files until they exist.</param>
public sealed record StagePlan(StageNode Stage, ActionSpec? Prepare, IReadOnlyList<ActionSpec> Actions)
{
    /// <summary>The native packages in the keys of its actions.</summary>
    public IReadOnlyList<NativePackage> Natives { get; init; } = [];

    /// <summary>Those whose content is not known on this machine. Keys that lack it are found in no store: a run fetches the packages first and plans then.</summary>
    public IEnumerable<NativePackage> NotFetched => Natives.Where(n => n.Sha512 is null);

    /// <summary>SHA-256 of the files of the user among its inputs, of the very bytes that the actions were made from.</summary>
    public IReadOnlyDictionary<Binding, string> Digests { get; init; } = new Dictionary<Binding, string>();

    /// <summary>Whether it fans out.</summary>
    public bool FansOut => Stage.Declaration.FanOut is not null;

    /// <summary>The entries of the collection of those actions.</summary>
    /// <param name="members">All of <see cref="Actions"/>, or those that succeeded.</param>
    public IReadOnlyList<KeyEntry> CollectionEntries(IReadOnlyList<ActionSpec> members) =>
    [
        new(EntryKind.Format, "key", ActionKey.FormatRevision),
        new(EntryKind.Stage, "type", Stage.Declaration.Type),
        new(EntryKind.Stage, "action", "collect"),
        new(EntryKind.Contract, "revision", $"{Contract.Revision}"),
        new(EntryKind.Determinism, "declared", Words.Of(Stage.Declaration.Determinism)),
        .. members.Count == 0 ? Stage.Type.CodeEntries.Concat(Natives.Select(n => n.Entry)) : [],
        .. members.Select(m => new KeyEntry(EntryKind.Member, m.Point!, m.Key)),
    ];
}

/// <summary>Enumerations as the words that keys and messages hold.</summary>
internal static class Words
{
    public static string Of(Determinism value) => value switch
    {
        Determinism.Exact => "exact", Determinism.Statistical => "statistical", Determinism.Never => "never", _ => throw new ArgumentOutOfRangeException(nameof(value), value, null),
    };
}

// What kind of machine answers to some resources: asked of a node once, and kept in the store.
using System.Text;
using Scaling.Engine.Keys;
using Scaling.Engine.Planning;
using Scaling.Engine.Store;
using Scaling.Engine.Workers;

namespace Scaling.Engine.Executors.Slurm;

/// <summary>
/// An action without a stage: its key is of what resources say about the kind of node, and its entry holds the node's <see cref="DeviceClass"/>. Speeds that a job measures have that class in their keys, which are made before the
/// job runs; a worker on another kind of machine refuses the action.
/// </summary>
/// <param name="Action">With its key and entries.</param>
internal sealed record NodeProbe(ActionSpec Action)
{
    private const string FileName = "device.txt";

    /// <summary>Of the machines that resources ask for.</summary>
    /// <param name="resources">Those of the stage.</param>
    public static NodeProbe Of(Resources resources)
    {
        KeyEntry[] entries =
        [
            new(EntryKind.Format, "key", ActionKey.FormatRevision),
            new(EntryKind.Stage, "action", "device"),
            .. new (string Name, string? Value)[]
            {
                ("partition", resources.Partition), ("constraint", resources.Constraint), ("gres", resources.Gres), ("cpus", FormattableString.Invariant($"{resources.Cpus}")), ("flags", string.Join(' ', resources.Flags ?? [])),
            }.Where(r => !string.IsNullOrEmpty(r.Value)).Select(r => new KeyEntry(EntryKind.Setting, r.Name, r.Value!)),
        ];
        return new NodeProbe(new ActionSpec { Key = ActionKey.Of(entries), Entries = entries, Assembly = "", Stage = "device", Settings = [] });
    }

    /// <summary>The class that a node told; null where none was asked yet.</summary>
    /// <param name="store">Keeps it.</param>
    public string? Known(ContentStore store) => store.Find(Action.Key) is { Files: [var file] } ? Encoding.UTF8.GetString(store.Content(file)) : null;

    /// <summary>A stage with the class that a node told, where its keys hold one and it is known.</summary>
    /// <param name="stage">Any.</param>
    /// <param name="store">Keeps it.</param>
    public static StageNode AsKnown(StageNode stage, ContentStore store) => stage.AwaitsNode ? stage with { DeviceClass = Of(stage.Resources).Known(store) } : stage;

    /// <summary>On a node: tells what kind it is.</summary>
    /// <param name="store">Keeps it.</param>
    public void Answer(ContentStore store) =>
        store.Publish(new Manifest(Action.Key, Action.Stage, null, Action.Entries, [store.Take(Encoding.UTF8.GetBytes(DeviceClass.OfThisMachine), FileName, "device")], 0, store.Now));

    /// <summary>Forgets it: a node of these resources turned out to be of another kind.</summary>
    /// <param name="store">Keeps it.</param>
    public void Forget(ContentStore store) => File.Delete(store.EntryPath(Action.Key));
}

// The lock of a pipeline that has run: what each stage was made of and what it gave.
using Scaling.Engine.Keys;
using Scaling.Engine.Planning;
using Scaling.Engine.Plugins;
using Scaling.Engine.Store;

namespace Scaling.Engine.Locks;

/// <summary>Makes locks.</summary>
public static class LockWriter
{
    /// <summary>The lock of a pipeline all of whose stages are done.</summary>
    /// <param name="pipeline">As it ran.</param>
    /// <param name="results">Of every stage.</param>
    /// <param name="natives">The native packages of each stage.</param>
    /// <param name="plugins">As resolved.</param>
    /// <param name="tool">Version of the tool.</param>
    /// <param name="store">Digests files of the user.</param>
    public static PipelineLock Of(
        Pipeline pipeline, IReadOnlyDictionary<string, StageResult> results,
        IReadOnlyDictionary<string, IReadOnlyList<NativePackage>> natives, IReadOnlyList<LockedPlugin> plugins, string tool, ContentStore store)
    {
        var given = results.ToDictionary(r => r.Key, r => StageStatement.Results(r.Value.Files.Select(f => new ResultDigest(f.Name, f.Point, f.Sha256))));
        var stages = pipeline.Stages.ToDictionary(stage => stage.Id, stage =>
        {
            var statement = StageStatement.Of(stage, pipeline.Seed, store, natives[stage.Id], id => given[id]);
            return new LockedStage(stage.Declaration.Type, Texts(statement.Portable), Texts(statement.Local), given[stage.Id]);
        });
        return new PipelineLock(tool, plugins, stages);
    }

    private static Dictionary<string, string> Texts(IReadOnlyList<KeyEntry> entries) => entries.ToDictionary(e => $"{e.Kind} {e.Name}", e => e.Value);
}

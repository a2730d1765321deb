// The lock of a pipeline that has run: what each stage was made of and what it gave.
using Scaling.Engine.Execution;
using Scaling.Engine.Keys;
using Scaling.Engine.Planning;

namespace Scaling.Engine.Locks;

/// <summary>Makes locks.</summary>
public static class LockWriter
{
    /// <summary>The lock of a pipeline all of whose stages are done.</summary>
    /// <param name="pipeline">As it ran.</param>
    /// <param name="run">How it ended: results, native packages and digests of inputs of every stage, as they were used. Files may have been edited since.</param>
    /// <param name="plugins">As resolved.</param>
    /// <param name="tool">Version of the tool.</param>
    public static PipelineLock Of(Pipeline pipeline, RunSummary run, IReadOnlyList<LockedPlugin> plugins, string tool)
    {
        var given = run.Results.ToDictionary(r => r.Key, r => StageStatement.Results(r.Value.Files.Select(f => new ResultDigest(f.Name, f.Point, f.Sha256))));
        var stages = pipeline.Stages.ToDictionary(stage => stage.Id, stage =>
        {
            var statement = StageStatement.Of(stage, pipeline.Seed, file => run.Digests[stage.Id][file], run.Natives[stage.Id], id => given[id]);
            return new LockedStage(stage.Declaration.Type, Texts(statement.Portable), Texts(statement.Local), given[stage.Id]);
        });
        return new PipelineLock(tool, plugins, stages);
    }

    private static Dictionary<string, string> Texts(IReadOnlyList<KeyEntry> entries) => entries.ToDictionary(e => $"{e.Kind} {e.Name}", e => e.Value);
}

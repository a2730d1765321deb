// What jobs of a cluster keep in the store, and what of theirs nobody needs any more.
using Scaling.Engine.Planning;
using Scaling.Engine.Store;
using Scaling.Sdk;

namespace Scaling.Engine.Executors.Slurm;

/// <summary>The part of gc that knows jobs.</summary>
/// <param name="store">The store.</param>
/// <param name="isOld">Whether a folder or file, and all below it, was written long ago.</param>
internal sealed class JobGarbage(ContentStore store, Func<string, bool> isOld)
{
    /// <summary>No job waits so long; then nobody will close its folder any more.</summary>
    private static readonly TimeSpan LongestWait = TimeSpan.FromDays(180);

    private readonly (JobFolder Folder, JobRecord Record)[] _open = [.. JobFolder.Open(store.Root).Where(j => j.Record.Made > store.Now - LongestWait)];

    /// <summary>Keys that jobs will publish, and digests of what they read: they may wait in a queue for weeks, with no process that tells of them.</summary>
    public IEnumerable<string> Used() => _open.SelectMany(j => j.Record.Keys.Concat(Read(j.Folder)));

    /// <summary>Folders of jobs that are over, copies of the tool that no job runs, and what runs in the background said: all old.</summary>
    public IEnumerable<string> Leftovers()
    {
        var open = _open.Select(j => j.Folder.Path).ToHashSet(StringComparer.Ordinal);
        string scripts = string.Concat(_open.Select(j => File.ReadAllText(Path.Combine(j.Folder.Path, "script.sh"))));
        return Folders("jobs").Where(f => !open.Contains(f))
            .Concat(Folders("tools").Where(f => !scripts.Contains(Path.GetFileName(f), StringComparison.Ordinal)))
            .Where(isOld)
            .Concat(Directory.Exists(Path.Combine(store.Root, "runs")) ? Directory.EnumerateFiles(Path.Combine(store.Root, "runs")).Where(isOld) : []);
    }

    private static IEnumerable<string> Read(JobFolder folder)
    {
        try
        {
            return FrozenPlan.Read(folder.PlanPath).Stages.SelectMany(s => s.Shared is { } shared ? shared.Inputs.Concat(shared.Prepared).Select(i => i.Sha256) : []);
        }
        catch (StageFailedException)
        {
            return []; // It has none, or none that could be executed.
        }
    }

    private IEnumerable<string> Folders(string name) => Directory.Exists(Path.Combine(store.Root, name)) ? Directory.EnumerateDirectories(Path.Combine(store.Root, name)) : [];
}

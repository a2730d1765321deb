// Whether committed results still belong to a pipeline: its portable entries beside those of the lock, and the files beside their digests.
using Scaling.Engine.Keys;
using Scaling.Engine.Pipelines;
using Scaling.Engine.Planning;
using Scaling.Engine.Store;
using Scaling.Sdk;

namespace Scaling.Engine.Locks;

/// <summary>Holds a pipeline against its lock. Nothing is executed and nothing is fetched.</summary>
/// <param name="pipeline">Linked; files that its settings name may be missing.</param>
/// <param name="held">Its lock.</param>
/// <param name="lockPath">Where that lies.</param>
/// <param name="store">Digests files.</param>
/// <param name="tool">Version of the tool that looks.</param>
public sealed class LockCheck(Pipeline pipeline, PipelineLock held, string lockPath, ContentStore store, string tool)
{
    /// <summary>What to do about stale results.</summary>
    private string Refresh => $"Run 'dotnet scaling run {Path.GetFileName(pipeline.Path)}' and commit its results and {Path.GetFileName(lockPath)}, or take the change back.";

    /// <summary>Files that settings name and that are not here: their digests were taken as the lock tells them.</summary>
    public IReadOnlyList<Diagnostic> Assumed { get; private set; } = [];

    /// <summary>Why the results are not those of the pipeline, each where it stands in the file; empty where they are.</summary>
    public IReadOnlyList<Diagnostic> Stale()
    {
        var findings = new List<Diagnostic>();
        var assumed = new List<Diagnostic>();
        foreach (var stage in pipeline.Stages)
        {
            if (!held.Stages.TryGetValue(stage.Id, out var locked))
            {
                findings.Add(new Diagnostic("SCAL9054", $"The results were made without the stage '{stage.Id}': {Path.GetFileName(lockPath)} does not have it.") { Location = stage.Location, Hint = Refresh });
                continue;
            }

            var now = StageStatement.Of(stage, pipeline.Seed, file => store.Digest(file.File!), null, id => held.Stages.TryGetValue(id, out var needed) ? needed.Results : new Dictionary<string, string>());
            assumed.AddRange(now.Unknown.Select(setting => new Diagnostic(
                "SCAL9053", $"The files that setting '{setting}' of '{stage.Id}' names are not here; they are taken to be those of {Path.GetFileName(lockPath)}.")
            { Severity = Severity.Warning, Location = stage.SettingLocations.GetValueOrDefault(setting) ?? stage.Location }));
            findings.AddRange(Differences(stage, locked, now));
        }

        findings.AddRange(held.Stages.Keys.Where(id => pipeline.Stages.All(s => s.Id != id)).Select(id =>
            new Diagnostic("SCAL9054", $"The results were made with a stage '{PipelineDiagnostics.Shown(id)}', which the pipeline does not have.") { Location = new SourceLocation(pipeline.Stages[0].Location.File, 1, 1), Hint = Refresh }));
        Assumed = assumed;
        return findings;
    }

    /// <summary>What is missing of the committed results of a stage, or was edited.</summary>
    /// <param name="stage">One that the lock has.</param>
    /// <param name="folder">Of its results.</param>
    public IEnumerable<Diagnostic> Edited(StageNode stage, string folder)
    {
        var files = CommittedFiles(stage, folder);
        foreach (var (name, sha256) in held.Stages[stage.Id].Results)
        {
            string path = Path.Combine(folder, name);
            string? found = StageStatement.Results(files.Where(f => (f.Point is null ? f.Name : "*/" + f.Name) == name).Select(f => new ResultDigest(f.Name, f.Point, store.Digest(f.Path)))).GetValueOrDefault(name);
            if (found != sha256)
            {
                yield return new Diagnostic("SCAL9052", PipelineDiagnostics.OnOneLine(found is null ? $"The result {path} is missing." : $"The result {path} is not the one that {Path.GetFileName(lockPath)} tells of.")) { Location = stage.Location, Hint = Refresh };
            }
        }
    }

    /// <summary>The files of a stage's committed results that the lock tells of and that are there.</summary>
    /// <param name="stage">One that the lock has.</param>
    /// <param name="folder">Of its results.</param>
    public IReadOnlyList<(string Name, string? Point, string Path)> CommittedFiles(StageNode stage, string folder)
    {
        var files = new List<(string, string?, string)>();
        string[] points = Directory.Exists(folder) ? [.. Directory.EnumerateDirectories(folder).Select(f => Path.GetFileName(f)!).Order(StringComparer.Ordinal)] : [];
        foreach (string name in held.Stages[stage.Id].Results.Keys)
        {
            if (name.StartsWith("*/", StringComparison.Ordinal))
            {
                files.AddRange(points.Select(point => (name[2..], (string?)point, Path.Combine(folder, point, name[2..]))).Where(f => File.Exists(f.Item3)));
            }
            else if (File.Exists(Path.Combine(folder, name)))
            {
                files.Add((name, null, Path.Combine(folder, name)));
            }
        }

        return files;
    }

    private IEnumerable<Diagnostic> Differences(StageNode stage, LockedStage locked, StageStatement now)
    {
        if (locked.Type != stage.Declaration.Type)
        {
            yield return Changed(stage, null, $"its type changed from {locked.Type} to {stage.Declaration.Type}");
            yield break;
        }

        // An assembly each would bury the one thing to say: that code changed, and whose.
        var after = now.Portable.ToDictionary(Name, e => e);
        string[] code =
        [
            .. now.Portable.Where(e => IsCode(e.Kind) && locked.Portable.GetValueOrDefault(Name(e)) != e.Value).Select(e => e.Name),
            .. locked.Portable.Keys.Where(k => IsCode(k.Split(' ')[0]) && !after.ContainsKey(k)).Select(k => k.Split(' ', 2)[1]),
        ];
        if (code.Length > 0)
        {
            string whose = held.Tool == tool ? "" : $"; they were made by dotnet-scaling {held.Tool}, and this is {tool}";
            yield return Changed(stage, null, $"its code changed ({string.Join(", ", code)}){whose}");
        }

        foreach (var entry in now.Portable.Where(e => !IsCode(e.Kind) && locked.Portable.GetValueOrDefault(Name(e)) != e.Value))
        {
            yield return Changed(stage, entry.Name, Explainer.Sentence(entry.Kind, entry.Name, locked.Portable.GetValueOrDefault(Name(entry)), entry.Value));
        }

        foreach (var (name, value) in locked.Portable.Where(l => !IsCode(l.Key.Split(' ')[0]) && !after.ContainsKey(l.Key)))
        {
            string[] parts = name.Split(' ', 2);
            if (parts[0] != EntryKind.Files || !now.Unknown.Contains(parts[1].Split('[')[0]))
            {
                yield return Changed(stage, parts[1], Explainer.Sentence(parts[0], parts[1], value, null));
            }
        }
    }

    private Diagnostic Changed(StageNode stage, string? setting, string what) => new("SCAL9050", $"The results of '{stage.Id}' are stale: {PipelineDiagnostics.OnOneLine(what)}.")
    {
        Location = (setting is null ? null : stage.SettingLocations.GetValueOrDefault(setting)) ?? stage.Location,
        Hint = Refresh,
    };

    private static bool IsCode(string kind) => kind is EntryKind.Assembly or EntryKind.Library;

    private static string Name(KeyEntry entry) => $"{entry.Kind} {entry.Name}";
}

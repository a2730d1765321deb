// Files of the store and beside the pipeline: entries, records of runs, locks, what plugins say of themselves.
using System.Security.Cryptography;
using System.Text;
using Scaling.Engine.Execution;
using Scaling.Engine.Keys;
using Scaling.Engine.Locks;
using Scaling.Engine.Planning;
using Scaling.Engine.Plugins;
using Scaling.Engine.Store;
using Scaling.Sdk;

namespace Scaling.Faults.Fuzzing;

/// <summary>A file under a seal: half of the cases are sealed anew, as by a writer who lies, the others are damaged.</summary>
internal static class Seal
{
    public static byte[] Of(byte[] json) => [.. Encoding.ASCII.GetBytes($"scaling-1 {Convert.ToHexStringLower(SHA256.HashData(json))}\n"), .. json];

    /// <summary>The content of a sealed file.</summary>
    public static byte[] Content(byte[] sealedFile) => sealedFile[(Array.IndexOf(sealedFile, (byte)'\n') + 1)..];
}

/// <summary>Mutated manifests: entries of the store.</summary>
internal sealed class EntryTarget : Target
{
    private static readonly KeyEntry[] Entries = [new(EntryKind.Format, "key", "1"), new(EntryKind.Stage, "type", "square"), new(EntryKind.Setting, "suffix", "\"!\"")];
    private readonly ContentStore _store;
    private readonly List<Diagnostic> _reported = [];
    private readonly string _key = ActionKey.Of(Entries);
    private readonly string _path;

    public EntryTarget(string folder)
    {
        _store = ContentStore.Open(Path.Combine(folder, "entries"), _reported.Add);
        var small = _store.Take(Encoding.UTF8.GetBytes("point,text\np1,a\n"), "rows.csv", "echo");
        var large = _store.Take(new byte[5000], "notes/large.bin", "notes");
        _store.Publish(new Manifest(_key, "square", "p1.2", Entries, [small, large with { Volatile = true }, small with { Point = "p2" }], 1.5, DateTimeOffset.UnixEpoch));
        _path = Path.Combine(_store.Root, "entries", _key[..2], _key);
        Corpus = [Seal.Content(File.ReadAllBytes(_path))];
    }

    public override string Name => "entry";

    public override IReadOnlyList<byte[]> Corpus { get; }

    public override byte[] ByStructure(Mutator mutator, byte[] text) => mutator.Json(text);

    public override string Read(byte[] content)
    {
        bool lying = content.Length % 8 != 0; // Seven of eight are under a seal: there a seal finds nothing.
        _reported.Clear();
        Directory.CreateDirectory(Path.GetDirectoryName(_path)!);
        File.WriteAllBytes(_path, lying ? Seal.Of(content) : content);
        var read = _store.Read(_key);
        var found = _store.Find(_key);
        foreach (var finding in _reported)
        {
            DemandPlace(finding, _key[..12], lines: false);
        }

        if (read is null)
        {
            Demand(_reported.Count > 0 && found is null, "a manifest that cannot be read, and nothing is said of it");
            if (Directory.Exists(Path.Combine(_store.Root, "quarantine")))
            {
                Directory.Delete(Path.Combine(_store.Root, "quarantine"), recursive: true);
            }

            return "refused";
        }

        Demand(read.Key == _key, "another key's manifest");
        foreach (var file in read.Files)
        {
            string inside = Path.GetFullPath(file.ResultName, "/results");
            Demand(inside.StartsWith("/results/", StringComparison.Ordinal) && !file.ResultName.Contains('\0'), $"a file outside the results: {file.ResultName}");
            Demand(file.Bytes >= 0 && file.Kind.Length >= 0 && file.Sha256.Length == 64, "a file that cannot be");
            Demand(file.Inline is null || Convert.ToHexStringLower(SHA256.HashData(file.Inline)) == file.Sha256, "content that is not what its digest says");
        }

        foreach (var file in found?.Files ?? [])
        {
            Demand(Convert.ToHexStringLower(SHA256.HashData(_store.Content(file))) == file.Sha256, "content that is not what its digest says");
        }

        return found is null ? "missed" : "read";
    }
}

/// <summary>Mutated records of runs.</summary>
internal sealed class RecordTarget : Target
{
    private const string Pipeline = "/nowhere/study.yaml";
    private readonly ContentStore _store;
    private readonly string _path;

    public RecordTarget(string folder)
    {
        _store = ContentStore.Open(Path.Combine(folder, "records"), _ => { });
        var history = new RunHistory(_store, Pipeline);
        string key = new('a', 64);
        var stage = new RecordedStage("squares", "square", [new RecordedAction("p1", key), new RecordedAction(null, key)], 1, ["the setting changed"]) { Prepare = key, Collection = key, NotDone = "it failed" };
        history.Keep(new RunRecord("study", Pipeline, DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch, 1, [stage, stage with { Id = "other" }], "/nowhere/results", [new RecordedResult("rows/echo.csv", key)]) { Overrides = ["a.b=c"] }, null);
        _path = Directory.EnumerateFiles(_store.Root, "000001", SearchOption.AllDirectories).Single();
        Corpus = [Seal.Content(File.ReadAllBytes(_path))];
    }

    public override string Name => "record of a run";

    public override IReadOnlyList<byte[]> Corpus { get; }

    public override byte[] ByStructure(Mutator mutator, byte[] text) => mutator.Json(text);

    public override string Read(byte[] content)
    {
        File.WriteAllBytes(_path, content.Length % 8 != 0 ? Seal.Of(content) : content);
        var history = new RunHistory(_store, Pipeline);
        if (history.Last is not { } run)
        {
            return "refused";
        }

        // What every reader of a record does with it.
        Demand(run.Pipeline.Length + run.ResultsFolder.Length + run.Path.Length >= 0, "a record");
        _ = run.Repeats(run with { Overrides = [.. run.Overrides] });
        Demand(run.Stages.All(s => s.Id.Length + s.Type.Length >= 0 && s.Keys.All(k => k.Length >= 0) && s.Reasons.All(r => r.Length >= 0)), "a stage");
        Demand(run.Results.All(r => Path.GetFullPath(r.Path, "/results").StartsWith("/results/", StringComparison.Ordinal) && r.Sha256.Length >= 0), "a result outside the results");
        Demand(run.Overrides.All(o => o.Length >= 0), "an override");
        foreach (var (each, _) in RunHistory.All(_store))
        {
            Demand(each.Number == 1, "another number");
        }

        return "read";
    }
}

/// <summary>Mutated locks, held against a pipeline.</summary>
internal sealed class LockTarget : Target
{
    private readonly string _path;
    private readonly string _folder;
    private readonly Pipeline? _pipeline;
    private readonly ContentStore _store;

    public LockTarget(string folder, PipelineTarget pipelines)
    {
        _folder = Directory.CreateDirectory(Path.Combine(folder, "locks")).FullName;
        _path = Path.Combine(_folder, "study.lock.json");
        _store = pipelines.Store;
        byte[] text = pipelines.Corpus[^1];
        _pipeline = pipelines.Link(text) ?? throw new InvalidOperationException("the pipeline of the locks does not link");
        string digest = new('0', 64);
        var stages = _pipeline.Stages.ToDictionary(s => s.Id, s => new LockedStage(
            s.Declaration.Type, new Dictionary<string, string> { ["setting suffix"] = "\"!\"", ["assembly a.dll"] = digest, ["input rows[0]"] = digest, ["files x[0]"] = digest },
            new Dictionary<string, string> { ["device class"] = "a machine" }, new Dictionary<string, string> { ["squares.csv"] = digest, ["*/note.txt"] = digest }));
        var written = new PipelineLock("0.1.0", [new LockedPlugin("Acme.Smooth", "1.*", [new LockedPackage("Acme.Smooth", "1.2.0", "aGFzaA==")])], stages);
        written.Write(_path);
        Corpus = [File.ReadAllBytes(_path), File.ReadAllBytes(Path.Combine(Faulted.Build.Root, "examples", "ModelRepository", "study.lock.json"))];
    }

    public override string Name => "lock";

    public override IReadOnlyList<byte[]> Corpus { get; }

    public override byte[] ByStructure(Mutator mutator, byte[] text) => mutator.Json(text);

    public override string Read(byte[] content)
    {
        File.WriteAllBytes(_path, content);
        PipelineLock held;
        try
        {
            held = PipelineLock.Read(_path)!;
        }
        catch (StageFailedException e)
        {
            foreach (var finding in e.Diagnostics)
            {
                DemandPlace(finding, _path, lines: true);
                Demand(finding.Location!.Line <= content.Count(b => b == '\n') + 1, $"a finding behind the end of the file: {finding}");
            }

            return "refused";
        }

        var check = new LockCheck(_pipeline!, held, _path, _store, "0.1.0");
        foreach (var finding in check.Stale())
        {
            Demand(finding.Location is not null && !finding.ToString().Any(c => char.IsControl(c) && c != '\n'), $"a finding without its place: {finding}");
        }

        foreach (var stage in _pipeline!.Stages.Where(s => held.Stages.ContainsKey(s.Id)))
        {
            Demand(held.Stages[stage.Id].Results.Keys.All(name => Path.GetFullPath(name, "/results").StartsWith("/results/", StringComparison.Ordinal)), "a result outside the results");
            _ = check.Edited(stage, _folder).ToList();
        }

        return "read";
    }
}

/// <summary>Mutated frozen plans, as <c>run --plan</c> and <c>execute</c> take them: seven of eight with a digest of their own, as by a writer who lies.</summary>
internal sealed class PlanTarget : Target
{
    private const string DigestMark = ",\n  \"digest\": ";
    private readonly string _path;
    private readonly PipelineTarget _pipelines;

    public PlanTarget(string folder, PipelineTarget pipelines, Faulted.Build build)
    {
        string plans = Directory.CreateDirectory(Path.Combine(folder, "plans")).FullName;
        _path = Path.Combine(plans, "plan.json");
        _pipelines = pipelines;
        File.WriteAllText(Path.Combine(plans, "t.csv"), "point,text\np1,a\n");
        File.WriteAllBytes(Path.Combine(plans, "study.yaml"), pipelines.Corpus[^1]);
        var planning = new System.Diagnostics.ProcessStartInfo(build.Tool, ["plan", "study.yaml", "--json"]) { WorkingDirectory = plans, RedirectStandardOutput = true, Environment = { ["SCALING_CACHE"] = Path.Combine(folder, "store") } };
        using var planned = System.Diagnostics.Process.Start(planning)!;
        Corpus = [Encoding.UTF8.GetBytes(planned.StandardOutput.ReadToEnd())];
        planned.WaitForExit();
        File.WriteAllBytes(_path, Corpus[0]);
        FrozenPlan.Read(_path);
    }

    public override string Name => "plan";

    public override IReadOnlyList<byte[]> Corpus { get; }

    public override byte[] ByStructure(Mutator mutator, byte[] text) => mutator.Json(text);

    public override string Read(byte[] content)
    {
        File.WriteAllBytes(_path, content.Length % 8 != 0 ? Resealed(content) : content);
        FrozenPlan plan;
        try
        {
            plan = FrozenPlan.Read(_path);
        }
        catch (StageFailedException e)
        {
            Array.ForEach([.. e.Diagnostics], d => DemandPlace(d, _path, lines: true));
            return "refused";
        }

        try
        {
            foreach (var stage in plan.Stages)
            {
                foreach (var action in stage.Actions)
                {
                    var spec = stage.Spec(action);
                    Demand(ActionKey.Of(spec.Entries) == spec.Key, "an action under another one's key");
                }
            }

            _ = new PlanThaw(_pipelines.Catalog, _pipelines.Store).Pipeline(plan).GetAwaiter().GetResult();
        }
        catch (StageFailedException e)
        {
            Demand(e.Diagnostics.All(d => d.Message.Length > 10 && !d.ToString().Any(c => char.IsControl(c) && c != '\n')), $"a finding that cannot be read: {e.Diagnostics[0]}");
            return "missed";
        }

        return "read";
    }

    private static byte[] Resealed(byte[] content)
    {
        // Where it was written on one line, or has no digest any more, the object's end is where one goes.
        int end = Math.Max(content.AsSpan().LastIndexOf(Encoding.ASCII.GetBytes(DigestMark)), content.AsSpan().LastIndexOf(",\"digest\":"u8));
        end = end > 0 ? end : content.AsSpan().LastIndexOf((byte)'}');
        byte[] body = end > 0 ? content[..end] : content;
        return [.. body, .. Encoding.ASCII.GetBytes($"{DigestMark}\"{Convert.ToHexStringLower(SHA256.HashData(body))}\"\n}}\n")];
    }
}

/// <summary>Mutated <c>plugin.json</c> and <c>native.json</c> of a plugin's folder.</summary>
internal sealed class PluginTarget : Target, IDisposable
{
    private readonly string _path;
    private readonly bool _native;
    private readonly ContentStore _store;
    private readonly Engine.Workers.WorkerPool _workers;
    private readonly string _plugins;

    public PluginTarget(string folder, bool native, Faulted.Build build)
    {
        _native = native;
        _plugins = Directory.CreateDirectory(Path.Combine(folder, native ? "natives" : "descriptions")).FullName;
        string plugin = Directory.CreateDirectory(Path.Combine(_plugins, "train")).FullName;
        _path = Path.Combine(plugin, native ? NativePackage.FileName : PluginDescription.FileName);
        _store = ContentStore.Open(Path.Combine(folder, "store"), _ => { });
        _workers = new Engine.Workers.WorkerPool(new Engine.Workers.WorkerCommand(build.Tool, ["worker"]), _store.Root);
        string built = Path.Combine(Path.GetDirectoryName(build.Tool)!, "plugins");
        var catalog = new PluginCatalog(_store, _workers, built);
        string assembly = Directory.GetFiles(Path.Combine(built, "train"), "*.deps.json").Single().Replace(".deps.json", ".dll", StringComparison.Ordinal);
        Corpus = native
            ? [File.ReadAllBytes(Path.Combine(Path.GetDirectoryName(assembly)!, NativePackage.FileName)), """{"packages":[{"id":"A.B","version":"1.0.0","sha512":"aGFzaA==","when":{"device":["cpu",null],"a.b":1}},{"id":"C","version":"2.0.0"}]}"""u8.ToArray()]
            : [Encoding.UTF8.GetBytes(catalog.DescribePackage(assembly, "1.0.0").GetAwaiter().GetResult().ToJson())];
    }

    public override string Name => _native ? NativePackage.FileName : PluginDescription.FileName;

    public override IReadOnlyList<byte[]> Corpus { get; }

    public override byte[] ByStructure(Mutator mutator, byte[] text) => mutator.Json(text);

    public override string Read(byte[] content)
    {
        File.WriteAllBytes(_path, content);
        try
        {
            if (_native)
            {
                foreach (var package in NativePackage.ReadFile(_path))
                {
                    _ = package.IsFor(new System.Text.Json.Nodes.JsonObject { ["device"] = "cpu" });
                    Demand(package.Id.Length > 0 && package.Version.Length >= 0, "a package without a name");
                }
            }
            else
            {
                var catalog = new PluginCatalog(_store, _workers, _plugins);
                foreach (var type in catalog.DescribeBuiltIn("train").GetAwaiter().GetResult())
                {
                    Demand(type.Declaration.Type.Length > 0 && !type.Declaration.Contradictions().Any(), "a stage whose declaration contradicts itself");
                    Demand(type.CodeEntries.All(e => e.Kind.Length + e.Name.Length + e.Value.Length >= 0), "an entry that is none");
                    _ = Engine.Pipelines.SettingsBinder.Bind(null, type.Descriptor.Settings, "train", new SourceLocation("x", 1, 1));
                }
            }
        }
        catch (StageFailedException e)
        {
            Array.ForEach([.. e.Diagnostics], d => DemandPlace(d, _path, lines: false));
            return "refused";
        }
        catch (Engine.InfrastructureException e)
        {
            DemandPlace(e.Diagnostic, _path, lines: false);
            return "refused";
        }

        return "read";
    }

    public void Dispose()
    {
        _workers.Dispose();
        _store.Dispose();
    }
}

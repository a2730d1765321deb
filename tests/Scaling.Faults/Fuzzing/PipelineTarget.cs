// Pipelines as `check` reads them: reader, settings, linker, with the stages that were built.
using System.Text;
using Scaling.Engine.Pipelines;
using Scaling.Engine.Planning;
using Scaling.Engine.Plugins;
using Scaling.Engine.Store;
using Scaling.Engine.Workers;
using Scaling.Faults.Faulted;
using Scaling.Sdk;

namespace Scaling.Faults.Fuzzing;

/// <summary>Mutated pipeline files.</summary>
internal sealed class PipelineTarget : Target, IDisposable
{
    private readonly string _file;
    private readonly ContentStore _store;
    private readonly WorkerPool _workers;
    private readonly PluginCatalog _catalog;

    /// <summary>Describes the built stages once.</summary>
    /// <param name="folder">Where the files lie; a store is made beside them.</param>
    /// <param name="build">The tool and the test stages.</param>
    public PipelineTarget(string folder, Build build)
    {
        string studies = Directory.CreateDirectory(Path.Combine(folder, "pipelines")).FullName;
        _file = Path.Combine(studies, "study.yaml");
        File.WriteAllText(Path.Combine(studies, "t.csv"), "point,text\np1,a\n");
        Directory.CreateDirectory(Path.Combine(studies, "data"));
        File.WriteAllText(Path.Combine(studies, "data", "a.txt"), "text");
        _store = ContentStore.Open(Path.Combine(folder, "store"), _ => { });
        _workers = new WorkerPool(new WorkerCommand(build.Tool, ["worker"]), _store.Root);
        _catalog = new PluginCatalog(_store, _workers, Path.Combine(Path.GetDirectoryName(build.Tool)!, "plugins"));
        Corpus = [.. Written(build.Plugin).Select(Encoding.UTF8.GetBytes)];
        foreach (byte[] sound in Corpus)
        {
            Read(sound); // Every type is described before the clock of a case runs.
        }
    }

    public override string Name => "pipeline";

    public override IReadOnlyList<byte[]> Corpus { get; }

    /// <summary>The linker of these cases, for others that need a linked pipeline.</summary>
    public Pipeline? Link(byte[] content)
    {
        File.WriteAllBytes(_file, content);
        return PipelineReader.Read(_file).Document is { } document ? new Linker(_catalog, _store, null, new NoPackages()).Link(document).GetAwaiter().GetResult().Pipeline : null;
    }

    /// <summary>Where the digests of files come from.</summary>
    public ContentStore Store => _store;

    /// <summary>Stages that were built.</summary>
    public PluginCatalog Catalog => _catalog;

    public override byte[] ByStructure(Mutator mutator, byte[] text) => mutator.Yaml(text);

    public override string Read(byte[] content)
    {
        File.WriteAllBytes(_file, content);
        var (document, findings) = PipelineReader.Read(_file);
        Pipeline? pipeline = null;
        List<Diagnostic> all = [.. findings];
        if (document is not null)
        {
            (pipeline, var more) = new Linker(_catalog, _store, null, new NoPackages()).Link(document).GetAwaiter().GetResult();
            all.AddRange(more);
        }

        Demand(pipeline is not null || all.Count > 0, "no pipeline, and nothing is said of it");
        int lines = content.Count(b => b is (byte)'\n' or (byte)'\r') + Encoding.UTF8.GetString(content).Count(c => c is '\u0085' or '\u2028' or '\u2029') + 2;
        foreach (var finding in all)
        {
            DemandPlace(finding, _file, lines: true);
            Demand(finding.Location!.Line <= lines, $"a finding behind the end of the file: {finding}");
        }

        return all.Count == 0 ? "read" : "refused";
    }

    public void Dispose()
    {
        _workers.Dispose();
        _store.Dispose();
    }

    private static IEnumerable<string> Written(string plugin)
    {
        string[] folders = ["pipelines", "examples", "tests", "tool"];
        foreach (string path in folders.SelectMany(f => Directory.EnumerateFiles(Path.Combine(Build.Root, f), "*.y*ml", SearchOption.AllDirectories)).Where(f => !f.Contains("/bin/", StringComparison.Ordinal) && !f.Contains("/obj/", StringComparison.Ordinal)).Order(StringComparer.Ordinal))
        {
            // Plugins that are not built where these files are read would hide everything else.
            yield return System.Text.RegularExpressions.Regex.Replace(File.ReadAllText(path), @"path:\s*[^\s}]+\.dll", $"path: {plugin}");
        }

        yield return $$"""
            name: fuzzed
            seed: 7
            executor: slurm
            resources: { partition: gpu, nodes: 2, mem: 1.5G, time: 1-02:03:04, flags: [ --nice=5 ] }
            plugins: [ { path: {{plugin}} } ]
            stages:
              rows: { uses: echo, with: { text: "a,b", count: 2 } }
              shared: { uses: shared, needs: rows, with: { word: x } }
              squares: { uses: square, needs: { rows: rows }, with: { factors: [1, 2], suffix: "!" }, timeout: 10m, executor: local, resources: { cpus: 4, time: 90s } }
              batch: { uses: batch, needs: { rows: t.csv } }
              total: { uses: collect, needs: [squares] }

            """;
    }

    /// <summary>No package can be had here.</summary>
    private sealed class NoPackages : IPluginPackages
    {
        public Task<string> Fetch(PluginPackage package, CancellationToken cancel) => Task.FromException<string>(new StageFailedException("SCAL6101", $"The package {package} cannot be had here."));
    }
}

// Everything that a command works with: store, workers, plugins, the linked pipeline.
using System.Reflection;
using Scaling.Engine.Execution;
using Scaling.Engine.Pipelines;
using Scaling.Engine.Planning;
using Scaling.Engine.Plugins;
using Scaling.Engine.Store;
using Scaling.Engine.Workers;
using Scaling.Sdk;

namespace Scaling.Cli;

internal sealed class Session : IDisposable
{
    private Session(string storeFolder, IRunObserver observer)
    {
        Store = ContentStore.Open(storeFolder, observer.FoundDamage);
        Workers = new WorkerPool(WorkerCommand.OfThisTool, Store.Root);
        Code = new StageCode(null, Store);
        Catalog = new PluginCatalog(Store, Workers, Path.Combine(AppContext.BaseDirectory, "plugins"));
    }

    /// <summary>The tool's version; its package and those of its stages have the same.</summary>
    public static string ToolVersion { get; } = typeof(Session).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion;

    public ContentStore Store { get; }

    public WorkerPool Workers { get; }

    public StageCode Code { get; }

    public PluginCatalog Catalog { get; }

    /// <summary>A session without a pipeline.</summary>
    public static Session Open(string storeFolder, IRunObserver observer) => new(storeFolder, observer);

    /// <summary>Reads and links a pipeline, printing every finding.</summary>
    /// <returns>The session with its pipeline; null where there are findings.</returns>
    /// <param name="file">The pipeline file.</param>
    /// <param name="storeFolder">The store.</param>
    /// <param name="observer">Takes damage.</param>
    /// <param name="withoutFiles">Links it without the files that its settings name and that are not there, and takes what is said of them. Null: they are findings.</param>
    public static async Task<(Session Session, Pipeline Pipeline)?> Open(string file, string storeFolder, IRunObserver observer, Action<Diagnostic>? withoutFiles = null)
    {
        var (document, findings) = PipelineReader.Read(file);
        if (document is null)
        {
            Print(findings);
            return null;
        }

        var session = new Session(storeFolder, observer);
        try
        {
            var (pipeline, more) = await new Linker(session.Catalog, session.Store, withoutFiles).Link(document).ConfigureAwait(false);
            Diagnostic[] all = [.. findings.Concat(more).OrderBy(f => f.Location?.Line ?? 0).ThenBy(f => f.Location?.Column ?? 0)];
            if (pipeline is not null && all.Length == 0)
            {
                return (session, pipeline);
            }

            Print(all);
        }
        catch
        {
            session.Dispose();
            throw;
        }

        session.Dispose();
        return null;
    }

    public void Dispose()
    {
        Workers.Dispose();
        Store.Dispose();
    }

    /// <summary>Writes findings to standard error.</summary>
    public static void Print(IEnumerable<Diagnostic> findings)
    {
        foreach (var finding in findings)
        {
            Console.Error.WriteLine(finding);
        }
    }
}

// Everything that a command works with: store, workers, plugins, the linked pipeline.
using System.Reflection;
using Scaling.Engine;
using Scaling.Engine.Execution;
using Scaling.Engine.Executors;
using Scaling.Engine.Locks;
using Scaling.Engine.Pipelines;
using Scaling.Engine.Planning;
using Scaling.Engine.Plugins;
using Scaling.Engine.Store;
using Scaling.Engine.Workers;
using Scaling.Sdk;

namespace Scaling.Cli;

internal sealed class Session : IDisposable
{
    private Session(string storeFolder, ICommandConsole console, string folder, PipelineLock? held, LockUse use)
    {
        Store = ContentStore.Open(storeFolder, console.FoundDamage);
        StoreFault = NoteUses(Store);
        Workers = new WorkerPool(WorkerCommand.OfThisTool, Store.Root);
        Packages = new PipelinePackages(folder, Store, held, use, console.Packages);
        Code = new StageCode(Packages, Store) { Natives = new NativeSupply(Packages) };
        Catalog = new PluginCatalog(Store, Workers, PluginsFolder);
    }

    private static string PluginsFolder => Path.Combine(ToolHost.Current.Folder, "plugins");

    /// <summary>Names of the built-in stage types, in ordinal order; for who completes a command line, without a store.</summary>
    public static IEnumerable<string> BuiltInTypes() => Directory.Exists(PluginsFolder) ? Directory.EnumerateDirectories(PluginsFolder).Select(f => Path.GetFileName(f)!).Order(StringComparer.Ordinal) : [];

    /// <summary>The tool's version; its package and those of its stages have the same.</summary>
    public static string ToolVersion { get; } = typeof(Session).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion;

    public ContentStore Store { get; }

    /// <summary>Why the store cannot be written; null where it can. Commands that only look go on, and what they look at is not kept from gc.</summary>
    private InfrastructureException? StoreFault { get; }

    public WorkerPool Workers { get; }

    public PipelinePackages Packages { get; }

    public StageCode Code { get; }

    public PluginCatalog Catalog { get; }

    /// <summary>A session without a pipeline.</summary>
    public static Session Open(string storeFolder, ICommandConsole console) => new(storeFolder, console, Environment.CurrentDirectory, null, LockUse.Resolve);

    /// <summary>A session with the packages of a pipeline that is not linked.</summary>
    public static Session OfFolder(PipelineDocument document, string storeFolder, ICommandConsole console, LockUse use)
    {
        string path = PipelineLock.PathOf(Path.GetFullPath(document.File));
        return new(storeFolder, console, document.Folder, use == LockUse.Locked ? PipelineLock.Read(path) : PipelineLock.ReadOrTell(path, console.FoundDamage), use);
    }

    /// <summary>A session for a plan, which was linked when it was made.</summary>
    public static Session OfPlan(FrozenPlan plan, string storeFolder, ICommandConsole console) =>
        new(storeFolder, console, Path.GetDirectoryName(plan.Path) is { } folder && Directory.Exists(folder) ? folder : Environment.CurrentDirectory, null, LockUse.Resolve);

    /// <summary>Reads and links a pipeline by the user's profile, gathering every finding.</summary>
    /// <exception cref="PipelineRefusedException">There are findings.</exception>
    /// <param name="file">The pipeline file.</param>
    /// <param name="storeFolder">The store.</param>
    /// <param name="console">Takes damage and downloads.</param>
    /// <param name="use">Whether plugins may be resolved that the lock does not have.</param>
    /// <param name="sets">What <c>--set</c> says.</param>
    /// <param name="withoutFiles">Links it without the files that its settings name and that are not there, and takes what is said of them. Null: they are findings.</param>
    /// <param name="executor">What <c>--executor</c> says; null where it is not given.</param>
    public static async Task<(Session Session, PipelineDocument Document, Pipeline Pipeline)> Open(string file, string storeFolder, ICommandConsole console, LockUse use, IReadOnlyList<string>? sets = null, Action<Diagnostic>? withoutFiles = null, ExecutorKind? executor = null)
    {
        var (profile, wrongProfile) = UserProfile.Read();
        var (document, findings) = PipelineReader.Read(file);
        if (document is null)
        {
            throw new PipelineRefusedException([.. wrongProfile, .. findings]);
        }

        if (sets is { Count: > 0 })
        {
            (document, var wrong) = SettingOverrides.Apply(document, sets);
            findings = [.. findings, .. wrong];
        }

        var session = OfFolder(document, storeFolder, console, use);
        try
        {
            var (pipeline, more) = await new Linker(session.Catalog, session.Store, withoutFiles, session.Packages, new ExecutorChoice(executor, profile)).Link(document).ConfigureAwait(false);
            Diagnostic[] all = [.. wrongProfile, .. findings.Concat(more).OrderBy(f => f.Location?.Line ?? 0).ThenBy(f => f.Location?.Column ?? 0)];
            if (pipeline is not null && all.Length == 0)
            {
                return (session, document, pipeline);
            }

            throw new PipelineRefusedException(all);
        }
        catch
        {
            session.Dispose();
            throw;
        }
    }

    /// <summary>For commands that write the store: what they use has to be noted there.</summary>
    /// <exception cref="InfrastructureException">It cannot be written.</exception>
    public void DemandStore()
    {
        if (StoreFault is { } fault)
        {
            throw fault;
        }
    }

    public void Dispose()
    {
        Workers.Dispose();
        Packages.Dispose();
        Store.Dispose();
    }

    private static InfrastructureException? NoteUses(ContentStore store)
    {
        try
        {
            store.NoteUses();
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return InfrastructureException.OfFile(e);
        }
    }

    /// <summary>Writes findings to standard error.</summary>
    public static void Print(IEnumerable<Diagnostic> findings) => CommandConsole.Print(findings);
}

/// <summary>A pipeline that cannot be planned.</summary>
internal sealed class PipelineRefusedException(IReadOnlyList<Diagnostic> findings) : Exception(findings[0].Message)
{
    public IReadOnlyList<Diagnostic> Findings { get; } = findings;
}

// plugin list, add, restore, verify: the packages of a pipeline.
using Scaling.Engine.Execution;
using Scaling.Engine.Locks;
using Scaling.Engine.Pipelines;
using Scaling.Engine.Plugins;
using Scaling.Plugins;
using Scaling.Sdk;

namespace Scaling.Cli;

internal static class PluginCommands
{
    /// <summary>What the pipeline's stages are made of: the tool's own, assemblies here, and packages with who signed them.</summary>
    public static async Task<int> List(Commands.Invocation call)
    {
        var open = await Session.Open(call.Pipeline, call.StoreFolder, Console(), call.LockUse, _ => { }).ConfigureAwait(false);
        using var session = open.Session;
        var stages = open.Pipeline.Stages.Select(s => s.Type).DistinctBy(t => t.Declaration.Type).ToArray();
        foreach (var plugin in session.Packages.Resolved(open.Document))
        {
            var installed = await session.Packages.Sources.Exactly(plugin.Closure, call.Stop).ConfigureAwait(false);
            string requested = plugin.Requested == installed[0].Version ? "" : $" (asked for as {plugin.Requested})";
            System.Console.Out.WriteLine($"{installed[0]}{requested}, {installed[0].Signature}, from {installed[0].Source ?? "the global packages folder"}");
            foreach (var other in installed.Skip(1))
            {
                System.Console.Out.WriteLine($"  {other}, {other.Signature}");
            }
        }

        foreach (var plugin in open.Document.Plugins.Where(p => p.Version is null))
        {
            System.Console.Out.WriteLine($"{plugin.Name}, an assembly here");
        }

        foreach (var package in stages.Select(s => s.Package).OfType<PluginPackage>())
        {
            System.Console.Out.WriteLine($"{package}, of the tool, fetched when one of its stages runs");
        }

        System.Console.Out.WriteLine($"Stages: {string.Join(", ", stages.Select(s => s.Declaration.Type))}.");
        return ExitCode.Done;
    }

    /// <summary>Adds a package to the pipeline file and to its lock; nothing is written unless it can be had and holds stages.</summary>
    public static async Task<int> Add(Commands.Invocation call)
    {
        var document = Read(call.Pipeline);
        if (document.Plugins.FirstOrDefault(p => string.Equals(p.Name, call.Package, StringComparison.OrdinalIgnoreCase)) is { } there)
        {
            throw new UsageException("SCAL1012", $"{there.Location}: the pipeline has the plugin {there.Name} {there.Version} already.", "Change its version there, then type 'dotnet scaling plugin restore'.");
        }

        using var session = Session.OfFolder(document, call.StoreFolder, Console(), LockUse.Resolve);
        string version = call.Version ?? await Latest(session, call.Package, call.Stop).ConfigureAwait(false);
        string assembly = await session.Packages.Fetch(new PluginPackage(call.Package, version), call.Stop).ConfigureAwait(false);
        var types = await session.Catalog.Describe(assembly).ConfigureAwait(false);

        string file = Path.GetFullPath(call.Pipeline);
        string text = PluginText.Add(File.ReadAllText(file), document, call.Package, version);
        Engine.Files.Durable.Write(file, text);
        var now = Read(call.Pipeline);
        RunCommand.LockPlugins(now, session);
        string stages = string.Join(", ", types.Select(t => $"'{t.Declaration.Type}' ({t.Declaration.Summary})"));
        System.Console.Error.WriteLine($"Added {call.Package} {version} to {call.Pipeline}. It brings {stages}. Write 'uses: {types[0].Declaration.Type}' in a stage.");
        return ExitCode.Done;
    }

    /// <summary>Brings everything that a run of the pipeline will need, so that it can run without a network.</summary>
    public static async Task<int> Restore(Commands.Invocation call)
    {
        var console = Console();
        var open = await Session.Open(call.Pipeline, call.StoreFolder, console, call.LockUse, _ => { }).ConfigureAwait(false);
        using var session = open.Session;
        RunCommand.LockPlugins(open.Document, session);
        foreach (var stage in open.Pipeline.Stages)
        {
            await session.Code.Assembly(stage.Type, call.Stop).ConfigureAwait(false);
            await session.Code.Natives.Bring(stage, _ => Task.CompletedTask, call.Stop).ConfigureAwait(false);
        }

        System.Console.Error.WriteLine("Everything that the pipeline's stages need is here.");
        return ExitCode.Done;
    }

    /// <summary>Reads every byte of the pipeline's packages and holds it against the lock.</summary>
    public static async Task<int> Verify(Commands.Invocation call)
    {
        var document = Read(call.Pipeline);
        string lockPath = PipelineLock.PathOf(Path.GetFullPath(call.Pipeline));
        if (PipelineLock.Read(lockPath) is not { } held)
        {
            throw new UsageException("SCAL1013", $"There is no lock {lockPath} to verify against.", "'dotnet scaling plugin restore' writes it.");
        }

        using var session = Session.OfFolder(document, call.StoreFolder, Console(), LockUse.Locked);
        var findings = new List<Diagnostic>();
        foreach (var plugin in held.Plugins)
        {
            findings.AddRange(await session.Packages.Sources.Verify(plugin.Closure, call.Stop).ConfigureAwait(false));
            _ = PluginLayout.Find(session.Store.MachineCachePath, plugin.Closure, session.Store.Digest, findings.Add);
        }

        Session.Print(findings);
        System.Console.Out.WriteLine($"{held.Plugins.Sum(p => p.Closure.Count)} packages of {held.Plugins.Count} {(held.Plugins.Count == 1 ? "plugin" : "plugins")} verified, {(findings.Count == 0 ? "no" : findings.Count)} {(findings.Count == 1 ? "finding" : "findings")}.");
        return findings.Any(f => f.Severity == Severity.Error) ? ExitCode.Integrity : ExitCode.Done;
    }

    private static RunConsole Console() => new(System.Console.Error, isTerminal: !System.Console.IsErrorRedirected, TimeProvider.System);

    private static PipelineDocument Read(string file)
    {
        var (document, findings) = PipelineReader.Read(file);
        return document is not null && findings.Count == 0 ? document : throw new PipelineRefusedException(findings);
    }

    /// <summary>The highest released version that the sources have.</summary>
    private static async Task<string> Latest(Session session, string package, CancellationToken stop) =>
        (await session.Packages.Sources.Resolve(new PackageRequest(package, "*"), stop).ConfigureAwait(false)).Plugin.Version;
}

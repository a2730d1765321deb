// plugin list, add, restore, verify: the packages of a pipeline.
using System.Text.Json.Nodes;
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
        var open = await Session.Open(call.Pipeline, call.StoreFolder, Console(), call.LockUse, withoutFiles: _ => { }).ConfigureAwait(false);
        using var session = open.Session;
        var stages = open.Pipeline.Stages.Select(s => s.Type).DistinctBy(t => t.Declaration.Type).ToArray();
        var packages = new List<(string Requested, IReadOnlyList<InstalledPackage> Installed)>();
        foreach (var plugin in session.Packages.Resolved(open.Document))
        {
            packages.Add((plugin.Requested, await session.Packages.Sources.Exactly(plugin.Closure, call.Stop).ConfigureAwait(false)));
        }

        string[] assemblies = [.. open.Document.Plugins.Where(p => p.Version is null).Select(p => p.Name)];
        string[] own = [.. stages.Select(s => s.Package).OfType<PluginPackage>().Select(p => $"{p}")];
        if (call.Json)
        {
            JsonText.Print("scaling.plugin-list/1", open.Pipeline, new JsonObject
            {
                ["packages"] = new JsonArray([.. packages.Select(p => JsonText.WithoutNulls(new JsonObject
                {
                    ["package"] = $"{p.Installed[0]}", ["requested"] = p.Requested, ["signature"] = $"{p.Installed[0].Signature}", ["source"] = p.Installed[0].Source,
                    ["depends_on"] = new JsonArray([.. p.Installed.Skip(1).Select(o => new JsonObject { ["package"] = $"{o}", ["signature"] = $"{o.Signature}" })]),
                }))]),
                ["assemblies"] = JsonText.Of(assemblies), ["tool_packages"] = JsonText.Of(own), ["stages"] = JsonText.Of(stages.Select(s => s.Declaration.Type)),
            });
            return ExitCode.Done;
        }

        foreach (var (asked, installed) in packages)
        {
            string requested = asked == installed[0].Version ? "" : $" (asked for as {asked})";
            System.Console.Out.WriteLine($"{installed[0]}{requested}, {installed[0].Signature}, from {installed[0].Source ?? "the global packages folder"}");
            foreach (var other in installed.Skip(1))
            {
                System.Console.Out.WriteLine($"  {other}, {other.Signature}");
            }
        }

        foreach (string assembly in assemblies)
        {
            System.Console.Out.WriteLine($"{assembly}, an assembly here");
        }

        foreach (string package in own)
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
        var open = await Session.Open(call.Pipeline, call.StoreFolder, console, call.LockUse, withoutFiles: _ => { }).ConfigureAwait(false);
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

    /// <summary>Reads every byte of the packages that the pipeline's stages come from, native ones too, and holds it against the lock, or against what the tool was packed with.</summary>
    public static async Task<int> Verify(Commands.Invocation call)
    {
        string lockPath = PipelineLock.PathOf(Path.GetFullPath(call.Pipeline));
        if (PipelineLock.Read(lockPath) is not { } held)
        {
            throw new UsageException("SCAL1013", $"There is no lock {lockPath} to verify against.", "'dotnet scaling plugin restore' writes it.");
        }

        // Linking takes the lock at its word and refuses what it does not cover.
        var open = await Session.Open(call.Pipeline, call.StoreFolder, Console(), LockUse.Locked, withoutFiles: _ => { }).ConfigureAwait(false);
        using var session = open.Session;
        var closures = held.Plugins.Select(p => p.Closure).ToList();
        closures.AddRange(open.Pipeline.Stages.Select(s => s.Type.Package).OfType<PluginPackage>().Distinct().Select(session.Packages.OwnClosure).OfType<IReadOnlyList<LockedPackage>>());
        closures.AddRange(open.Pipeline.Stages.SelectMany(s => s.Natives).Where(n => n.Sha512 is not null).DistinctBy(n => n.Id).Select(n => (IReadOnlyList<LockedPackage>)[new LockedPackage(n.Id, n.Version, n.Sha512!)]));
        var findings = new List<Diagnostic>();
        foreach (var closure in closures)
        {
            findings.AddRange(await session.Packages.Sources.Verify(closure, call.Stop).ConfigureAwait(false));
        }

        findings = [.. findings.DistinctBy(f => f.Message)];
        int packages = closures.SelectMany(c => c).Distinct().Count();
        Session.Print(findings);
        int exit = findings.Any(f => f.Severity == Severity.Error) ? ExitCode.Integrity : ExitCode.Done;
        if (call.Json)
        {
            JsonText.Print("scaling.plugin-verify/1", open.Pipeline, new JsonObject { ["exit_code"] = exit, ["packages"] = packages, ["findings"] = JsonText.Of(findings) });
        }
        else
        {
            System.Console.Out.WriteLine($"{packages} {(packages == 1 ? "package" : "packages")} verified, {(findings.Count == 0 ? "no" : findings.Count)} {(findings.Count == 1 ? "finding" : "findings")}.");
        }

        return exit;
    }

    private static ICommandConsole Console() => CommandConsole.For(moves: true);

    private static PipelineDocument Read(string file)
    {
        var (document, findings) = PipelineReader.Read(file);
        return document is not null && findings.Count == 0 ? document : throw new PipelineRefusedException(findings);
    }

    /// <summary>The highest released version that the sources have.</summary>
    private static async Task<string> Latest(Session session, string package, CancellationToken stop) =>
        (await session.Packages.Sources.Resolve(new PackageRequest(package, "*"), stop).ConfigureAwait(false)).Plugin.Version;
}

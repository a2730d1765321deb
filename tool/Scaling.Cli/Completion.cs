// completion: scripts for shells, and what they ask the tool while somebody types.
using System.CommandLine.Completions;
using Scaling.Engine.Execution;
using Scaling.Engine.Pipelines;
using Scaling.Engine.Store;
using Scaling.Sdk;

namespace Scaling.Cli;

/// <summary>The scripts ask with the directive <c>[suggest:POSITION]</c>, which parses and executes nothing. What depends on a pipeline is read from its text and from the record of its last run: no worker is started.</summary>
internal static class Completion
{
    private const int MostPipelines = 20;

    private static readonly string[] Shells = ["bash", "zsh", "fish", "pwsh"];

    public static Task<int> Run(Commands.Invocation call)
    {
        if (!Shells.Contains(call.Shell))
        {
            throw new UsageException("SCAL1059", $"completion knows {string.Join(", ", Shells)}, found '{call.Shell}'.", NearestSpelling.Hint(call.Shell, Shells));
        }

        using var script = typeof(Completion).Assembly.GetManifestResourceStream($"completion.{call.Shell}")!;
        using var text = new StreamReader(script);
        Console.Out.Write(text.ReadToEnd());
        return Task.FromResult(ExitCode.Done);
    }

    /// <summary>Names of shells.</summary>
    public static IEnumerable<CompletionItem> OfShells() => Shells.Select(s => new CompletionItem(s));

    /// <summary>Stage types that the tool brings.</summary>
    public static IEnumerable<CompletionItem> OfTypes() => Session.BuiltInTypes().Select(t => new CompletionItem(t));

    /// <summary>Pipeline files, and folders on the way to them.</summary>
    /// <param name="word">What is typed of the path.</param>
    public static IEnumerable<CompletionItem> OfFiles(string word)
    {
        int slash = word.LastIndexOf('/');
        string typed = word[..(slash + 1)];
        string folder = typed.Length == 0 ? "." : typed;
        if (!Directory.Exists(folder))
        {
            return [];
        }

        var folders = Directory.EnumerateDirectories(folder).Select(Path.GetFileName).Where(n => n![0] != '.').Select(n => $"{typed}{n}/");
        return Pipelines(folder).Select(f => typed + Path.GetFileName(f)).Concat(folders).Order(StringComparer.Ordinal).Select(n => new CompletionItem(n));
    }

    /// <summary>Stages, and after <c>STAGE@</c> the rows that the last run had.</summary>
    /// <param name="word">What is typed.</param>
    /// <param name="pipeline">The pipeline file; null where none is named.</param>
    /// <param name="store">The store's folder.</param>
    public static IEnumerable<CompletionItem> OfTargets(string word, string? pipeline, string store)
    {
        string[] files = pipeline is not null ? [pipeline] : File.Exists(Commands.UsualPipeline) ? [Commands.UsualPipeline] : [.. Pipelines(".").Take(MostPipelines)];
        string[] names = word.Split('@', 2) is [var stage, _]
            ? [.. files.SelectMany(f => Points(Path.GetFullPath(f), stage, store)).Select(p => $"{stage}@{p}")]
            : [.. files.SelectMany(f => PipelineReader.Read(f).Document?.Stages.Select(s => s.Id) ?? [])];
        return names.Distinct().Select((n, i) => new CompletionItem(n, sortText: i.ToString("D6", System.Globalization.CultureInfo.InvariantCulture)));
    }

    private static IEnumerable<string> Pipelines(string folder) => Directory.EnumerateFiles(folder).Where(f => Path.GetExtension(f) is ".yaml" or ".yml");

    private static IEnumerable<string> Points(string pipeline, string stage, string folder)
    {
        if (!Directory.Exists(folder))
        {
            return []; // Whoever completes a word makes no store.
        }

        using var store = ContentStore.Open(folder, _ => { });
        return new RunHistory(store, pipeline) { LeavesDamage = true }.Last?.Stages.FirstOrDefault(s => s.Id == stage)?.Actions.Select(a => a.Point).OfType<string>() ?? [];
    }
}

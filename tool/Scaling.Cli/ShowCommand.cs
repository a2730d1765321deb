// show: an entry of the store, with what its key is made of.
using System.Text.Json.Nodes;
using Scaling.Engine.Execution;
using Scaling.Engine.Keys;
using Scaling.Engine.Pipelines;
using Scaling.Engine.Planning;
using Scaling.Engine.Store;

namespace Scaling.Cli;

internal static class ShowCommand
{
    public static Task<int> Run(Commands.Invocation call) => LookCommands.WithPipeline(call, async (session, pipeline, console) =>
    {
        var store = session.Store;
        var actions = await StageActions.Of(call, session, pipeline, console).ConfigureAwait(false);
        bool whole = actions.FansOut && !call.Target.Contains('@', StringComparison.Ordinal);
        var entries = whole ? Whole(actions, store) : Rows(call.Target, actions, store);
        if (call.OneFile is { } name)
        {
            await Print(name, call.Target, entries, store).ConfigureAwait(false);
        }
        else if (call.Json)
        {
            JsonText.Print("scaling.show/1", pipeline, new JsonObject { ["stage"] = actions.Stage.Id, ["entries"] = new JsonArray([.. entries.Select(m => Answer(m, store))]) });
        }
        else
        {
            foreach (var entry in entries)
            {
                Describe(actions.Stage, entry, whole, store);
            }
        }

        return ExitCode.Done;
    });

    /// <summary>The collection of its rows.</summary>
    private static Manifest[] Whole(StageActions actions, ContentStore store) => actions.Collection is { } key && store.Find(key) is { } collection
        ? [collection]
        : throw new UsageException("SCAL1054", $"The rows of '{actions.Stage.Id}' are not all in the store ({actions.Now.Count(a => store.Read(a.Key) is not null)} of {actions.Now.Count} actions are).", $"Name one: {actions.Stage.Id}@POINT.");

    /// <summary>Entries of the pipeline as it is now; where none of them is there, those of the last run.</summary>
    private static Manifest[] Rows(string target, StageActions actions, ContentStore store)
    {
        foreach (var known in new[] { actions.Now, actions.Before }.Where(k => k.Count > 0))
        {
            Manifest[] there = [.. actions.Named(target, known).Where(a => actions.FansOut || !a.Prepares).Select(a => store.Find(a.Key)).OfType<Manifest>()];
            if (there.Length > 0)
            {
                return there;
            }
        }

        if (actions.FansOut && actions.Named(target, actions.Now).Any(a => store.IsElsewhere(a.Key, actions.Collection)))
        {
            throw new UsageException("SCAL1054", $"{target} is not in the store: {RemoteConsole.Elsewhere}.", $"'dotnet scaling show {actions.Stage.Id}' shows the table; 'run --from {actions.Stage.Id}' executes the row here.");
        }

        throw new UsageException("SCAL1054", $"{target} is not in the store.", "'dotnet scaling why' says what it waits for, 'logs' what it printed.");
    }

    private static async Task Print(string name, string target, IReadOnlyList<Manifest> entries, ContentStore store)
    {
        StoredFile[] files = [.. entries.SelectMany(e => e.Files).Where(f => f.ResultName == name || f.Name == name)];
        if (files is not [var file])
        {
            string[] names = [.. entries.SelectMany(e => e.Files).Select(f => f.ResultName).Distinct().Take(10)];
            throw new UsageException("SCAL1055", files.Length == 0 ? $"{target} has no file '{name}'. It has: {string.Join(", ", names)}." : $"{target} has {files.Length} files '{name}'.", files.Length == 0 ? Sdk.NearestSpelling.Hint(name, names) : "Name one row, as STAGE@POINT.");
        }

        using var output = Console.OpenStandardOutput();
        using Stream content = file.Inline is { } inline ? new MemoryStream(inline) : File.OpenRead(store.ContentPath(file)!);
        await content.CopyToAsync(output).ConfigureAwait(false);
    }

    private static void Describe(StageNode stage, Manifest entry, bool whole, ContentStore store)
    {
        var output = Console.Out;
        output.WriteLine($"{stage.Id}{(entry.Point is null ? "" : "@" + entry.Point)} ({entry.Stage})");
        output.WriteLine($"  key        {entry.Key}");
        output.WriteLine(FormattableString.Invariant($"  published  {entry.Published.UtcDateTime:yyyy-MM-dd HH:mm:ss}Z after {Duration.InWords(entry.Seconds)}{(whole ? " of all its rows" : "")}"));
        output.WriteLine("  made of");
        foreach (var part in entry.Entries.Where(e => e.Kind != EntryKind.Member))
        {
            output.WriteLine($"    {part.Kind,-12} {part.Name,-24} {part.Value}".TrimEnd());
        }

        foreach (var row in entry.Entries.Where(e => e.Kind == EntryKind.Member))
        {
            output.WriteLine($"    {"row",-12} {row.Name,-24} {row.Value[..12]}{(store.Read(row.Value) is { } made ? $"  {Duration.InWords(made.Seconds)}" : "")}");
        }

        output.WriteLine("  files");
        foreach (var file in entry.Files)
        {
            output.WriteLine($"    {file.ResultName,-37} {ByteCount.Text(file.Bytes),8}  {file.Sha256}{(file.Volatile ? "  differs from run to run" : "")}");
        }
    }

    private static JsonObject Answer(Manifest entry, ContentStore store) => JsonText.WithoutNulls(new JsonObject
    {
        ["key"] = entry.Key,
        ["uses"] = entry.Stage,
        ["point"] = entry.Point,
        ["published"] = JsonText.Of(entry.Published),
        ["seconds"] = Math.Round(entry.Seconds, 3),
        ["made_of"] = new JsonArray([.. entry.Entries.Select(e => new JsonObject { ["kind"] = e.Kind, ["name"] = e.Name, ["value"] = e.Value })]),
        ["files"] = new JsonArray([.. entry.Files.Select(f => JsonText.WithoutNulls(new JsonObject
        {
            ["name"] = f.ResultName, ["kind"] = f.Kind, ["bytes"] = f.Bytes, ["sha256"] = f.Sha256, ["volatile"] = f.Volatile ? true : null, ["path"] = store.ContentPath(f),
        }))]),
    });
}

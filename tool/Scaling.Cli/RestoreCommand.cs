// restore: the results of a pipeline where a build wants them, from its committed results or the store, and never stale ones.
using System.Text.Json.Nodes;
using Scaling.Engine.Execution;
using Scaling.Engine.Locks;
using Scaling.Engine.Planning;
using Scaling.Engine.Store;
using Scaling.Sdk;

namespace Scaling.Cli;

internal static class RestoreCommand
{
    /// <summary>A result and where its content lies now: a file, or bytes.</summary>
    /// <param name="Name"><c>STAGE/FILE</c>, or <c>STAGE/POINT/FILE</c>.</param>
    /// <param name="Sha256">Of its content.</param>
    /// <param name="Path">Of the file.</param>
    /// <param name="Content">In place of it.</param>
    private sealed record Result(string Name, string Sha256, string? Path, byte[]? Content);

    private const string Schema = "scaling.restore/1";

    public static async Task<int> Run(Commands.Invocation call)
    {
        string? into = call.VerifyOnly ? null : Path.GetFullPath(call.IntoFolder ?? throw new UsageException("SCAL1009", "restore needs to know where to: --into FOLDER, or --verify to write nothing."));
        var missing = new List<Diagnostic>();
        var console = CommandConsole.For(moves: false);
        var open = await Session.Open(call.Pipeline, call.StoreFolder, console, call.LockUse, call.Sets, missing.Add).ConfigureAwait(false);
        using var session = open.Session;
        var stages = Wanted(open.Pipeline, call.Stages);
        string lockPath = PipelineLock.PathOf(open.Pipeline.Path);
        string committed = call.ResultsFolder ?? Path.Combine(Path.GetDirectoryName(open.Pipeline.Path)!, "results", open.Pipeline.Name);
        var (results, stale) = Committed(open.Pipeline, stages, lockPath, committed, session);
        if (results is null && into is not null)
        {
            results = await FromStore(open.Pipeline, stages, session, missing, console, call.Stop).ConfigureAwait(false);
            if (results is not null && stale.Count > 0)
            {
                Session.Print([new Diagnostic("SCAL9055", $"The results come from the store of this machine, since the committed ones are not those of the pipeline ({stale.Count} {(stale.Count == 1 ? "finding" : "findings")}, the first: {stale[0].Message})")
                {
                    Severity = Severity.Warning, Location = stale[0].Location, Hint = "Commit the results and the lock of the last run: elsewhere this build fails.",
                }]);
            }
        }

        if (results is null)
        {
            Session.Print(stale);
            if (call.Json)
            {
                JsonText.Print(Schema, open.Pipeline, new JsonObject { ["exit_code"] = ExitCode.Integrity, ["findings"] = JsonText.Of(stale) });
            }

            return ExitCode.Integrity;
        }

        var record = into is null ? null : call.Record; // A mistake in it is better known before anything is written.
        var written = into is null ? [.. results.Select(r => r.Path!)] : Write(results, into, session.Store);
        record?.Write(open.Pipeline.Name, into!, [.. results.Select(r => r.Name)]);
        WriteInputs(call.InputsTo, open.Pipeline, lockPath, results);
        if (call.Json)
        {
            var files = results.Zip(written, (result, path) => new JsonObject { ["name"] = result.Name, ["sha256"] = result.Sha256, ["path"] = path });
            JsonText.Print(Schema, open.Pipeline, new JsonObject { ["exit_code"] = ExitCode.Done, ["findings"] = new JsonArray(), ["files"] = new JsonArray([.. files]) });
        }
        else
        {
            written.ForEach(Console.Out.WriteLine);
        }

        return ExitCode.Done;
    }

    /// <summary>The stages asked for, or those that no other needs.</summary>
    private static StageNode[] Wanted(Pipeline pipeline, string[] ids)
    {
        string[] known = [.. pipeline.Stages.Select(s => s.Id)];
        if (ids.FirstOrDefault(id => !known.Contains(id)) is { } unknown)
        {
            throw UsageException.NoStage("SCAL1004", unknown, known);
        }

        return [.. pipeline.Stages.Where(s => ids.Length > 0 ? ids.Contains(s.Id) : pipeline.Stages.All(other => !other.Needs.Contains(s)))];
    }

    /// <summary>The committed results, or why they cannot be taken.</summary>
    private static (List<Result>? Results, IReadOnlyList<Diagnostic> Stale) Committed(Pipeline pipeline, StageNode[] stages, string lockPath, string folder, Session session)
    {
        if (PipelineLock.Read(lockPath) is not { Stages.Count: > 0 } held)
        {
            string file = pipeline.Stages[0].Location.File;
            return (null, [new Diagnostic("SCAL9051", $"There are no results of this pipeline: {lockPath} {(File.Exists(lockPath) ? "tells of none" : "is missing")}, and the store of this machine does not hold them all.")
            {
                Location = new SourceLocation(file, 1, 1), Hint = $"Run 'dotnet scaling run {Path.GetFileName(file)}' and commit its results and lock.",
            }]);
        }

        var check = new LockCheck(pipeline, held, lockPath, session.Store, Session.ToolVersion);
        var stale = check.Stale();
        if (stale.Count == 0)
        {
            stale = [.. stages.SelectMany(s => check.Edited(s, Path.Combine(folder, s.Id)))];
        }

        if (stale.Count > 0)
        {
            return (null, stale);
        }

        Session.Print(check.Assumed);
        return ([.. stages.SelectMany(s => check.CommittedFiles(s, Path.Combine(folder, s.Id)).Select(f => new Result(f.Point is null ? $"{s.Id}/{f.Name}" : $"{s.Id}/{f.Point}/{f.Name}", session.Store.Digest(f.Path), f.Path, null)))], []);
    }

    /// <summary>The results as the store of this machine holds them; null where it lacks any that lead to them.</summary>
    private static async Task<List<Result>?> FromStore(Pipeline pipeline, StageNode[] stages, Session session, List<Diagnostic> missing, ICommandConsole console, CancellationToken stop)
    {
        if (missing.Count > 0)
        {
            return null; // Without its data nobody knows the keys.
        }

        var ahead = await new Outlook(pipeline, session.Store, session.Workers, console, session.Code).Look(stop).ConfigureAwait(false);
        return stages.All(s => ahead.First(a => a.Stage == s).Result is not null)
            ? [.. stages.SelectMany(s => ahead.First(a => a.Stage == s).Result!.Files.Select(f => new Result($"{s.Id}/{f.ResultName}", f.Sha256, session.Store.ContentPath(f), f.Inline)))]
            : null;
    }

    /// <summary>Writes what differs, and removes what an earlier restore wrote and the pipeline gives no more.</summary>
    private static List<string> Write(List<Result> results, string folder, ContentStore store)
    {
        var placed = new ResultsFolder(Directory.CreateDirectory(folder).FullName, store);
        placed.RemoveAsides();
        string list = Path.Combine(folder, ".restored");
        string[] earlier = File.Exists(list) ? File.ReadAllLines(list) : [];
        string[] names = [.. results.Select(r => r.Name)];
        foreach (string old in earlier.Except(names).Where(n => Path.GetFullPath(n, folder).StartsWith(folder + Path.DirectorySeparatorChar, StringComparison.Ordinal)))
        {
            File.Delete(Path.Combine(folder, old));
        }

        File.WriteAllLines(list, earlier.Union(names)); // Before the files: what is written is known as ours whatever happens.
        foreach (var result in results)
        {
            placed.Place(result.Name, result.Sha256, result.Path, result.Content);
        }

        File.WriteAllLines(list, names);
        return [.. names.Select(n => Path.Combine(folder, n))];
    }

    private static void WriteInputs(string? path, Pipeline pipeline, string lockPath, List<Result> results)
    {
        if (path is not null)
        {
            string?[] all =
            [
                pipeline.Path, File.Exists(lockPath) ? lockPath : null,
                .. pipeline.Stages.SelectMany(s => s.Files).SelectMany(f => f.Files).Select(f => f.Path),
                .. pipeline.Stages.SelectMany(s => s.Inputs).Select(i => i.File),
                .. results.Select(r => r.Path),
            ];
            Engine.Files.Durable.Write(Path.GetFullPath(path), string.Concat(all.OfType<string>().Distinct().Select(p => p + "\n")));
        }
    }
}

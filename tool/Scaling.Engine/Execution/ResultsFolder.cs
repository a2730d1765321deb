// Results as plain files that a person opens: copies of what the store holds, rewritten when missing or edited.
using Scaling.Engine.Files;
using Scaling.Engine.Planning;
using Scaling.Engine.Store;
using Scaling.Sdk;

namespace Scaling.Engine.Execution;

/// <summary>The folder of one pipeline's results: <c>STAGE/FILE</c>, and <c>STAGE/POINT/FILE</c> for what each row gave.</summary>
/// <param name="path">Absolute.</param>
/// <param name="store">Holds the content.</param>
public sealed class ResultsFolder(string path, ContentStore store)
{
    private const string FailedTable = "failed.csv";

    private static readonly Column[] FailedColumns =
    [
        new("point", "text", "the row that failed"), new("code", "text", "diagnostic code"), new("reason", "text", "what happened"), new("log", "text", "path of what it printed"),
    ];

    /// <summary>Absolute.</summary>
    public string Path { get; } = path;

    /// <summary>Writes what stages gave, and removes what earlier runs wrote and nobody edited since, where the stage gives it no more.</summary>
    /// <param name="pipeline">The pipeline.</param>
    /// <param name="results">By stage id; a stage that was not done has none, and its earlier results stay.</param>
    /// <param name="summaries">By stage id.</param>
    /// <param name="last">The last run; null for none.</param>
    /// <returns>What is there now of ours.</returns>
    public IReadOnlyList<RecordedResult> Write(
        Pipeline pipeline, IReadOnlyDictionary<string, StageResult> results, IReadOnlyDictionary<string, StageOutcome> summaries, RunRecord? last)
    {
        RemoveAsides();
        var written = new List<RecordedResult>();
        foreach (var stage in pipeline.Stages)
        {
            if (results.TryGetValue(stage.Id, out var result))
            {
                written.AddRange(result.Files.Select(file => Place($"{stage.Id}/{file.ResultName}", file.Sha256, store.ContentPath(file), file.Inline)));
            }

            if (summaries[stage.Id].Failures is { Count: > 0 } failures)
            {
                written.AddRange(WriteFailures(stage.Id, failures));
            }
            else if (results.ContainsKey(stage.Id))
            {
                RemoveFailures(stage.Id);
            }
        }

        var earlier = last?.ResultsFolder == Path ? last.Results : [];
        var current = written.Select(w => w.Path).ToHashSet(StringComparer.Ordinal);
        foreach (var old in earlier.Where(o => !current.Contains(o.Path)))
        {
            string id = old.Path.Split('/')[0];
            if (pipeline.Stages.Any(s => s.Id == id) && !results.ContainsKey(id) && !old.Path.EndsWith($"/{FailedTable}", StringComparison.Ordinal))
            {
                written.Add(old);
            }
            else
            {
                RemoveUnedited(old);
            }
        }

        return written;
    }

    /// <summary>Removes what a run left that was killed while it wrote.</summary>
    public void RemoveAsides()
    {
        foreach (string aside in Directory.Exists(Path) ? Directory.EnumerateFiles(Path, ".*.tmp") : [])
        {
            if (System.IO.Path.GetFileName(aside).Split('.') is ["", { Length: > 0 } writer, "tmp"] && char.IsAsciiDigit(writer[0]) && Aside.IsLeft(aside, writer))
            {
                File.Delete(aside);
            }
        }
    }

    /// <summary>Puts a file where it is missing or differs, in one step.</summary>
    /// <param name="name">Relative to the folder.</param>
    /// <param name="digest">SHA-256 of its content.</param>
    /// <param name="source">File that holds the content; null where <paramref name="content"/> is it.</param>
    /// <param name="content">The content itself.</param>
    public RecordedResult Place(string name, string digest, string? source, byte[]? content)
    {
        string target = System.IO.Path.Combine(Path, name);
        if (store.TryDigest(target) != digest)
        {
            Directory.CreateDirectory(System.IO.Path.GetDirectoryName(target)!);
            string aside = System.IO.Path.Combine(Path, $".{Aside.Writer}.tmp");
            try
            {
                if (content is null)
                {
                    File.Copy(source!, aside, overwrite: true);
                }
                else
                {
                    File.WriteAllBytes(aside, content);
                }

                File.Move(aside, target, overwrite: true);
            }
            catch (IOException e)
            {
                File.Delete(aside); // It may be what fills the disk.
                throw new IOException($"{target}: {e.Message}", e.HResult);
            }
        }

        return new RecordedResult(name, digest);
    }

    private IEnumerable<RecordedResult> WriteFailures(string stage, IReadOnlyList<Failure> failures)
    {
        var table = new TableBuilder(FailedColumns);
        foreach (var failure in failures)
        {
            table.Add(failure.Point, failure.Findings.Count > 0 ? failure.Findings[0].Code : null, string.Join(" ", failure.Findings.Select(f => f.Message)), Log(failure));
        }

        // The table first: by it a later run knows the logs.
        yield return PlaceNew($"{stage}/{FailedTable}", System.Text.Encoding.UTF8.GetBytes(table.Build().ToCsv()));
        foreach (var failure in failures)
        {
            // Also where the action printed nothing: what was found stands first.
            byte[] found = System.Text.Encoding.UTF8.GetBytes(string.Concat(failure.Findings.Select(f => $"{f}\n")));
            yield return PlaceNew($"{stage}/{Log(failure)}", [.. found, .. failure.Log is { } printed ? ActionLog.End(printed) : []]);
        }

        string Log(Failure failure) => $"logs/{failure.Point ?? stage}.log";

        RecordedResult PlaceNew(string name, byte[] content) =>
            Place(name, Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(content)), null, content);
    }

    /// <summary>
    /// Removes what an earlier run told of a stage's failures, though no record may name it: where the store could not be written, the run that failed kept none. The table is known as ours by its columns.
    /// </summary>
    private void RemoveFailures(string stage)
    {
        string file = System.IO.Path.Combine(Path, stage, FailedTable);
        if (File.Exists(file) && Failed(file) is { } table)
        {
            string folder = System.IO.Path.GetDirectoryName(file)!;
            foreach (string log in table.Each().Select(row => row.Text("log")).Where(log => log.StartsWith("logs/", StringComparison.Ordinal) && !log.Contains("..", StringComparison.Ordinal)))
            {
                Remove(System.IO.Path.Combine(folder, log));
            }

            Remove(file);
        }
    }

    private static Table? Failed(string file)
    {
        try
        {
            var table = Table.Parse(File.ReadAllText(file));
            return table.Columns.SequenceEqual(FailedColumns.Select(c => c.Name)) ? table : null;
        }
        catch (FormatException)
        {
            return null;
        }
    }

    private void RemoveUnedited(RecordedResult old)
    {
        string file = System.IO.Path.Combine(Path, old.Path);
        if (!File.Exists(file) || store.Digest(file) == old.Sha256)
        {
            Remove(file); // Also where it is gone: a run that was killed then may have left its folder.
        }
    }

    /// <summary>Removes a file where it is there, and the folders that are empty then.</summary>
    private void Remove(string file)
    {
        if (!Directory.Exists(System.IO.Path.GetDirectoryName(file)))
        {
            return;
        }

        File.Delete(file);
        for (string? folder = System.IO.Path.GetDirectoryName(file); folder is not null && folder.Length > Path.Length; folder = System.IO.Path.GetDirectoryName(folder))
        {
            if (Directory.EnumerateFileSystemEntries(folder).Any())
            {
                break;
            }

            Directory.Delete(folder);
        }
    }
}

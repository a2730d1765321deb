// The runs of a pipeline file, numbered from 1; what a run that changed nothing found is not kept again.
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Scaling.Engine.Files;
using Scaling.Engine.Store;

namespace Scaling.Engine.Execution;

/// <summary>
/// Records in the store, <c>history/PIPELINE/NUMBER</c>, the pipeline by the SHA-256 of its file's absolute path. Numbers and not times order them: clocks are set back. The modification time of a record is when
/// a run last found it true.
/// </summary>
/// <param name="store">Holds them.</param>
/// <param name="pipelinePath">Absolute path of the pipeline file.</param>
public sealed class RunHistory(ContentStore store, string pipelinePath)
{
    /// <summary>As many runs of a pipeline are kept.</summary>
    public const int Longest = 50;

    /// <summary>Whether damaged records are left where they are, for whoever can tell nobody of them. Default: no, they are moved aside and reported.</summary>
    public bool LeavesDamage { get; init; }

    private readonly string _folder = Path.Combine(store.HistoryPath, FolderOf(pipelinePath));

    /// <summary>This process runs the pipeline from now on, or a part of it, until the store's disposal.</summary>
    /// <exception cref="IOException">The store cannot be written.</exception>
    public void Begin() => store.Live().WorkOn(Path.GetFileName(_folder));

    /// <summary>Who runs the pipeline now, also between two actions: process and host in words.</summary>
    public IReadOnlyList<string> Runners => store.AtWorkOn(Path.GetFileName(_folder));

    /// <summary>The numbers of the runs, the last first.</summary>
    public IReadOnlyList<int> Numbers => NumbersIn(_folder);

    /// <summary>The last run whose record can be read; null where there is none.</summary>
    public RunRecord? Last => Numbers.Select(Read).FirstOrDefault(run => run is not null);

    /// <summary>A run; null where there is none of that number, or its record is damaged or another pipeline's: that is moved aside and reported.</summary>
    /// <param name="number">From 1.</param>
    public RunRecord? Read(int number)
    {
        string path = Path.Combine(_folder, Name(number));
        var run = Read(path, out bool damaged);
        if (damaged && !LeavesDamage)
        {
            store.Quarantine(path, $"The record of run {number} of {pipelinePath} is damaged", "is forgotten; what that run alone used goes with the next gc");
        }

        return run;
    }

    /// <summary>Whether a file is no record of the run whose place it has: cut short, changed, another's, or none at all.</summary>
    /// <param name="path">In the store's history.</param>
    internal static bool IsDamaged(string path)
    {
        _ = Read(path, out bool damaged);
        return damaged;
    }

    /// <summary>A run as people name it: its number, <c>last</c>, or <c>last~2</c> for two before that; null where there is none.</summary>
    /// <param name="text">As typed.</param>
    public RunRecord? Find(string text)
    {
        if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int number))
        {
            return Read(number);
        }

        int before = text == "last" ? 0 : text.StartsWith("last~", StringComparison.Ordinal) && int.TryParse(text["last~".Length..], NumberStyles.None, CultureInfo.InvariantCulture, out int back) ? back : -1;
        return before >= 0 && Numbers.Skip(before).ToArray() is [var found, ..] ? Read(found) : null;
    }

    /// <summary>Keeps a run, and forgets the oldest; one that gave what the last gave is the last.</summary>
    /// <param name="run">Its number is given here.</param>
    /// <param name="last">The last run as it was when this one began; null for none.</param>
    /// <returns>The run with its number.</returns>
    public RunRecord Keep(RunRecord run, RunRecord? last)
    {
        if (last is not null && run.Repeats(last))
        {
            File.SetLastWriteTimeUtc(Path.Combine(_folder, Name(last.Number)), store.Now.UtcDateTime);
            return last;
        }

        run = run with { Number = Numbers is [var newest, ..] ? newest + 1 : 1 };
        while (!Durable.TryWriteNew(Path.Combine(_folder, Name(run.Number)), Sealed.Seal(JsonSerializer.SerializeToUtf8Bytes(run, EngineJson.Default.RunRecord))))
        {
            run = run with { Number = run.Number + 1 }; // Another run of the pipeline ended at the same time.
        }

        foreach (int old in Numbers.Skip(Longest))
        {
            File.Delete(Path.Combine(_folder, Name(old)));
        }

        return run;
    }

    /// <summary>Every run of every pipeline that a store remembers, with when a run last found it true; damaged records are left out, and left there.</summary>
    /// <param name="store">The store.</param>
    public static IEnumerable<(RunRecord Run, DateTimeOffset LastTrue)> All(ContentStore store)
    {
        foreach (string folder in Directory.Exists(store.HistoryPath) ? Directory.EnumerateDirectories(store.HistoryPath) : [])
        {
            foreach (int number in NumbersIn(folder))
            {
                string path = Path.Combine(folder, Name(number));
                if (Read(path, out _) is { } run)
                {
                    yield return (run, File.GetLastWriteTimeUtc(path));
                }
            }
        }
    }

    private static string Name(int number) => number.ToString("D6", CultureInfo.InvariantCulture);

    private static int[] NumbersIn(string folder)
    {
        var numbers = new List<int>();
        foreach (string file in Directory.Exists(folder) ? Directory.EnumerateFiles(folder) : [])
        {
            if (int.TryParse(Path.GetFileName(file), NumberStyles.None, CultureInfo.InvariantCulture, out int number) && number > 0)
            {
                numbers.Add(number);
            }
        }

        numbers.Sort();
        numbers.Reverse();
        return [.. numbers];
    }

    private static string FolderOf(string pipelinePath) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(pipelinePath)))[..32];

    /// <summary>Null, and no damage, where there is none.</summary>
    private static RunRecord? Read(string path, out bool damaged)
    {
        if (Sealed.Read(path, out damaged) is not { } json)
        {
            return null;
        }

        try
        {
            var run = RunRecord.Read(json);
            damaged = !run.IsSound || Name(run.Number) != Path.GetFileName(path) || FolderOf(run.Path) != Path.GetFileName(Path.GetDirectoryName(path));
            return damaged ? null : run;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException) // The other: an escape that is no character.
        {
            damaged = true;
            return null;
        }
    }
}

// The folder of a job in the store: what was meant, who owns it, and what its tasks say. It outlives controllers and slurmctld alike.
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using Scaling.Engine.Files;
using Scaling.Engine.Store;
using Scaling.Sdk;

namespace Scaling.Engine.Executors.Slurm;

/// <summary>
/// <c>jobs/TOKEN</c>:
/// <code>
/// job.json                    what is submitted, sealed; written first
/// plan.json                   its actions, frozen
/// script.sh                   what sbatch was given
/// claim                       a link whose target is the number of the job that executes it: whoever comes first, of all that were submitted for it
/// tasks/INDEX.RESTART.begun   a task began
/// tasks/INDEX.RESTART.ended   a task ended by itself, with how each action did; sealed
/// tasks/INDEX.RESTART.progress how far its actions are
/// tasks/INDEX.over            a controller has given the task up, and how what it left is tried again, by others; sealed
/// cancelled                   the pipeline whose user cancelled it, by its absolute path
/// closed                      every task has ended or was given up
/// log/INDEX.txt               what a task printed
/// </code>
/// </summary>
/// <param name="path">Absolute.</param>
public sealed class JobFolder(string path)
{
    /// <summary>Absolute.</summary>
    public string Path { get; } = path;

    /// <summary>In the job's name too.</summary>
    public string Token => System.IO.Path.GetFileName(Path);

    /// <summary>The frozen plan.</summary>
    public string PlanPath => At("plan.json");

    /// <summary>What tasks print; <c>%a</c> stands for the index.</summary>
    public string LogFolder => At("log");

    /// <summary>Whether nothing is awaited of it any more.</summary>
    public bool IsClosed => File.Exists(At("closed"));

    /// <summary>Absolute path of the pipeline whose user cancelled it; null for nobody.</summary>
    public string? CancelledBy => File.Exists(At("cancelled")) ? File.ReadAllText(At("cancelled")) : null;

    /// <summary>Number of the job that executes it; null while nobody knows.</summary>
    public string? Claim
    {
        get
        {
            byte[] target = new byte[64];
            nint length = LibC.ReadLink(At("claim"), target, target.Length);
            return length > 0 ? Encoding.UTF8.GetString(target, 0, (int)length) : null;
        }
    }

    /// <summary>What a task printed.</summary>
    /// <param name="index">From 0.</param>
    public string LogOf(int index) => System.IO.Path.Combine(LogFolder, FormattableString.Invariant($"{index}.txt"));

    /// <summary>Where the jobs of a store lie.</summary>
    /// <param name="store">Its folder.</param>
    public static string Root(string store) => System.IO.Path.Combine(store, "jobs");

    /// <summary>Makes a network file system look anew at which jobs there are: a list of a folder may be a minute old, unless this host has just changed it.</summary>
    /// <param name="store">Folder of the store.</param>
    /// <exception cref="IOException">It cannot be written.</exception>
    public static void LookAnew(string store)
    {
        string mark = System.IO.Path.Combine(Directory.CreateDirectory(Root(store)).FullName, $".{Guid.NewGuid():N}");
        File.WriteAllText(mark, "");
        File.Delete(mark);
    }

    /// <summary>Every job that is neither closed nor cancelled, the oldest first.</summary>
    /// <param name="store">Folder of the store.</param>
    /// <param name="cancelled">Also those that are cancelled: of some Slurm may not have heard it.</param>
    public static IReadOnlyList<(JobFolder Folder, JobRecord Record)> Open(string store, bool cancelled = false)
    {
        var open = new List<(JobFolder, JobRecord)>();
        foreach (string path in Directory.Exists(Root(store)) ? Directory.EnumerateDirectories(Root(store)) : [])
        {
            var folder = new JobFolder(path);
            if (!folder.IsClosed && (cancelled || folder.CancelledBy is null) && folder.Read() is { } record)
            {
                open.Add((folder, record));
            }
        }

        return [.. open.OrderBy(o => o.Item2.Made).ThenBy(o => o.Item1.Token, StringComparer.Ordinal)];
    }

    /// <summary>What was meant; null where it was not written whole, so that nothing was submitted either.</summary>
    public JobRecord? Read() => Read(At("job.json"), EngineJson.Default.JobRecord) is { IsSound: true } record && record.Token == Token ? record : null;

    /// <summary>Writes what is to be submitted; its record comes last, and with it the job is.</summary>
    /// <param name="record">What is meant.</param>
    /// <param name="plan">Writes the frozen plan; null for a job without one.</param>
    /// <param name="script">What sbatch is given.</param>
    /// <exception cref="IOException">The store cannot be written.</exception>
    public void Write(JobRecord record, Action<TextWriter>? plan, string script)
    {
        Directory.CreateDirectory(At("tasks"));
        Directory.CreateDirectory(LogFolder);
        if (plan is not null)
        {
            using var text = new StringWriter();
            plan(text);
            Durable.Write(PlanPath, text.ToString());
        }

        Durable.Write(At("script.sh"), script);
        Durable.Write(At("job.json"), Sealed.Seal(JsonSerializer.SerializeToUtf8Bytes(record, EngineJson.Default.JobRecord)));
    }

    /// <summary>Makes a job the one that executes this, if none is yet.</summary>
    /// <param name="job">Its number.</param>
    /// <returns>The job that is.</returns>
    /// <exception cref="IOException">The store cannot be written.</exception>
    public string TryClaim(string job) =>
        LibC.Link(job, At("claim")) == 0 ? job
            : Marshal.GetLastPInvokeError() is LibC.Exists && Claim is { } other ? other
            : throw FileFailure.Last($"cannot write {At("claim")}");

    /// <summary>A task says that it begins.</summary>
    public void Begin(int index, TaskBegin begin) => Durable.Write(TaskPath(index, begin.Restart, "begun"), JsonSerializer.SerializeToUtf8Bytes(begin, EngineJson.Default.TaskBegin));

    /// <summary>A task says how it ended.</summary>
    public void End(int index, TaskEnd end) => Durable.Write(TaskPath(index, end.Begin.Restart, "ended"), Sealed.Seal(JsonSerializer.SerializeToUtf8Bytes(end, EngineJson.Default.TaskEnd)));

    /// <summary>A task says how far it is; not flushed, since it proves nothing.</summary>
    internal void SayProgress(TaskIdentity task, byte[] json)
    {
        string place = TaskPath(task.Index, task.Restart, "progress");
        File.WriteAllBytes(place + "~", json);
        File.Move(place + "~", place, overwrite: true);
    }

    /// <summary>How far the actions of a task are, by key; empty where it has not said.</summary>
    public IReadOnlyDictionary<string, StageProgress> ProgressOf(int index, int restart)
    {
        try
        {
            return JsonSerializer.Deserialize(File.ReadAllBytes(TaskPath(index, restart, "progress")), EngineJson.Default.DictionaryStringStageProgress) ?? [];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException)
        {
            return new Dictionary<string, StageProgress>();
        }
    }

    /// <summary>A controller gives a task up.</summary>
    /// <param name="index">From 0.</param>
    /// <param name="again">How what it left is tried again, whoever does that; null where it is not.</param>
    public void GiveUp(int index, Decision.Again? again) =>
        Durable.TryWriteNew(OverPath(index), again is null ? [] : Sealed.Seal(JsonSerializer.SerializeToUtf8Bytes(again, EngineJson.Default.Again)));

    /// <summary>How what a task left is tried again, as the controller said that gave it up; null where it is not, or nobody did.</summary>
    /// <param name="index">From 0.</param>
    public Decision.Again? TriedAgain(int index) => Read(OverPath(index), EngineJson.Default.Again) is { Earlier: not null, Resources: not null } again ? again : null;

    /// <summary>Somebody cancels it.</summary>
    /// <param name="pipeline">Absolute path of the pipeline whose user does.</param>
    public void Cancel(string pipeline) => Durable.Write(At("cancelled"), pipeline);

    /// <summary>Nothing is awaited of it any more.</summary>
    public void Close() => File.WriteAllText(At("closed"), "");

    /// <summary>What its tasks have said, by index; one look at one folder.</summary>
    public IReadOnlyDictionary<int, TaskNews> News()
    {
        var news = new Dictionary<int, TaskNews>();
        foreach (string file in Directory.EnumerateFiles(At("tasks")))
        {
            string[] parts = System.IO.Path.GetFileName(file).Split('.');
            if (!int.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out int index))
            {
                continue; // Being written.
            }

            var before = news.GetValueOrDefault(index) ?? new TaskNews(-1, -1, false);
            int restart = parts.Length == 3 && int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out int number) ? number : -1;
            news[index] = parts[^1] switch
            {
                "begun" => before with { LastBegun = Math.Max(before.LastBegun, restart) },
                "ended" => before with { LastEnded = Math.Max(before.LastEnded, restart) },
                "over" => before with { IsOver = true },
                _ => before,
            };
        }

        return news;
    }

    /// <summary>How a task began; null where it cannot be read.</summary>
    public TaskBegin? BeginOf(int index, int restart)
    {
        try
        {
            return JsonSerializer.Deserialize(File.ReadAllBytes(TaskPath(index, restart, "begun")), EngineJson.Default.TaskBegin);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException)
        {
            return null;
        }
    }

    /// <summary>How a task ended; null where it cannot be read, which is as if it had not said it.</summary>
    public TaskEnd? EndOf(int index, int restart) => Read(TaskPath(index, restart, "ended"), EngineJson.Default.TaskEnd) is { IsSound: true } end ? end : null;

    private static T? Read<T>(string path, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type)
        where T : class
    {
        try
        {
            return Sealed.Read(path, out _) is { } json ? JsonSerializer.Deserialize(json, type) : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private string OverPath(int index) => At(FormattableString.Invariant($"tasks/{index}.over"));

    private string TaskPath(int index, int restart, string what) => At(FormattableString.Invariant($"tasks/{index}.{restart}.{what}"));

    private string At(string name) => System.IO.Path.Combine(Path, name);
}

/// <summary>What a task has said so far.</summary>
/// <param name="LastBegun">The last restart that began; -1 for none.</param>
/// <param name="LastEnded">The last restart that ended by itself; -1 for none.</param>
/// <param name="IsOver">Whether a controller has given it up.</param>
public sealed record TaskNews(int LastBegun, int LastEnded, bool IsOver);

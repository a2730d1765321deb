// A job as its controller sees it: what its tasks have said, and what Slurm says of them.
namespace Scaling.Engine.Executors.Slurm;

/// <summary>A task whose actions are awaited.</summary>
/// <param name="index">In the array.</param>
internal sealed class WatchedTask(int index)
{
    public int Index { get; } = index;

    /// <summary>The last that Slurm told of it; null for nothing yet, or nothing any more.</summary>
    public TaskSight? Sight { get; set; }

    /// <summary>So many looks at the queue in a row did not show it.</summary>
    public int Absences { get; set; }

    /// <summary>Timestamp of the first look that showed it ended, or that it is gone; null while it is not over.</summary>
    public long? OverSince { get; set; }

    /// <summary>Timestamp of the first look that found all of its actions in the store, though it has not said that it ended; null for none.</summary>
    public long? WholeSince { get; set; }

    /// <summary>The last restart whose begin was told to the user; -1 for none.</summary>
    public int ToldBegin { get; set; } = -1;

    /// <summary>The last restart whose end was read; -1 for none.</summary>
    public int ReadEnd { get; set; } = -1;

    /// <summary>What it said last.</summary>
    public TaskEnd? End { get; set; }

    /// <summary>Whether it has begun, and the last begin has not ended by itself.</summary>
    public bool IsAtWork { get; set; }
}

/// <summary>A job whose tasks are awaited.</summary>
/// <param name="folder">Its folder.</param>
/// <param name="record">What it says.</param>
internal sealed class WatchedJob(JobFolder folder, JobRecord record)
{
    public JobFolder Folder { get; } = folder;

    public JobRecord Record { get; } = record;

    /// <summary>By index; a task that is settled is taken out.</summary>
    public Dictionary<int, WatchedTask> Tasks { get; } = [];

    /// <summary>Indexes of all tasks that were ever watched here: their ends were judged.</summary>
    public HashSet<int> Watched { get; } = [];

    /// <summary>Watches a task.</summary>
    public void Add(int index)
    {
        Watched.Add(index);
        Tasks.TryAdd(index, new WatchedTask(index));
    }

    /// <summary>Gives the number of the job that executes it, once there is one.</summary>
    public Task<string?> Submitting { get; set; } = Task.FromResult<string?>(null);

    /// <summary>Number of the job; null while it is being submitted.</summary>
    public string? Number => Submitting is { IsCompletedSuccessfully: true, Result: not Submission.TooMany } ? Submitting.Result : null;

    /// <summary>When its number was first known here.</summary>
    public DateTimeOffset? NumberedAt { get; set; }

    /// <summary>The last look at the queue that was taken into account.</summary>
    public long JudgedBy { get; set; }

    /// <summary>Why Slurm will never begin it; null where it may.</summary>
    public Scaling.Sdk.Diagnostic? IsRefused { get; set; }

    /// <summary>Whether it was told that it may wait for nodes that there are not.</summary>
    public bool IsWarnedOf { get; set; }

    /// <summary>In so many looks in a row it waited for what it will never get.</summary>
    public int HopelessLooks { get; set; }

    /// <summary>Timestamp of the last question about it alone; null for none.</summary>
    public long? AskedAlone { get; set; }

    /// <summary>Timestamp of the last look for what its tasks published and did not say; null for none.</summary>
    public long? SearchedAt { get; set; }

    /// <summary>What was said last of its place in the queue.</summary>
    public string Told { get; set; } = "";

    /// <summary>Whether that was more than that it is submitted.</summary>
    public bool HasToldQueue { get; set; }

    /// <summary>Timestamp of that.</summary>
    public long? ToldAt { get; set; }

    /// <summary>Numbers of jobs that were submitted for it in vain, and cancelled.</summary>
    public HashSet<string> Orphans { get; } = [];
}

// The jobs of a pipeline that are under way on a cluster, for status: what their tasks said, and one look at the queue.
using System.Text.Json.Nodes;
using Scaling.Engine;
using Scaling.Engine.Executors.Slurm;

namespace Scaling.Cli;

/// <summary>One job.</summary>
/// <param name="Stage">Id of the stage.</param>
/// <param name="Number">Slurm's; null while it is being submitted.</param>
/// <param name="Tasks">All.</param>
/// <param name="Begun">That are at work, as they said.</param>
/// <param name="Ended">That have ended, as they said.</param>
/// <param name="Queue">What Slurm says of its tasks, counted; null where it says nothing.</param>
/// <param name="Folder">In the store.</param>
internal sealed record JobsUnderWay(string Stage, string? Number, int Tasks, int Begun, int Ended, string? Queue, string Folder)
{
    /// <summary>Of a pipeline, with what Slurm says now where it answers.</summary>
    /// <param name="call">Names the pipeline and the store.</param>
    public static async Task<IReadOnlyList<JobsUnderWay>> Of(Commands.Invocation call)
    {
        var jobs = ClusterCommands.JobsOf(call);
        if (jobs.Count == 0)
        {
            return [];
        }

        var sight = await Look().ConfigureAwait(false);
        return [.. jobs.Select(j => Of(j.Folder, j.Record, sight))];
    }

    /// <summary>For people.</summary>
    public override string ToString()
    {
        string tasks = $"{Tasks} task{(Tasks == 1 ? "" : "s")}: {Begun} running, {Ended} ended";
        return $"  {Stage,-10} {(Number is null ? "being submitted" : $"job {Number}"),-15} {tasks}{(Queue is null ? "" : $"; Slurm says: {Queue}")}";
    }

    /// <summary>For programs.</summary>
    public JsonObject ToJson() => JsonText.WithoutNulls(new JsonObject
    {
        ["stage"] = Stage, ["job"] = Number, ["tasks"] = Tasks, ["running"] = Begun, ["ended"] = Ended, ["queue"] = Queue, ["folder"] = Folder,
    });

    private static JobsUnderWay Of(JobFolder folder, JobRecord record, QueueSight? sight)
    {
        var news = folder.News();
        string? number = folder.Claim;
        string[] seen = [.. sight?.Of(record.Token).Where(s => s.Job == number).GroupBy(s => s.State.Text).OrderBy(g => g.Key, StringComparer.Ordinal).Select(g => $"{g.Sum(s => s.Tasks?.Count ?? 1)} {g.Key}{Reason(g)}") ?? []];
        return new JobsUnderWay(
            record.Stage, number, record.Tasks, news.Count(n => n.Value.LastBegun > n.Value.LastEnded), news.Count(n => n.Value.LastEnded >= 0 && n.Value.LastEnded >= n.Value.LastBegun),
            seen.Length > 0 ? string.Join(", ", seen) : null, folder.Path);
    }

    private static string Reason(IEnumerable<TaskSight> same) => string.Join(", ", same.Select(s => s.Reason).OfType<string>().Where(r => r != "None").Distinct()) is { Length: > 0 } reasons ? $" ({reasons})" : "";

    private static async Task<QueueSight?> Look()
    {
        var pace = new SlurmPace { Command = TimeSpan.FromSeconds(10) };
        try
        {
            return await new QueueWatch(new SlurmCommands(pace.Command), pace, TimeProvider.System).Look().ConfigureAwait(false);
        }
        catch (InfrastructureException)
        {
            return null; // Slurm's commands are not here: what tasks said is told all the same.
        }
    }
}

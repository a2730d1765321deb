// An answer of a command of Slurm as a file tells it: what was typed, how it ended, what it printed, and what is to be read of it (Answers/README.md).
using System.Globalization;
using System.Text;
using Scaling.Engine.Executors.Slurm;
using Scaling.TestKit;

namespace Scaling.Slurm.Tests;

/// <summary>One file below Answers.</summary>
/// <param name="Typed">The command line.</param>
/// <param name="ExitCode">Null where it did not end.</param>
/// <param name="Source">Where it was found; null for what was captured here.</param>
/// <param name="Output">Standard output.</param>
/// <param name="Error">Standard error.</param>
/// <param name="Read">What is to be read of it.</param>
public sealed record CapturedAnswer(string Typed, int? ExitCode, string? Source, string Output, string Error, string Read)
{
    /// <summary>The folder of all of them.</summary>
    public static string Folder { get; } = Path.Combine(Repository.Root, "tests", "Scaling.Slurm.Tests", "Answers");

    /// <summary>Reads a file.</summary>
    public static CapturedAnswer Of(string text)
    {
        string[] parts = text.ReplaceLineEndings("\n").Split(["--- out\n", "--- err\n", "--- read\n"], StringSplitOptions.None);
        Assert.True(parts.Length is 3 or 4, "an answer has the parts out and err, and read once it was looked at");
        var head = parts[0].Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split(' ', 2)).ToDictionary(pair => pair[0], pair => pair[1]);
        return new(head["$"], head["exit"] == "none" ? null : int.Parse(head["exit"], CultureInfo.InvariantCulture), head.GetValueOrDefault("source"), parts[1], parts[2], parts.Length == 4 ? parts[3] : "");
    }

    /// <summary>The file, with what is read now.</summary>
    public override string ToString() =>
        $"$ {Typed}\nexit {(ExitCode is { } code ? code : "none")}\n{(Source is null ? "" : $"source {Source}\n")}--- out\n{Ended(Output)}--- err\n{Ended(Error)}--- read\n{Ended(Read)}";

    /// <summary>What the readers make of it.</summary>
    public string Now()
    {
        string[] words = Typed.Split(' ');
        return string.Join('\n', (words[0], words.Contains("show"), words.Contains("config")) switch
        {
            ("squeue", _, _) => Told(SlurmAnswers.Queue(Output)),
            ("sacct", _, _) => Told(SlurmAnswers.Accounting(Output)),
            ("sbatch", _, _) => [SlurmAnswers.Submitted(Output) is var (job, cluster) ? $"job {job}{(cluster is null ? "" : $" of cluster {cluster}")}" : $"{SlurmAnswers.FaultOf(ExitCode, Error)}"],
            ("scontrol", true, true) => new[] { "ClusterName", "MaxArraySize", "MaxJobCount", "MinJobAge", "KillWait", "JobRequeue", "AccountingStorageType", "SLURM_VERSION", "NoSuchSetting" }.Select(name => $"{name} = {SlurmAnswers.Setting(Output, name) ?? "not told"}"),
            ("scontrol", true, false) => SlurmAnswers.SaysThereIsNone(Output + Error) ? ["there is none"] : Told(SlurmAnswers.Details(Output)),
            _ => Told([.. SlurmAnswers.Queue(Output), .. SlurmAnswers.Accounting(Output), .. SlurmAnswers.Details(Output)]),
        }) + "\n";
    }

    private static string Ended(string text) => text.Length == 0 || text.EndsWith('\n') ? text : text + "\n";

    private static IEnumerable<string> Told(IReadOnlyList<TaskSight> sights) => sights.Count == 0 ? ["nothing"] : sights.Select(sight =>
    {
        var text = new StringBuilder($"{sight.Job}{(sight.Tasks is { } tasks ? $" tasks {tasks}" : "")}: {sight.State.Phase} ({sight.State.Text}), name '{sight.Name}'");
        text.Append(sight.Reason is null ? "" : $", reason '{sight.Reason}'").Append(sight.Nodes is null ? "" : $", nodes {sight.Nodes}").Append(sight.ExitCode is null ? "" : $", exit {sight.ExitCode}");
        return text.Append(sight.Submitted is { } time ? $", submitted {time:yyyy-MM-dd HH:mm:ss}" : "").ToString();
    });
}

// What sbatch is given: options and a few lines of shell around the worker.
using System.Globalization;
using System.Text;

namespace Scaling.Engine.Executors.Slurm;

/// <summary>Writes scripts.</summary>
internal static class JobScript
{
    /// <summary>The tool's exit code of a task that was stopped since its time ran out, and can go on: sysexits' <c>EX_TEMPFAIL</c>.</summary>
    public const int CanGoOn = 75;

    private static readonly TimeSpan UsualNotice = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan LeastNotice = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan MostNotice = TimeSpan.FromMinutes(5);

    /// <summary>A script of POSIX shell with its options, for <c>sbatch &lt; script</c>.</summary>
    /// <param name="record">The job.</param>
    /// <param name="folder">Its folder.</param>
    /// <param name="command">What a task runs.</param>
    public static string Of(JobRecord record, JobFolder folder, IReadOnlyList<string> command)
    {
        var asks = record.Resources;
        var text = new StringBuilder("#!/bin/sh\n");
        text.Append(CultureInfo.InvariantCulture, $"# {(record.IsProbe ? "What machines run" : $"{Count(record.Keys.Count, "action")} of")} the stage {record.Stage} of {OneLine(record.Path)}, in {Count(record.Tasks, "task")}.\n");
        Option("job-name", JobName.Of(record.Pipeline, record.Stage, record.Token));
        Option("array", $"0-{record.Tasks - 1}{(asks.Limit is { } limit ? $"%{limit}" : "")}");
        Option("output", Pattern(folder.LogFolder) + "/%a.txt");
        Option("open-mode", "append");
        Option("chdir", folder.Path);
        Option("requeue", null);
        Option("signal", $"B:USR1@{Notice(asks.Time).TotalSeconds:0}");
        Option("nodes", $"{asks.Nodes ?? 1}");
        Option("ntasks-per-node", $"{asks.TasksPerNode ?? 1}");
        OptionIf("cpus-per-task", asks.Cpus);
        OptionIf("mem", asks.MemoryMebibytes is { } mebibytes ? $"{mebibytes}M" : null);
        OptionIf("time", asks.Time is { } time ? (long)Math.Ceiling(time.TotalMinutes) : null);
        OptionIf("partition", asks.Partition);
        OptionIf("account", asks.Account);
        OptionIf("qos", asks.Qos);
        OptionIf("constraint", asks.Constraint);
        OptionIf("exclude", asks.Exclude);
        OptionIf("gres", asks.Gres);
        if (record.Exclusive)
        {
            Option("exclusive", null);
        }

        foreach (string flag in asks.Flags ?? [])
        {
            Flag(flag);
        }

        text.Append(CultureInfo.InvariantCulture, $$"""

            # Time is running out: the worker saves a checkpoint and ends with {{CanGoOn}} where it can go on; it is then begun anew.
            trap 'kill -s USR1 "$worker" 2>/dev/null' USR1
            trap 'kill -s TERM "$worker" 2>/dev/null' TERM
            {{string.Join(' ', (asks.Wrap ?? []).Concat(command).Select(Quoted))}} &
            worker=$!
            wait "$worker"
            code=$?
            while kill -s 0 "$worker" 2>/dev/null; do
              wait "$worker"
              code=$?
            done
            if [ "$code" -eq {{CanGoOn}} ]; then
              scontrol requeue "${SLURM_ARRAY_JOB_ID}_${SLURM_ARRAY_TASK_ID}"
            fi
            exit "$code"

            """);
        return text.ToString();

        void OptionIf(string name, object? value)
        {
            if (value is not null)
            {
                Option(name, FormattableString.Invariant($"{value}"));
            }
        }

        void Option(string name, string? value) => Flag($"--{name}{(value is null ? "" : $"={value}")}");

        void Flag(string flag) => text.Append(CultureInfo.InvariantCulture, $"#SBATCH {OfSbatch(flag)}\n");
    }

    /// <summary>
    /// What resources say that a variable of the environment could say otherwise, for the command line: sbatch reads that over the environment, and the environment over the script.
    /// </summary>
    /// <param name="asks">Of the job.</param>
    public static IReadOnlyList<string> OverEnvironment(Resources asks) =>
    [
        .. new (string Name, string? Value)[] { ("partition", asks.Partition), ("account", asks.Account), ("qos", asks.Qos) }.Where(o => o.Value is not null).Select(o => $"--{o.Name}={o.Value}"),
        .. asks.Flags?.Where(f => f.StartsWith("--reservation=", StringComparison.Ordinal)) ?? [],
    ];

    /// <summary>How long before its end a job is told.</summary>
    private static TimeSpan Notice(TimeSpan? limit) => limit is not { } time ? UsualNotice
        : time / 10 is var tenth && tenth < LeastNotice ? LeastNotice : tenth > MostNotice ? MostNotice : tenth;

    /// <summary>A path in which sbatch replaces what begins with a percent sign.</summary>
    private static string Pattern(string path) => path.Replace("%", "%%", StringComparison.Ordinal);

    /// <summary>One word of an option line, in the quotes that sbatch reads.</summary>
    private static string OfSbatch(string word) =>
        word.All(c => char.IsAsciiLetterOrDigit(c) || "-_=./:%,@+[]|&*()!".Contains(c, StringComparison.Ordinal)) ? word : $"\"{word.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)}\"";

    private static string Quoted(string word) =>
        word.Length > 0 && word.All(c => char.IsAsciiLetterOrDigit(c) || "-_=./:%,@+".Contains(c, StringComparison.Ordinal)) ? word : $"'{word.Replace("'", "'\\''", StringComparison.Ordinal)}'";

    private static string OneLine(string path) => Pipelines.PipelineDiagnostics.OnOneLine(path);

    /// <summary>For example <c>1 task</c>, <c>3 tasks</c>.</summary>
    internal static string Count(int count, string what) => FormattableString.Invariant($"{count} {what}{(count == 1 ? "" : "s")}");
}

// How often Slurm is asked and how long is waited: a scheduler belongs to everybody.
using System.Globalization;

namespace Scaling.Engine.Executors.Slurm;

/// <summary>Times of a controller.</summary>
public sealed record SlurmPace
{
    /// <summary>Between two looks at the queue while something changes. Default: 15 s.</summary>
    public TimeSpan FirstQuery { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>The longest between two looks at the queue. Default: 180 s.</summary>
    public TimeSpan LongestQuery { get; init; } = TimeSpan.FromSeconds(180);

    /// <summary>Between two looks at the folders of jobs. Default: 1 s.</summary>
    public TimeSpan Look { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>For so long a network file system may show what was: a job that ended without a result is believed only then. Default: 60 s, the longest of NFS as it is mounted usually.</summary>
    public TimeSpan Grace { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>What is tried again is gathered for so long. Default: 10 s.</summary>
    public TimeSpan Gather { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long one command may take. Default: 180 s: sbatch itself asks a queue that is full for two minutes.</summary>
    public TimeSpan Command { get; init; } = TimeSpan.FromSeconds(180);

    /// <summary>How long a stop waits for jobs to write their checkpoints. Default: 90 s.</summary>
    public TimeSpan Stop { get; init; } = TimeSpan.FromSeconds(90);

    /// <summary>Between two tries where Slurm takes no more jobs. Default: 60 s.</summary>
    public TimeSpan Full { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>The usual, or with <c>SCALING_SLURM_POLL</c> seconds between looks at the queue for a cluster of one's own; everything else in proportion.</summary>
    /// <param name="variable">Gives the variables of the environment.</param>
    public static SlurmPace Of(Func<string, string?> variable)
    {
        var usual = new SlurmPace();
        if (!double.TryParse(variable("SCALING_SLURM_POLL"), NumberStyles.Float, CultureInfo.InvariantCulture, out double seconds) || seconds is not (> 0 and <= 600))
        {
            return usual;
        }

        double share = Math.Min(1, seconds / usual.FirstQuery.TotalSeconds);
        return usual with
        {
            FirstQuery = TimeSpan.FromSeconds(seconds), LongestQuery = TimeSpan.FromSeconds(seconds * 12), Look = usual.Look * share, Grace = usual.Grace * share, Gather = usual.Gather * share, Full = usual.Full * share,
        };
    }
}

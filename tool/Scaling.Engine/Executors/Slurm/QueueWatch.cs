// One look at the queue for all jobs of this process, as seldom as will do.
using System.Collections.Immutable;

namespace Scaling.Engine.Executors.Slurm;

/// <summary>What one look at the queue saw.</summary>
/// <param name="Number">Counts looks, from 1; 0 before the first.</param>
/// <param name="IsAnswer">Whether Slurm answered: where it did not, nothing is known, and nothing is seen.</param>
/// <param name="Words">Slurm's, where it did not answer.</param>
/// <param name="Begun">When it was asked.</param>
/// <param name="Jobs">Every job of ours in it, by token.</param>
public sealed record QueueSight(long Number, bool IsAnswer, string Words, DateTimeOffset Begun, ImmutableDictionary<string, ImmutableArray<TaskSight>> Jobs)
{
    /// <summary>Nobody has looked yet.</summary>
    public static QueueSight None { get; } = new(0, false, "", DateTimeOffset.MinValue, ImmutableDictionary<string, ImmutableArray<TaskSight>>.Empty);

    /// <summary>Whether some of ours wait or run.</summary>
    public bool HasLiving => Jobs.Values.Any(job => job.Any(s => s.State.Phase is JobPhase.Waiting or JobPhase.Running));

    /// <summary>What it saw of a job.</summary>
    /// <param name="token">The job's.</param>
    public ImmutableArray<TaskSight> Of(string token) => Jobs.GetValueOrDefault(token, []);
}

/// <summary>Looks at the queue. Between two looks lie 15 s, and more as long as they see the same.</summary>
/// <param name="commands">Asks.</param>
/// <param name="pace">How often.</param>
/// <param name="time">The clock.</param>
public sealed class QueueWatch(SlurmCommands commands, SlurmPace pace, TimeProvider time)
{
    private const double Slowing = 1.5;
    private readonly Lock _asking = new();
    private Task<QueueSight>? _running;
    private QueueSight _last = QueueSight.None;
    private bool _isAwake;
    private TimeSpan _pause;
    private long _asked;

    /// <summary>The last look; where it is time for a new one that is begun, and is the last once Slurm has answered, which may take a minute.</summary>
    /// <exception cref="InfrastructureException">SCAL5101: there is no squeue.</exception>
    public QueueSight Now()
    {
        lock (_asking)
        {
            if (_running is { IsCompleted: true } done)
            {
                _running = null;
                _last = done.GetAwaiter().GetResult();
            }

            if (_running is null && (_last.Number == 0 || time.GetElapsedTime(_asked) >= (_isAwake && _pause > pace.FirstQuery ? pace.FirstQuery : _pause)))
            {
                _asked = time.GetTimestamp();
                _running = Ask(_last);
            }

            return _last;
        }
    }

    /// <summary>A look that has been answered, or was not in time.</summary>
    /// <exception cref="InfrastructureException">SCAL5101: there is no squeue.</exception>
    public async Task<QueueSight> Look()
    {
        while (Now().Number == 0)
        {
            await (_running ?? Task.CompletedTask).ConfigureAwait(false);
        }

        return Now();
    }

    /// <summary>Something was submitted, ended or cancelled: the next look comes as soon as one may.</summary>
    public void Wake()
    {
        lock (_asking)
        {
            _isAwake = true;
        }
    }

    private async Task<QueueSight> Ask(QueueSight last)
    {
        bool woken = _isAwake;
        _isAwake = false; // What is told while Slurm answers may not be in its answer.
        var now = await Asked(last.Number + 1).ConfigureAwait(false);
        lock (_asking)
        {
            bool news = woken || now.IsAnswer != last.IsAnswer || !Same(now, last);
            _pause = news || _pause == TimeSpan.Zero ? pace.FirstQuery : _pause * Slowing < pace.LongestQuery ? _pause * Slowing : pace.LongestQuery;
        }

        return now;
    }

    private async Task<QueueSight> Asked(long number)
    {
        var begun = time.GetUtcNow();
        var answer = await commands.Call("squeue", ["--me", "--all", "--noheader", "--states=all", "--format=" + SlurmAnswers.QueueFormat]).ConfigureAwait(false);
        if (!answer.IsGiven)
        {
            return QueueSight.None with { Number = number, Words = answer.Words, Begun = begun };
        }

        var jobs = SlurmAnswers.Queue(answer.Output).Select(sight => (Token: JobName.TokenOf(sight.Name), Sight: sight)).Where(j => j.Token is not null)
            .GroupBy(j => j.Token!, j => j.Sight).ToImmutableDictionary(j => j.Key, j => j.ToImmutableArray());
        return new QueueSight(number, true, "", begun, jobs);
    }

    private static bool Same(QueueSight one, QueueSight other) =>
        one.Jobs.Count == other.Jobs.Count && one.Jobs.All(j => other.Of(j.Key).Select(Told).SequenceEqual(j.Value.Select(Told)));

    private static (string Job, string? Tasks, string State) Told(TaskSight sight) => (sight.Job, sight.Tasks?.ToString(), sight.State.Text);
}

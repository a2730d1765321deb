// Hands a job to Slurm, once, though Slurm may not say whether it took it.
using Scaling.Engine.Store;

namespace Scaling.Engine.Executors.Slurm;

/// <summary>
/// sbatch may fail while the job runs. So a job is known by the token in its name: where there is no answer, the queue is asked for that before anything is submitted again. And should Slurm show a job late, the first
/// of several that begins claims the folder, and the others end without a word.
/// </summary>
/// <param name="commands">Calls Slurm.</param>
/// <param name="queue">Looks at the queue.</param>
/// <param name="pace">How often.</param>
/// <param name="watch">Tells whether another controller is gone.</param>
/// <param name="tell">Takes what the user should know.</param>
/// <param name="time">The clock.</param>
internal sealed class Submission(SlurmCommands commands, QueueWatch queue, SlurmPace pace, LifeWatch watch, Action<string> tell, TimeProvider time)
{
    /// <summary>In place of a number: it was not submitted, since it has more tasks than this user may have in the queue, as it seems; halves of it may pass.</summary>
    public const string TooMany = "too many";

    /// <summary>So often words that nobody knows here are taken for a breakdown, when it turns out that nothing was submitted; then they are a refusal.</summary>
    private const int MostUnknownRefusals = 2;

    private static readonly TimeSpan LongSilence = TimeSpan.FromSeconds(10);

    /// <summary>In so many looks at the queue in a row a job has to be missing before it counts as not submitted.</summary>
    private const int LooksForAbsence = 3;

    /// <summary>Submits a job that this process has written.</summary>
    /// <param name="folder">Its folder.</param>
    /// <param name="record">What it says.</param>
    /// <param name="stop">Ends the waiting for room in the queue.</param>
    /// <returns>Number of the job that executes it; null where it was stopped before.</returns>
    /// <exception cref="InfrastructureException">SCAL5102: Slurm refuses it.</exception>
    public async Task<string?> Submit(JobFolder folder, JobRecord record, CancellationToken stop)
    {
        int unknown = 0, full = 0;
        while (!stop.IsCancellationRequested)
        {
            var asked = time.GetUtcNow();
            var calling = commands.Call("sbatch", ["--parsable", .. JobScript.OverEnvironment(record.Resources)], File.ReadAllText(Path.Combine(folder.Path, "script.sh")));
            await Task.WhenAny(calling, Task.Delay(LongSilence, CancellationToken.None)).ConfigureAwait(false);
            if (!calling.IsCompleted)
            {
                tell("sbatch has not answered yet; waiting");
            }

            var answer = await calling.ConfigureAwait(false);
            if (answer.IsGiven && SlurmAnswers.Submitted(answer.Output) is { } submitted)
            {
                return await Claim(folder, submitted.Job).ConfigureAwait(false);
            }

            switch (SlurmAnswers.FaultOf(answer.ExitCode, answer.Error))
            {
                case SubmissionFault.Refused:
                    throw Refused(folder, record, answer);
                case SubmissionFault.Full when ++full >= 2 && record.Tasks > 1 && queue.Now() is { IsAnswer: true } sight && !sight.HasLiving:
                    tell($"Slurm takes no {record.Tasks} tasks at once, though none of ours are in its queue; trying halves. It says: {answer.Words}");
                    return TooMany;
                case SubmissionFault.Full:
                    tell($"Slurm takes no more jobs just now; asking again every {pace.Full.TotalSeconds:0} s. It says: {answer.Words}");
                    await Task.Delay(pace.Full, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                    break;
                default:
                    tell($"Whether Slurm took the job is not clear; looking for it before it is submitted again. It says: {answer.Words}");
                    if (await Find(folder, record, asked, stop).ConfigureAwait(false) is { } found)
                    {
                        return found;
                    }

                    if (answer.ExitCode is > 0 && !SubmissionWords.IsBreakdown(answer.Error) && ++unknown >= MostUnknownRefusals && !stop.IsCancellationRequested)
                    {
                        throw Refused(folder, record, answer);
                    }

                    break;
            }
        }

        return folder.Claim;
    }

    /// <summary>Finds out what became of a job that another controller wrote, and submits it where that was all it did.</summary>
    /// <param name="folder">Its folder.</param>
    /// <param name="record">What it says.</param>
    /// <param name="stop">Ends the waiting.</param>
    /// <returns>As <see cref="Submit"/>; null too where its controller dropped it.</returns>
    public async Task<string?> Adopt(JobFolder folder, JobRecord record, CancellationToken stop)
    {
        while (folder.Claim is null && !watch.IsGone(record.Controller))
        {
            if (stop.IsCancellationRequested || IsDropped(folder))
            {
                return null;
            }

            await Task.Delay(pace.Look, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing); // It is at it.
        }

        return folder.Claim ?? await Find(folder, record, time.GetUtcNow(), stop).ConfigureAwait(false) ?? (IsDropped(folder) ? null : await Submit(folder, record, stop).ConfigureAwait(false));
    }

    private static InfrastructureException Refused(JobFolder folder, JobRecord record, SlurmAnswer answer) => new(
        "SCAL5102", $"Slurm refuses the job of '{record.Stage}': {answer.Words}.",
        $"Mend what its resources ask for ('resources:' in {record.Path} or in your profile); 'sinfo -o \"%P %l %D %c %m %G %f\"' lists partitions with their time limit, nodes, processors, MiB, devices and features. What was given to sbatch: {Path.Combine(folder.Path, "script.sh")}");

    /// <summary>Whether its controller does not want it any more: it was refused, or cancelled.</summary>
    private static bool IsDropped(JobFolder folder) => folder.IsClosed || folder.CancelledBy is not null;

    /// <summary>Looks for a job until it is found, or certainly not there; null then, and where it was stopped.</summary>
    private async Task<string?> Find(JobFolder folder, JobRecord record, DateTimeOffset since, CancellationToken stop)
    {
        int absent = 0;
        long seen = 0;
        string told = "";
        queue.Wake();
        while (!stop.IsCancellationRequested)
        {
            if (folder.Claim is { } begun)
            {
                return begun;
            }

            var sight = queue.Now();
            if (sight is { IsAnswer: false, Number: > 0 } && sight.Words != told)
            {
                told = sight.Words;
                tell($"Slurm does not answer; waiting until it does. It says: {told}");
            }

            if (sight.Of(folder.Token) is [var first, ..])
            {
                return await Claim(folder, first.Job).ConfigureAwait(false);
            }

            if (sight.IsAnswer && sight.Begun > since && sight.Number > seen)
            {
                seen = sight.Number;
                absent++;
            }

            if (absent >= LooksForAbsence && await IsAbsent(folder, record).ConfigureAwait(false))
            {
                return null;
            }

            await Task.Delay(pace.Look, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        return null;
    }

    /// <summary>Asks once more, for this job alone: a queue that looks empty may be one that nobody could look at.</summary>
    private async Task<bool> IsAbsent(JobFolder folder, JobRecord record)
    {
        string name = JobName.Of(record.Pipeline, record.Stage, record.Token);
        var answer = await commands.Call("squeue", ["--all", "--noheader", "--states=all", $"--name={name}", "--format=" + SlurmAnswers.QueueFormat]).ConfigureAwait(false);
        return answer.IsGiven && answer.Output.Trim().Length == 0 && folder.Claim is null;
    }

    /// <summary>Makes a job the one that executes a folder; where another is, this one is cancelled.</summary>
    private async Task<string> Claim(JobFolder folder, string job)
    {
        string owner = folder.TryClaim(job);
        queue.Wake();
        if (owner != job || folder.CancelledBy is not null)
        {
            await commands.Call("scancel", [job]).ConfigureAwait(false);
        }

        return owner;
    }
}

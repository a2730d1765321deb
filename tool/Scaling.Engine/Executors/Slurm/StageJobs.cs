// The actions of one stage in jobs: covered by jobs that are there, or by new ones, and watched until each has ended.
using Scaling.Engine.Planning;
using Scaling.Engine.Store;
using Scaling.Engine.Workers;
using Scaling.Sdk;

namespace Scaling.Engine.Executors.Slurm;

/// <summary>One call of the executor.</summary>
/// <param name="cluster">The executor.</param>
/// <param name="stage">Whose actions they are.</param>
/// <param name="groups">Each goes into one task.</param>
/// <param name="ended">Takes how each ended.</param>
/// <param name="stop">Asks to stop.</param>
internal sealed class StageJobs(SlurmExecutor cluster, StageNode stage, IReadOnlyList<IReadOnlyList<ActionSpec>> groups, Action<ActionSpec, ActionResult> ended, CancellationToken stop)
{
    private const int MostFollowed = 64;
    private const int LooksForHopeless = 2;
    private readonly Dictionary<string, ActionSpec> _open = groups.SelectMany(g => g).ToDictionary(a => a.Key);
    private readonly Dictionary<string, IReadOnlyList<ActionSpec>> _groups = groups.SelectMany(g => g.Select(a => (a.Key, Group: g))).ToDictionary(a => a.Key, a => a.Group);
    private readonly List<WatchedJob> _jobs = [];
    private readonly List<(IReadOnlyList<string> Keys, Decision.Again How)> _again = [];
    private CancellationTokenSource? _submitting;
    private long? _stopping;
    private long? _progressRead;
    private long? _againSince;

    /// <summary>Whether a node is only asked what it is.</summary>
    public bool IsProbe { get; init; }

    private ContentStore Store => cluster.Store;

    /// <summary>Returns when every action has ended.</summary>
    public async Task Run()
    {
        using var submitting = CancellationTokenSource.CreateLinkedTokenSource(stop);
        _submitting = submitting;
        try
        {
            await Cover([.. _open.Keys], EarlierTries.None, stage.Resources).ConfigureAwait(false);
            while (_open.Count > 0)
            {
                await Round().ConfigureAwait(false);
                if (_open.Count > 0)
                {
                    await Task.Delay(cluster.Pace.Look, _stopping is null ? stop : CancellationToken.None).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                }
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            if (!cluster.LeavesJobs)
            {
                await Cancel().ConfigureAwait(false);
            }

            StopAll();
        }
        catch (InfrastructureException e) when (e.Diagnostic.Code != "SCAL5101" && !cluster.LeavesJobs)
        {
            await Cancel().ConfigureAwait(false); // Of what is submitted nobody takes the results here. Where Slurm's commands are not here, or the jobs are another run's, they go on.
            throw;
        }
    }

    private async Task Round()
    {
        if (stop.IsCancellationRequested && _stopping is null)
        {
            _stopping = cluster.Time.GetTimestamp();
            if (cluster.LeavesJobs)
            {
                StopAll();
                return;
            }

            await Cancel().ConfigureAwait(false);
        }

        foreach (var job in _jobs)
        {
            ReadNews(job);
        }

        foreach (var job in _jobs.Where(j => j.Submitting.IsFaulted).ToArray())
        {
            job.Folder.Close();
            if (job.Record.Earlier == EarlierTries.None || job.Submitting.Exception!.InnerException is not InfrastructureException { Diagnostic.Code: "SCAL5102" } refused)
            {
                _jobs.Remove(job);
                await job.Submitting.ConfigureAwait(false); // It throws.
            }
            else
            {
                FailAgain(job, refused.Diagnostic);
            }
        }

        if (!stop.IsCancellationRequested)
        {
            foreach (var job in _jobs.Where(j => j.Submitting is { IsCompletedSuccessfully: true, Result: null or Submission.TooMany }).ToArray())
            {
                if (job.Submitting.Result is null)
                {
                    TakeOn(job);
                }
                else
                {
                    await Halve(job).ConfigureAwait(false);
                }
            }
        }

        if (_progressRead is not { } read || cluster.Time.GetElapsedTime(read) >= TaskProgress.Interval)
        {
            _progressRead = cluster.Time.GetTimestamp();
            _jobs.ForEach(ReadProgress);
        }

        var sight = cluster.Queue.Now();
        foreach (var job in _jobs.ToArray())
        {
            await Judge(job, sight).ConfigureAwait(false);
            Tell(job, sight);
        }

        await CoverAgain().ConfigureAwait(false);
        foreach (var job in _jobs.Where(j => j.Tasks.Count == 0).ToArray())
        {
            Finish(job);
        }

        if (_stopping is { } since && cluster.Time.GetElapsedTime(since) > cluster.Pace.Stop)
        {
            StopAll();
        }
    }

    /// <summary>Submits what is tried again, some seconds' worth at a time: on nodes that are taken away often, tasks end one by one.</summary>
    private async Task CoverAgain()
    {
        _againSince = _again.Count == 0 ? null : _againSince ?? cluster.Time.GetTimestamp();
        if (_againSince is not { } since || (cluster.Time.GetElapsedTime(since) < cluster.Pace.Gather && _again.Sum(a => a.Keys.Count) < _open.Count))
        {
            return;
        }

        var gathered = _again.ToArray();
        _again.Clear();
        _againSince = null;
        foreach (var again in gathered.GroupBy(a => (a.How.Earlier, a.How.Resources with { Flags = null, Wrap = null })))
        {
            await Cover([.. again.SelectMany(a => a.Keys)], again.First().How.Earlier, again.First().How.Resources).ConfigureAwait(false);
        }
    }

    /// <summary>What is tried again in another way, and refused so, fails alone: the study goes on.</summary>
    private void FailAgain(WatchedJob job, Diagnostic refused)
    {
        string code = job.Record.Earlier.Growths > 0 ? "SCAL5111" : "SCAL5112";
        var why = new Diagnostic(code, $"It could not be submitted again, after {job.Record.Earlier.InWords}. {refused.Message}") { Hint = refused.Hint };
        foreach (string key in job.Record.Keys.Where(_open.ContainsKey).ToArray())
        {
            Settle(key, new ActionResult(ActionEnd.Failed, [why], 0));
        }

        _jobs.Remove(job);
    }

    /// <summary>Of an array that is larger than a user may have in the queue, two halves are submitted.</summary>
    private async Task Halve(WatchedJob job)
    {
        using (await cluster.BeginSubmitting(stop).ConfigureAwait(false))
        {
            job.Folder.Close();
            _jobs.Remove(job);
            IReadOnlyList<string>[] tasks = [.. Enumerable.Range(0, job.Record.Tasks).Select(i => (IReadOnlyList<string>)[.. job.Record.KeysOf(i).Where(_open.ContainsKey)]).Where(t => t.Count > 0)];
            foreach (var half in tasks.Chunk(Math.Max(1, (tasks.Length + 1) / 2)))
            {
                Write(half, job.Record.Earlier, job.Record.Resources);
            }
        }
    }

    /// <summary>Finds the jobs that execute actions, or submits new ones.</summary>
    private async Task Cover(IReadOnlyList<string> keys, EarlierTries earlier, Resources asked)
    {
        using (await cluster.BeginSubmitting(stop).ConfigureAwait(false))
        {
            var tried = new Dictionary<string, EarlierTries>();
            var wanted = keys.Where(_open.ContainsKey).ToHashSet(StringComparer.Ordinal);
            if (_open.Values.All(a => !a.Again))
            {
                JobFolder.LookAnew(Store.Root);
                foreach (var (folder, record) in JobFolder.Open(Store.Root))
                {
                    wanted.ExceptWith(Watch(folder, record, wanted));
                    if (earlier == EarlierTries.None)
                    {
                        Recall(folder, record, wanted, tried);
                    }
                }
            }

            foreach (string key in wanted.Where(k => !_open[k].Again && Store.Find(k) is not null).ToArray())
            {
                wanted.Remove(key);
                Settle(key, new ActionResult(ActionEnd.Found, [], 0)); // Another published it while we waited for our turn.
            }

            foreach (var same in keys.Where(wanted.Contains).GroupBy(k => _groups[k].Count > 1 ? earlier : tried.GetValueOrDefault(k, earlier)))
            {
                IReadOnlyList<string>[] tasks = [.. Packed([.. same], asked.Pack ?? 1)];
                var chunks = tasks.Chunk(tasks.Length > 1 ? await cluster.LargestArray().ConfigureAwait(false) : 1).ToArray();
                foreach (var chunk in chunks)
                {
                    Write(chunk, same.Key, asked.Limit is { } limit && chunks.Length > 1 ? asked with { Limit = Math.Max(1, limit / chunks.Length) } : asked);
                }
            }
        }
    }

    /// <summary>Keys by task, and those that belong together in one.</summary>
    private IEnumerable<IReadOnlyList<string>> Packed(IReadOnlyList<string> keys, int pack) =>
        keys.Count > 0 && _groups[keys[0]].Count > 1 ? [keys] : keys.Chunk(pack);

    /// <summary>Watches the tasks of a job that is there.</summary>
    /// <returns>The keys that it covers.</returns>
    private List<string> Watch(JobFolder folder, JobRecord record, HashSet<string> wanted)
    {
        var covered = new List<string>();
        if (record.Again || !record.Keys.Any(wanted.Contains))
        {
            return covered;
        }

        var news = folder.News();
        var job = _jobs.FirstOrDefault(j => j.Folder.Token == record.Token) ?? new WatchedJob(folder, record);
        for (int index = 0; index < record.Tasks; index++)
        {
            string[] mine = [.. record.KeysOf(index).Where(wanted.Contains)];
            if (mine.Length > 0 && IsAwaited(folder, index, news.GetValueOrDefault(index)))
            {
                job.Add(index);
                covered.AddRange(mine);
            }
        }

        if (covered.Count > 0 && !_jobs.Contains(job))
        {
            cluster.Observer.Queued(stage, $"{JobScript.Count(covered.Count, "action")} {(covered.Count == 1 ? "is" : "are")} in job {folder.Claim ?? "(being submitted)"} already");
            job.Submitting = folder.Claim is { } number ? Task.FromResult<string?>(number) : NewSubmission().Adopt(folder, record, _submitting!.Token);
            _jobs.Add(job);
        }

        return covered;
    }

    /// <summary>Whether something may still come of a task: what ended without being stopped is done or failed, and is executed again by who asks again.</summary>
    private static bool IsAwaited(JobFolder folder, int index, TaskNews? news) =>
        news is not { IsOver: true } && (news is null || news.LastEnded < 0 || news.LastBegun > news.LastEnded || folder.EndOf(index, news.LastEnded)?.Actions.Any(a => a.End == ActionEnd.Stopped) != false);

    /// <summary>What became of tries that a controller meant to repeat, and died.</summary>
    private static void Recall(JobFolder folder, JobRecord record, HashSet<string> wanted, Dictionary<string, EarlierTries> tried)
    {
        for (int index = 0; index < record.Tasks; index++)
        {
            if (record.KeysOf(index).Any(wanted.Contains) && folder.TriedAgain(index) is { Earlier: var earlier })
            {
                record.KeysOf(index).ToList().ForEach(key => tried[key] = earlier);
            }
        }
    }

    private void Write(IReadOnlyList<string>[] tasks, EarlierTries earlier, Resources asked)
    {
        string token = JobName.NewToken();
        var first = _open[tasks[0][0]];
        var record = new JobRecord
        {
            Schema = JobRecord.CurrentSchema, Token = token, Pipeline = cluster.Pipeline.Name, Path = cluster.Pipeline.Path, Overrides = cluster.Pipeline.Overrides, ResultsFolder = cluster.ResultsFolder, Stage = stage.Id,
            Keys = [.. tasks.SelectMany(t => t)], Pack = tasks.Max(t => t.Count), SideBySide = _groups[first.Key].Count == 1 && !asked.AsksForDevices ? asked.Cpus ?? 1 : 1,
            Again = first.Again, IsProbe = IsProbe, Resources = asked, Exclusive = stage.Declaration.Exclusive, Earlier = earlier, Controller = Store.Live().Token, Made = cluster.Time.GetUtcNow(),
        };
        var folder = new JobFolder(Path.Combine(JobFolder.Root(Store.Root), token));
        ActionSpec[] actions = [.. record.Keys.Select(k => _open[k])];
        var plan = IsProbe ? null : FrozenPlan.OfActions(cluster.Pipeline, stage, actions, cluster.Version);
        folder.Write(record, plan is null ? null : plan.Write, JobScript.Of(record, folder, [.. cluster.Tool.Command, "task", folder.Path, Store.Root]));
        var job = new WatchedJob(folder, record) { Submitting = NewSubmission().Submit(folder, record, _submitting!.Token) };
        for (int index = 0; index < record.Tasks; index++)
        {
            job.Add(index);
        }

        _jobs.Add(job);
    }

    private Submission NewSubmission() =>
        new(cluster.Commands, cluster.Queue, cluster.Pace, Store.Watch(), text => cluster.Observer.Queued(stage, text), cluster.Time);

    /// <summary>What tasks say themselves: a result counts when its entry is in the store.</summary>
    private void ReadNews(WatchedJob job)
    {
        foreach (var (index, news) in job.Folder.News())
        {
            if (!job.Tasks.TryGetValue(index, out var task))
            {
                continue;
            }

            if (news.LastBegun > task.ToldBegin)
            {
                task.ToldBegin = news.LastBegun;
                foreach (string key in job.Record.KeysOf(index).Where(_open.ContainsKey))
                {
                    TellStarted(_open[key]);
                }
            }

            for (int restart = task.ReadEnd + 1; restart <= news.LastEnded; restart++)
            {
                if (job.Folder.EndOf(index, restart) is not { } end)
                {
                    continue; // Its node failed.
                }

                task.ReadEnd = restart;
                task.End = end;
                Use(job, end);
                if (end.Actions.Any(a => a.End is ActionEnd.Died or ActionEnd.Stopped))
                {
                    cluster.Queue.Wake(); // What follows from that depends on what Slurm says.
                }
            }

            task.IsAtWork = news.LastBegun > news.LastEnded;
            if (task.End is { } said && !task.IsAtWork)
            {
                Take(job, task, said);
            }

            if (news.IsOver && job.Tasks.ContainsKey(index) && job.Folder.TriedAgain(index) is { } again)
            {
                job.Tasks.Remove(index); // Another controller gave it up, and takes on what it left, or died over that. What it takes as failed is judged here too.
                _again.Add(([.. job.Record.KeysOf(index).Where(_open.ContainsKey)], again));
            }
        }
    }

    /// <summary>How far actions are, of so many tasks as a person can follow.</summary>
    private void ReadProgress(WatchedJob job)
    {
        foreach (var task in job.Tasks.Values.Where(t => t.IsAtWork).Take(MostFollowed))
        {
            foreach (var (key, progress) in job.Folder.ProgressOf(task.Index, task.ToldBegin))
            {
                if (_open.TryGetValue(key, out var action))
                {
                    cluster.Observer.Progressed(stage, action.Point, progress);
                }
            }
        }
    }

    /// <summary>Takes the ends of a task's actions that are certain.</summary>
    private void Take(WatchedJob job, WatchedTask task, TaskEnd end)
    {
        foreach (var action in end.Actions.Where(a => _open.ContainsKey(a.Key)))
        {
            bool done = action.End is ActionEnd.Published or ActionEnd.Found;
            if (action.Findings.Any(f => f.Code == "SCAL3024"))
            {
                NodeProbe.Of(stage.Resources).Forget(Store); // The next run asks a node again.
            }

            if ((done && Store.Find(action.Key) is not null) || (action.End is ActionEnd.Failed or ActionEnd.InputsChanged && !action.IsOfNode))
            {
                Settle(action.Key, new ActionResult(action.End, action.Findings, action.Seconds) { Log = action.Log ?? (done ? null : LogOf(job, task)) });
            }
            else if (action.End == ActionEnd.Stopped && _stopping is not null)
            {
                Settle(action.Key, new ActionResult(ActionEnd.Stopped, [], 0));
            }
        }

        RemoveIfSettled(job, task);
    }

    private void Use(WatchedJob job, TaskEnd end)
    {
        var asks = job.Record.Resources;
        cluster.Used(new TaskUsage(
            stage.Id, Math.Max(0, (end.Begin.Time - job.Record.Made).TotalSeconds), Math.Max(0, (end.Time - end.Begin.Time).TotalSeconds),
            (asks.Nodes ?? 1) * (asks.TasksPerNode ?? 1) * (asks.Cpus ?? 1), end.ProcessorSeconds, end.PeakBytes, asks.MemoryMebibytes, end.Begin.Restart));
    }

    /// <summary>Takes what a look at the queue says of a job's tasks.</summary>
    private async Task Judge(WatchedJob job, QueueSight sight)
    {
        if (job.Number is not { } number)
        {
            return;
        }

        job.NumberedAt ??= cluster.Time.GetUtcNow();
        if (sight.IsAnswer && sight.Number > job.JudgedBy && sight.Begun > job.NumberedAt)
        {
            job.JudgedBy = sight.Number;
            var seen = sight.Of(job.Folder.Token);
            foreach (var task in job.Tasks.Values)
            {
                See(task, Of(seen, number, task.Index));
            }

            RefuseHopeless(job, number);
            if (job.IsRefused is { } refused)
            {
                await cluster.Commands.Cancel([(job.Folder, job.Record)]).ConfigureAwait(false);
                FailAgain(job, refused);
                return;
            }

            await CancelOrphans(job, number, seen).ConfigureAwait(false);
        }

        if (job.SearchedAt is not { } searched || cluster.Time.GetElapsedTime(searched) >= cluster.Pace.FirstQuery)
        {
            job.SearchedAt = cluster.Time.GetTimestamp();
            job.Tasks.Values.Where(t => t.IsAtWork).ToList().ForEach(task => TakeUnsaid(job, task));
        }

        if (job.Tasks.Values.Any(t => t.Absences >= 2 && t.OverSince is null) && (job.AskedAlone is not { } last || cluster.Time.GetElapsedTime(last) >= cluster.Pace.FirstQuery))
        {
            job.AskedAlone = cluster.Time.GetTimestamp();
            await AskAlone(job, number).ConfigureAwait(false);
        }

        foreach (var task in job.Tasks.Values.Where(t => t.OverSince is { } since && (_stopping is not null || cluster.Time.GetElapsedTime(since) >= cluster.Pace.Grace)).ToArray())
        {
            await Conclude(job, task, number).ConfigureAwait(false);
        }
    }

    /// <summary>A node that was cut off may have published all and never say so, and Slurm may show its job as running for ever.</summary>
    private void TakeUnsaid(WatchedJob job, WatchedTask task)
    {
        string[] open = [.. job.Record.KeysOf(task.Index).Where(_open.ContainsKey)];
        if (!open.All(key => !_open[key].Again && File.Exists(Store.EntryPath(key))))
        {
            return;
        }

        task.WholeSince ??= cluster.Time.GetTimestamp();
        if (cluster.Time.GetElapsedTime(task.WholeSince.Value) >= cluster.Pace.Grace)
        {
            TakePublished(open);
            RemoveIfSettled(job, task);
        }
    }

    /// <summary>Takes what is in the store, whatever is said of who made it.</summary>
    private void TakePublished(IEnumerable<string> keys)
    {
        foreach (string key in keys.Where(k => !_open[k].Again).ToArray())
        {
            if (Store.Find(key) is { } manifest)
            {
                Settle(key, new ActionResult(ActionEnd.Published, [], manifest.Seconds));
            }
        }
    }

    /// <summary>A job that waits for what it will never get is said to be refused: else the run waits with it.</summary>
    private void RefuseHopeless(WatchedJob job, string number)
    {
        if (!job.IsWarnedOf && job.Tasks.Values.FirstOrDefault(t => t.Sight is { State.Phase: JobPhase.Waiting, Reason: HopelessReasons.NothingLikeThat }) is not null)
        {
            job.IsWarnedOf = true;
            cluster.Observer.Warned(stage, null, new Diagnostic("SCAL5105", $"Job {number} waits for nodes that its partition does not have just now ({HopelessReasons.NothingLikeThat}).")
            {
                Severity = Severity.Warning, Hint = "It begins when such nodes come back. Where there are none, ask for less (resources: { nodes, cpus, mem }): 'sinfo -o \"%P %D %c %m\"' lists partitions with their nodes, processors and MiB.",
            });
        }

        var waiting = job.Tasks.Values.FirstOrDefault(t => t.Sight is { State.Phase: JobPhase.Waiting } sight && HopelessReasons.Advice(sight.Reason) is not null);
        job.HopelessLooks = waiting is null ? 0 : job.HopelessLooks + 1;
        if (waiting is not null && job.HopelessLooks >= LooksForHopeless && _stopping is null)
        {
            string reason = waiting.Sight!.Reason!;
            var refused = new InfrastructureException(
                "SCAL5103", $"Slurm keeps job {number} of '{stage.Id}' waiting for ever, with the reason {reason}. It is cancelled.",
                $"Change 'resources:' in {job.Record.Path} or in your profile: {HopelessReasons.Advice(reason)}. What was given to sbatch: {Path.Combine(job.Folder.Path, "script.sh")}");
            if (job.Record.Earlier == EarlierTries.None)
            {
                throw refused;
            }

            job.Folder.Cancel(job.Record.Path);
            job.IsRefused = refused.Diagnostic;
        }
    }

    /// <summary>What is told of a task; else what is told of its array as a whole, as when all that waited of it were cancelled.</summary>
    private static TaskSight? Of(IReadOnlyList<TaskSight> seen, string number, int index) =>
        seen.FirstOrDefault(s => s.Job == number && s.Tasks?.Contains(index) == true) ?? seen.FirstOrDefault(s => s.Job == number && s.Tasks is null);

    private void See(WatchedTask task, TaskSight? seen)
    {
        if (seen is null)
        {
            task.Absences++;
            return;
        }

        task.Absences = 0;
        task.Sight = HopelessReasons.IsHeldAfterFailure(seen.Reason) && seen.State.Phase == JobPhase.Waiting ? seen with { State = new JobState(JobPhase.NodeFailed, seen.State.Text) } : seen;
        seen = task.Sight;
        task.OverSince = IsEnd(seen.State) ? task.OverSince ?? cluster.Time.GetTimestamp() : null;
    }

    /// <summary>Asks about a job that the queue does not show any more. Only its end, or the answer that there is no such job, ends the waiting.</summary>
    private async Task AskAlone(WatchedJob job, string number)
    {
        var details = await cluster.Commands.Call("scontrol", ["--oneliner", "show", "job", number]).ConfigureAwait(false);
        bool none = !details.IsGiven && SlurmAnswers.SaysThereIsNone(details.Output + details.Error);
        if (!details.IsGiven && !none)
        {
            return;
        }

        var told = SlurmAnswers.Details(details.Output);
        if (!none && told.Count == 0)
        {
            return; // Nothing that can be read is no answer either.
        }

        TaskSight[] shown = [.. told.Where(s => JobName.TokenOf(s.Name) == job.Folder.Token && s.Job == number)];
        List<TaskSight> seen = [.. shown];
        var accounted = await cluster.Commands.Call("sacct", ["--noheader", "--parsable2", "--allocations", $"--jobs={number}", "--format=" + SlurmAnswers.AccountingFormat]).ConfigureAwait(false);
        if (accounted.IsGiven)
        {
            seen.AddRange(SlurmAnswers.Accounting(accounted.Output).Where(s => JobName.TokenOf(s.Name) == job.Folder.Token && IsEnd(s.State)));
        }

        foreach (var task in job.Tasks.Values.Where(t => t.Absences >= 2 && t.OverSince is null))
        {
            if (Of(seen, number, task.Index) is { } found)
            {
                See(task, found);
            }
            else if (shown.Length > 0 && task.ToldBegin < 0)
            {
                // Ended tasks are remembered for a while, as the others of its array are; one that is cancelled while it waits is forgotten at once.
                See(task, new TaskSight(number, null, "", new JobState(JobPhase.Cancelled, "gone from the queue while it waited")));
            }
            else
            {
                task.Sight = null;
                task.OverSince = cluster.Time.GetTimestamp(); // Forgotten: its record was removed, as of every job some minutes after its end.
            }
        }
    }

    /// <summary>Accounting knows of ends. Of what slurmctld does not know any more it may say that it runs, for ever: nobody told it otherwise.</summary>
    private static bool IsEnd(JobState state) => state.Phase is not (JobPhase.Waiting or JobPhase.Running or JobPhase.Unknown);

    /// <summary>A job that was submitted for a folder whose owner is another must not wait for its turn in vain.</summary>
    private async Task CancelOrphans(WatchedJob job, string owner, IEnumerable<TaskSight> seen)
    {
        foreach (string orphan in seen.Where(s => s.Job != owner && s.State.Phase is JobPhase.Waiting or JobPhase.Running).Select(s => s.Job).Distinct().Where(job.Orphans.Add))
        {
            await cluster.Commands.Call("scancel", [orphan]).ConfigureAwait(false);
        }
    }

    /// <summary>A task is over: what is not in the store by now, its policy decides.</summary>
    private async Task Conclude(WatchedJob job, WatchedTask task, string number)
    {
        TakePublished(job.Record.KeysOf(task.Index).Where(_open.ContainsKey));
        string[] left = [.. job.Record.KeysOf(task.Index).Where(_open.ContainsKey)];
        if (left.Length > 0)
        {
            var ending = Ending(job, task, number, left);
            var decision = EndingPolicy.Of(ending, job.Record);
            job.Folder.GiveUp(task.Index, decision as Decision.Again);
            if (HopelessReasons.IsHeldAfterFailure(task.Sight?.Reason))
            {
                await cluster.Commands.Call("scancel", [FormattableString.Invariant($"{number}_{task.Index}")]).ConfigureAwait(false); // It would wait for an administrator.
            }

            switch (decision)
            {
                case Decision.Again again when _stopping is null:
                    cluster.Observer.Queued(stage, $"{Names(left)}: {again.Reason}; submitted again ({ending.Words})");
                    _again.Add((left, again));
                    break;
                case Decision.Fail fail when _stopping is null:
                    for (int i = 0; i < left.Length; i++)
                    {
                        Settle(left[i], new ActionResult(ActionEnd.Failed, [fail.Why], 0) { Log = i == 0 ? LogOf(job, task) : null });
                    }

                    break;
                default:
                    left.ToList().ForEach(key => Settle(key, new ActionResult(ActionEnd.Stopped, [], 0)));
                    break;
            }
        }

        else
        {
            job.Folder.GiveUp(task.Index, null); // Nothing is awaited of it, though it never said that it ended.
        }

        job.Tasks.Remove(task.Index);
    }

    private TaskEnding Ending(WatchedJob job, WatchedTask task, string number, string[] left)
    {
        var begin = job.Folder.BeginOf(task.Index, task.ToldBegin);
        string told = task.Sight is not { } sight ? "Slurm has forgotten it"
            : sight.State.Text + (sight.Reason is { } reason && reason != "None" ? $", {reason}" : "") + (sight.ExitCode is { } code && code != "0:0" ? $", exit code {code}" : "");
        return new TaskEnding(task.Sight?.State, task.IsAtWork ? null : task.End)
        {
            HasBegun = task.ToldBegin >= 0,
            CanGoOn = (!task.IsAtWork && (task.End?.CanGoOn ?? false)) || left.Any(key => Store.Leases.HasScratch(key, begin?.Time ?? DateTimeOffset.MinValue)),
            Words = $"job {number}, task {task.Index}: {told}",
            Node = begin?.Node ?? task.Sight?.Nodes,
            CancelledBy = job.Folder.CancelledBy,
            AwaitedBy = cluster.Pipeline.Path,
            IsWrapped = job.Record.Resources.Wrap is { Count: > 0 },
        };
    }

    /// <summary>A job that was never submitted, since its controller cancelled it or was refused.</summary>
    private void TakeOn(WatchedJob job)
    {
        string[] keys = [.. job.Tasks.Keys.SelectMany(job.Record.KeysOf).Where(_open.ContainsKey)];
        job.Tasks.Clear();
        if (job.Folder.CancelledBy == cluster.Pipeline.Path)
        {
            Array.ForEach(keys, key => Settle(key, new ActionResult(ActionEnd.Stopped, [], 0)));
        }
        else
        {
            _again.Add((keys, new Decision.Again(job.Record.Earlier, stage.Resources, "its controller did not submit it")));
        }
    }

    /// <summary>Cancels the jobs of this pipeline that are watched.</summary>
    private async Task Cancel()
    {
        WatchedJob[] ours = [.. _jobs.Where(j => j.Record.Path == cluster.Pipeline.Path && !IsAwaitedElsewhere(j.Record))];
        foreach (var job in _jobs.Where(j => !ours.Contains(j)))
        {
            cluster.Observer.Queued(stage, $"leaving job {job.Number} to the run that submitted it; 'dotnet scaling cancel {job.Record.Path}' ends it");
        }

        Array.ForEach(ours, job => job.Folder.Cancel(cluster.Pipeline.Path)); // Before any ends: whoever sees one end shall know why.

        // What sbatch is being given now would come after scancel, and wait in the queue for nothing.
        await _submitting!.CancelAsync().ConfigureAwait(false);
        await ((Task)Task.WhenAll(ours.Select(j => j.Submitting)).WaitAsync(cluster.Pace.Stop)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        cluster.Queue.Wake();
        if (await cluster.Commands.Cancel([.. ours.Select(j => (j.Folder, j.Record))]).ConfigureAwait(false) is { } unheard)
        {
            cluster.Observer.Queued(stage, $"Slurm did not cancel all jobs; 'dotnet scaling cancel {cluster.Pipeline.Path}' asks it again. It says: {unheard}");
        }

        foreach (var job in _jobs.ToArray())
        {
            bool mine = ours.Contains(job);
            foreach (var task in job.Tasks.Values.Where(t => !mine || t.ToldBegin < 0).ToArray())
            {
                foreach (string key in job.Record.KeysOf(task.Index).Where(_open.ContainsKey).ToArray())
                {
                    Settle(key, new ActionResult(ActionEnd.Stopped, [], 0)); // It was not begun, or is another's.
                }

                job.Tasks.Remove(task.Index);
            }
        }
    }

    /// <summary>Whether the run that submitted a job goes on, as far as one look tells.</summary>
    private bool IsAwaitedElsewhere(JobRecord record)
    {
        string life = Path.Combine(Store.LivesPath, record.Controller);
        return record.Controller != Store.Live().Token && File.Exists(life) && !LifeSight.Of(life).IsDead;
    }

    private void StopAll()
    {
        foreach (string key in _open.Keys.ToArray())
        {
            Settle(key, new ActionResult(ActionEnd.Stopped, [], 0));
        }
    }

    private void Settle(string key, ActionResult result)
    {
        if (_open.Remove(key, out var action))
        {
            if (result.End is ActionEnd.Published or ActionEnd.Found && action.Kind == ActionKind.Run && !IsProbe)
            {
                cluster.Observer.Done(stage, action.Point, key, result.End == ActionEnd.Published, result.Seconds);
            }

            ended(action, result);
        }
    }

    private void RemoveIfSettled(WatchedJob job, WatchedTask task)
    {
        if (!job.Record.KeysOf(task.Index).Any(_open.ContainsKey))
        {
            job.Tasks.Remove(task.Index);
        }
    }

    /// <summary>Lets a job go; it is closed when every task of it has ended, though they be others' too.</summary>
    private void Finish(WatchedJob job)
    {
        _jobs.Remove(job);
        var news = job.Folder.News();
        if (job.Submitting.IsFaulted || Enumerable.Range(0, job.Record.Tasks).All(i => news.GetValueOrDefault(i) is { } said && (said.IsOver || (said.LastEnded >= 0 && said.LastEnded >= said.LastBegun && !IsToGoOn(job, i, said.LastEnded)))))
        {
            job.Folder.Close();
        }
    }

    /// <summary>Whether a task that others await ended to be begun anew by its script.</summary>
    private static bool IsToGoOn(WatchedJob job, int index, int restart) => !job.Watched.Contains(index) && job.Folder.EndOf(index, restart) is { Late: true, CanGoOn: true } or null;

    /// <summary>Says where the job is in the queue, when that changes.</summary>
    private void Tell(WatchedJob job, QueueSight sight)
    {
        if (job.Tasks.Count == 0)
        {
            return; // Its last task has just ended, and that was told.
        }

        string text = job.Number is not { } number ? job.Told
            : sight is { IsAnswer: false, Number: > 0 } ? $"job {number}: Slurm does not answer, which says nothing of the job ({sight.Words})"
            : $"job {number}: {string.Join(", ", Counts(job))}";
        if (text != job.Told && (!job.HasToldQueue || job.ToldAt is not { } last || cluster.Time.GetElapsedTime(last) >= cluster.Pace.FirstQuery * 2))
        {
            job.Told = text;
            job.HasToldQueue = job.Tasks.Values.Any(t => t.Sight is not null);
            job.ToldAt = cluster.Time.GetTimestamp();
            cluster.Observer.Queued(stage, text);
        }
    }

    private static IEnumerable<string> Counts(WatchedJob job) =>
        from task in job.Tasks.Values
        let sight = task.Sight
        let what = sight is null ? (task.IsAtWork ? "running" : "submitted")
            : sight.State.Phase == JobPhase.Waiting ? $"waiting{(sight.Reason is { Length: > 0 } reason && reason != "None" ? $" ({HopelessReasons.Explained(reason)})" : "")}"
            : sight.State.Phase == JobPhase.Running ? "running"
            : sight.State.Phase == JobPhase.Unknown ? $"in a state '{sight.State.Text}' that is not known here" : "ended"
        group task by what into same
        orderby same.Key
        select $"{same.Count()} {same.Key}";

    private void TellStarted(ActionSpec action)
    {
        if (action.Kind == ActionKind.Run && !IsProbe)
        {
            cluster.Observer.Started(stage, action.Point, action.Key);
        }
    }

    private string Names(string[] keys) => _open[keys[0]].Point is { } point ? $"{point}{(keys.Length > 1 ? FormattableString.Invariant($" and {keys.Length - 1} more") : "")}" : "it";

    private static string? LogOf(WatchedJob job, WatchedTask task) => new FileInfo(job.Folder.LogOf(task.Index)) is { Exists: true, Length: > 0 } log ? log.FullName : null;
}

// A cluster in the test's process behind FakeSlurm.sh: takes submissions, begins and ends tasks on nodes, and writes what Slurm's commands print of them.
using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using Scaling.Engine.Executors.Slurm;
using Scaling.Engine.Store;

namespace Scaling.Engine.Tests.Executors;

/// <summary>Two nodes, n1 and n2, on which what <see cref="Node"/> says becomes of each task.</summary>
internal sealed class FakeCluster : IDisposable
{
    private static readonly TimeSpan Beat = TimeSpan.FromMilliseconds(5);
    private readonly string _folder;
    private readonly CancellationTokenSource _end = new();
    private readonly Thread _life;
    private readonly List<FakeJob> _jobs = [];
    private readonly Dictionary<string, DateTime> _written = [];
    private int _running;

    /// <summary>Begins one.</summary>
    /// <param name="folder">Its own.</param>
    /// <param name="store">The store as its nodes see it.</param>
    public FakeCluster(string folder, ContentStore store)
    {
        (_folder, Store) = (folder, store);
        foreach (string part in new[] { "bin", "spool/calls", "spool/numbers", "spool/submitted", "spool/cancels", "spool/faults" })
        {
            Directory.CreateDirectory(Path.Combine(folder, part));
        }

        foreach (string program in new[] { "sbatch", "squeue", "sacct", "scontrol", "scancel" })
        {
            File.CreateSymbolicLink(Path.Combine(folder, "bin", program), Path.Combine(AppContext.BaseDirectory, "Executors", "FakeSlurm.sh"));
        }

        Put("squeue", "");
        Put("first", "17\n");
        Put("accounting", "");
        Put("config", "Configuration data as of 2026-11-28T15:00:00\nMaxArraySize            = 1001\nMaxJobCount             = 10000\n");
        _life = new Thread(Live) { IsBackground = true, Name = "fake cluster" };
        _life.Start();
    }

    /// <summary>What becomes of a task: its state when it has left the node, PENDING where Slurm begins it anew. Default: it works.</summary>
    public Func<FakeTask, Task<string>> Node { get; set; } = task => task.Works();

    /// <summary>Tasks that run at once.</summary>
    public int Room { get; set; } = 64;

    /// <summary>How long an ended task is in the queue's answers.</summary>
    public TimeSpan Remembers { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>The first submission is taken only after so many calls of squeue.</summary>
    public int TakesFirstAfterLooks { get; set; }

    /// <summary>Whether nothing is begun.</summary>
    public bool IsFull { get; set; }

    /// <summary>The store as nodes see it.</summary>
    public ContentStore Store { get; }

    /// <summary>Every begin of an action's work, in order.</summary>
    public ConcurrentQueue<Execution> Executions { get; } = new();

    /// <summary>Jobs of ours in the order in which they were taken.</summary>
    public IReadOnlyList<FakeJob> Jobs
    {
        get
        {
            lock (_jobs)
            {
                return [.. _jobs.Where(j => !j.IsStrange)];
            }
        }
    }

    /// <summary>Folder of the programs.</summary>
    public string Programs => Path.Combine(_folder, "bin");

    /// <summary>The arguments of each call of a program so far, and when it was made.</summary>
    public IReadOnlyList<(string Arguments, DateTime At)> Calls(string program) =>
        [.. Directory.EnumerateFiles(Path.Combine(_folder, "spool/calls"), program + ".*").Select(f => (File.ReadAllText(f).Trim(), File.GetLastWriteTimeUtc(f))).OrderBy(c => c.Item2)];

    /// <summary>Makes calls of a program misbehave; <c>genuine "$@"</c> within is the call as it should be.</summary>
    /// <param name="program">Its name.</param>
    /// <param name="script">POSIX shell.</param>
    /// <param name="calls">Which, from 1; none for all from now on.</param>
    public void Fault(string program, string script, params int[] calls)
    {
        foreach (string call in calls.Length == 0 ? ["all"] : calls.Select(c => c.ToString(CultureInfo.InvariantCulture)))
        {
            Put($"faults/{program}.{call}", script + "\n");
        }
    }

    /// <summary>Ends what <see cref="Fault"/> said of all calls.</summary>
    public void Mend(string program) => File.Delete(At($"faults/{program}.all"));

    /// <summary>Without slurmdbd.</summary>
    public void HasNoAccounting() => File.Delete(At("accounting"));

    /// <summary>MaxArraySize of its configuration.</summary>
    public void TakesArraysOf(int size) => Put("config", $"MaxArraySize            = {size}\n");

    /// <summary>The number of the next job, where no job has it.</summary>
    public void CountsFrom(int number) => Put("first", $"{number}\n");

    /// <summary>Somebody else's job under a number.</summary>
    public void AddStranger(string number, string name, string state) => Change(() =>
    {
        var stranger = new FakeJob(number, name, "", null, 1) { IsStrange = true };
        stranger.Tasks[0].State = state;
        _jobs.Add(stranger);
    });

    /// <summary>Changes what is seen of its jobs.</summary>
    public void Change(Action change)
    {
        lock (_jobs)
        {
            change();
            _jobs.ForEach(j => j.IsChanged = true);
        }
    }

    /// <summary>Slurm removes the records of every ended task.</summary>
    public void Forget() => Change(() => _jobs.SelectMany(j => j.Tasks).Where(t => t.EndedAt is not null).ToList().ForEach(t => t.IsForgotten = true));

    /// <summary>scancel as an administrator calls it.</summary>
    public void Cancel(FakeJob job) => Change(() => Cancel(job.Tasks, "CANCELLED by 0"));

    /// <summary>scancel of a task that waits: Slurm remembers nothing of it.</summary>
    public void CancelWaiting(FakeTask task) => Change(() =>
    {
        task.Leave("CANCELLED");
        task.IsForgotten = true;
    });

    /// <summary>Waits for something to be so, or fails after 12 s.</summary>
    public static async Task Until(Func<bool> so, string what)
    {
        var late = DateTime.UtcNow.AddSeconds(12);
        while (!so())
        {
            Assert.True(DateTime.UtcNow < late, $"within 12 s not: {what}");
            await Task.Delay(10);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _end.Cancel();
        _life.Join();
        foreach (var task in _jobs.SelectMany(j => j.Tasks))
        {
            task.End();
        }

        _end.Dispose();
    }

    private void Live()
    {
        while (!_end.IsCancellationRequested)
        {
            lock (_jobs)
            {
                TakeSubmissions();
                TakeCancels();
                if (!IsFull)
                {
                    BeginTasks();
                }

                foreach (var ended in _jobs.SelectMany(j => j.Tasks).Where(t => !t.IsForgotten && t.EndedAt is { } at && DateTime.UtcNow - at > Remembers))
                {
                    ended.IsForgotten = ended.Job.IsChanged = true;
                }

                WriteAnswers();
            }

            _end.Token.WaitHandle.WaitOne(Beat);
        }
    }

    private void TakeSubmissions()
    {
        bool isLate = TakesFirstAfterLooks > 0 && !File.Exists(At($"calls/squeue.{TakesFirstAfterLooks}"));
        foreach (string file in Directory.EnumerateFiles(At("submitted")).Where(f => !f.EndsWith(".tmp", StringComparison.Ordinal) && !(isLate && f.EndsWith("/17", StringComparison.Ordinal))).OrderBy(f => int.Parse(Path.GetFileName(f), CultureInfo.InvariantCulture)))
        {
            string script = File.ReadAllText(file);
            File.Delete(file);
            string[] array = FakeJob.Option(script, "array")!.Split('-', '%');
            _jobs.Add(new FakeJob(Path.GetFileName(file), FakeJob.Option(script, "job-name")!, script, this, int.Parse(array[1], CultureInfo.InvariantCulture) + 1)
            {
                Limit = array.Length == 3 ? int.Parse(array[2], CultureInfo.InvariantCulture) : int.MaxValue,
            });
        }
    }

    private void TakeCancels()
    {
        foreach (string file in Directory.EnumerateFiles(At("cancels")).Where(f => !f.EndsWith(".tmp", StringComparison.Ordinal)))
        {
            string[] words = File.ReadAllText(file).Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
            File.Delete(file);
            foreach (var job in _jobs)
            {
                bool whole = words.Contains($"--name={job.Name}") || words.Contains(job.Number);
                Cancel(job.Tasks.Where(t => whole || words.Contains($"{job.Number}_{t.Index}")), "CANCELLED by 1000");
            }
        }
    }

    private static void Cancel(IEnumerable<FakeTask> tasks, string state)
    {
        foreach (var task in tasks.Where(t => t.EndedAt is null))
        {
            task.Job.IsChanged = true;
            task.CancelledAs = state;
            if (task.State == "PENDING")
            {
                task.Leave(state);
            }
            else
            {
                task.Signal.Cancel();
            }
        }
    }

    private void BeginTasks()
    {
        foreach (var job in _jobs.Where(j => !j.IsStrange))
        {
            int running = job.Tasks.Count(t => t.State == "RUNNING");
            foreach (var task in job.Tasks.Where(t => t is { State: "PENDING", IsHeld: false }))
            {
                if (_running >= Room || running >= job.Limit)
                {
                    break;
                }

                running++;
                _running++;
                task.Begin();
                job.IsChanged = true;
                _ = Task.Run(() => Run(task));
            }
        }
    }

    private async Task Run(FakeTask task)
    {
        string state;
        try
        {
            state = await Node(task).ConfigureAwait(false);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            state = $"BROKEN TEST: {e}".ReplaceLineEndings(" ").Replace('|', '!');
        }

        lock (_jobs)
        {
            _running--;
            if (task.State == "RUNNING")
            {
                task.Leave(task.CancelledAs ?? state);
            }

            task.Job.IsChanged = true;
        }
    }

    /// <summary>Long lists are written less often: an answer may be some moments old, as Slurm's may.</summary>
    private void WriteAnswers()
    {
        var changed = _jobs.Where(j => j.IsChanged && DateTime.UtcNow - _written.GetValueOrDefault(j.Number) >= TimeSpan.FromMilliseconds(j.Tasks.Count)).ToArray();
        if (changed.Length == 0)
        {
            return;
        }

        foreach (var job in changed)
        {
            job.IsChanged = false;
            job.QueueText = job.Queue();
            _written[job.Number] = DateTime.UtcNow;
        }

        foreach (string number in changed.Select(j => j.Number).Distinct())
        {
            // A number that was used again is of two jobs; Slurm remembers the younger.
            var job = _jobs.Last(j => j.Number == number);
            PutOrRemove($"scontrol.{number}", job.Details());
            Put($"sacct.{number}", job.Accounting());
        }

        Put("squeue", string.Concat(_jobs.Select(j => j.QueueText)));
    }

    private void PutOrRemove(string name, string text)
    {
        if (text.Length == 0)
        {
            File.Delete(At(name));
        }
        else
        {
            Put(name, text);
        }
    }

    private void Put(string name, string text)
    {
        File.WriteAllText(At(name) + ".new", text);
        File.Move(At(name) + ".new", At(name), overwrite: true);
    }

    private string At(string name) => Path.Combine(_folder, "spool", name);
}

/// <summary>An action's work in a task.</summary>
/// <param name="Key">Of the action.</param>
/// <param name="Job">Number of the job.</param>
/// <param name="Index">Of the task.</param>
/// <param name="Restart">Of the task.</param>
internal sealed record Execution(string Key, string Job, int Index, int Restart)
{
    /// <summary>Whether nothing came of it: the node, the worker or Slurm ended it.</summary>
    public bool IsLost { get; set; }
}

/// <summary>A job that was submitted.</summary>
internal sealed class FakeJob
{
    public FakeJob(string number, string name, string script, FakeCluster? cluster, int tasks)
    {
        (Number, Name, Script) = (number, name, script);
        Tasks = [.. Enumerable.Range(0, tasks).Select(i => new FakeTask(cluster, this, i))];
        Folder = new JobFolder(Option(script, "chdir") ?? "/nowhere");
    }

    public string Number { get; }

    public string Name { get; }

    public string Script { get; }

    public JobFolder Folder { get; }

    public JobRecord Record => Folder.Read()!;

    public IReadOnlyList<FakeTask> Tasks { get; }

    public int Limit { get; init; } = int.MaxValue;

    public bool IsStrange { get; init; }

    /// <summary>Whether squeue leaves it out.</summary>
    public bool IsHidden { get; set; }

    public bool IsChanged { get; set; } = true;

    /// <summary>Why its tasks wait.</summary>
    public string WaitsFor { get; set; } = "Resources";

    public string QueueText { get; set; } = "";

    private string Submitted { get; } = DateTime.Now.ToString("yyyy-MM-dd'T'HH:mm:ss", CultureInfo.InvariantCulture);

    /// <summary>What an option of the script says; null where it is not there.</summary>
    public static string? Option(string script, string name) =>
        script.Split('\n').Where(l => l.StartsWith("#SBATCH ", StringComparison.Ordinal)).Select(l => l["#SBATCH ".Length..].Trim('"')).FirstOrDefault(l => l.StartsWith($"--{name}=", StringComparison.Ordinal))?[(name.Length + 3)..];

    public string Queue()
    {
        var text = new StringBuilder();
        FakeTask[] seen = IsHidden ? [] : [.. Tasks.Where(t => !t.IsForgotten)];
        FakeTask[] waiting = [.. seen.Where(t => t is { State: "PENDING", Restart: 0 })];
        if (waiting.Length > 0)
        {
            text.Append(CultureInfo.InvariantCulture, $"{Number}_[{ArrayIndexes.Of(waiting.Select(t => t.Index))}{(Limit == int.MaxValue ? "" : $"%{Limit}")}]|PENDING|{Submitted}||{Name}|{WaitsFor}\n");
        }

        foreach (var task in seen.Except(waiting))
        {
            text.Append(CultureInfo.InvariantCulture, $"{Number}_{task.Index}|{task.State.Split(" by ")[0]}|{Submitted}|{task.NodeList}|{Name}|{task.Reason}\n");
        }

        return text.ToString();
    }

    public string Details() => string.Concat(Tasks.Where(t => !t.IsForgotten).Select(t =>
        $"JobId={int.Parse(Number, CultureInfo.InvariantCulture) + 1000 + t.Index} ArrayJobId={Number} ArrayTaskId={t.Index} JobName={Name} UserId=u(1000) GroupId=u(1000) MCS_label=N/A Priority=1 Nice=0 Account=(null) QOS=normal "
        + $"JobState={t.State.Split(" by ")[0]} Reason={t.Reason} Dependency=(null) Requeue=1 Restarts={t.Restart} BatchFlag=1 Reboot=0 ExitCode={t.ExitCode} RunTime=00:00:01 TimeLimit=01:00:00 SubmitTime={Submitted} Partition=main NodeList={t.NodeList} NumNodes=1\n"));

    public string Accounting() => string.Concat(Tasks.Select(t => $"{Number}_{t.Index}|{t.State}|{Submitted}|{t.NodeList}|{t.ExitCode}|{Name}|{t.Reason}\n"));
}

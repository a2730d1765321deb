// Workers by plugin: each serves many actions, one at a time, and is replaced when it dies.
using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using Scaling.Engine.Planning;
using Scaling.Sdk;

namespace Scaling.Engine.Workers;

/// <summary>How one action ended, as the tool sees it.</summary>
/// <param name="End">What happened.</param>
/// <param name="Findings">Why it failed, or who is busy with it.</param>
/// <param name="Seconds">What it took.</param>
public sealed record ActionResult(ActionEnd End, IReadOnlyList<Diagnostic> Findings, double Seconds)
{
    /// <summary>Why it gave nothing, in words.</summary>
    public IReadOnlyList<Diagnostic> Reasons => End == ActionEnd.InputsChanged
        ? [new Diagnostic("SCAL3010", "Its input files or its plugin changed while it ran; nothing was published.") { Hint = "Run again when they are still." }]
        : Findings;

    /// <summary>File of what it printed, or its batch; null for nothing.</summary>
    public string? Log { get; init; }

    /// <summary>The lease that a busy action is under; null where it waits for the machine.</summary>
    public string? Lease { get; init; }
}

/// <summary>What a worker says while it works.</summary>
/// <param name="Progress">Key of an action, and how far it is.</param>
/// <param name="Warning">Key of the action that warns, null for the store; and the warning.</param>
public sealed record WorkerEvents(Action<string, StageProgress> Progress, Action<string?, Diagnostic> Warning)
{
    /// <summary>Takes the key of an action that is executed from now on. Default: nobody listens.</summary>
    public Action<string> Started { get; init; } = _ => { };

    /// <summary>Takes how an action ended, while others of its batch may go on. Default: nobody listens.</summary>
    public Action<string, ActionResult> Ended { get; init; } = (_, _) => { };
}

/// <summary>Starts, reuses and replaces worker processes.</summary>
/// <param name="command">How to start one.</param>
/// <param name="store">The store's folder.</param>
public sealed class WorkerPool(WorkerCommand command, string store) : IDisposable
{
    private static readonly TimeSpan LongestTimer = TimeSpan.FromDays(49);
    /// <summary>By plugin and native packages: a process that has loaded some cannot load others of the same name.</summary>
    private readonly Dictionary<Loaded, Stack<Worker>> _idle = [];
    private readonly HashSet<Worker> _busy = [];
    private bool _closed;

    /// <summary>Describes a plugin: JSON of its <c>closure</c> and <c>stages</c>.</summary>
    /// <param name="assembly">Absolute path of its main assembly.</param>
    /// <exception cref="StageFailedException">It is no plugin, or its code crashes.</exception>
    public async Task<string> Describe(string assembly)
    {
        var answer = await Ask(assembly, new Request { Describe = assembly }, "described itself", "A stage's constructor and Declaration must do no work.").ConfigureAwait(false);
        return answer?.Description ?? throw new StageFailedException(answer?.Findings ?? []);
    }

    /// <summary>Prices actions of one stage together, executing none.</summary>
    /// <param name="actions">At least one; settings, row and point are used.</param>
    /// <param name="target">On what.</param>
    /// <exception cref="StageFailedException">The stage does not know the device, or its code crashes.</exception>
    public async Task<IReadOnlyList<PricedQuantity>> Price(IReadOnlyList<ActionSpec> actions, PriceTarget target)
    {
        var asked = new PriceRequest(target, [.. actions.Select(a => a with { Entries = [], Inputs = [], Reads = [], Prepared = [], NativeFolders = [] })]);
        var answer = await Ask(actions[0].Assembly, new Request { Price = asked }, "priced its actions", "A stage's Price must do no work.").ConfigureAwait(false);
        return answer is { Findings: { } findings } ? throw new StageFailedException(findings) : answer?.Price ?? [];
    }

    /// <summary>Asks a stage whether this machine has what its settings need.</summary>
    /// <param name="stage">Its settings are used.</param>
    /// <param name="assembly">Absolute path of its plugin's main assembly.</param>
    /// <exception cref="StageFailedException">The machine lacks something, or the stage's code crashes.</exception>
    public async Task CheckMachine(StageNode stage, string assembly)
    {
        var asked = new ActionSpec { Key = "", Entries = [], Assembly = assembly, Stage = stage.Declaration.Type, Settings = stage.Settings };
        var answer = await Ask(assembly, new Request { Check = asked }, "checked the machine", "A stage's CheckMachine must take no time.").ConfigureAwait(false);
        if (answer is { Findings: { } findings })
        {
            throw new StageFailedException(findings);
        }
    }

    /// <summary>One question that a plugin answers within a minute.</summary>
    private async Task<Reply?> Ask(string assembly, Request request, string did, string hint)
    {
        var worker = Rent(assembly);
        Reply? answer = null;
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        try
        {
            worker.TrySend(request);
            while (await worker.Receive(patience.Token).ConfigureAwait(false) is { } reply)
            {
                if (reply.Ready)
                {
                    Return(assembly, worker);
                    return answer;
                }

                answer = reply;
            }
        }
        catch (JsonException e)
        {
            Discard(worker);
            throw new StageFailedException("SCAL6007", $"{Path.GetFileName(assembly)} said what is no reply while it {did}: {e.Message}");
        }
        catch (OperationCanceledException)
        {
            Discard(worker);
            throw new StageFailedException("SCAL6007", $"{Path.GetFileName(assembly)} had not {did} after a minute.", hint);
        }

        string ending = worker.Ending;
        Discard(worker);
        throw new StageFailedException("SCAL6007", $"The worker {ending} while {Path.GetFileName(assembly)} {did}.");
    }

    /// <summary>Executes actions in one worker; every one of them has a result.</summary>
    /// <param name="actions">One, or a batch.</param>
    /// <param name="patience">The longest silence.</param>
    /// <param name="events">Takes progress and warnings.</param>
    /// <param name="stop">Asks the worker to stop gracefully.</param>
    public async Task<IReadOnlyDictionary<string, ActionResult>> Execute(
        IReadOnlyList<ActionSpec> actions, TimeSpan patience, WorkerEvents events, CancellationToken stop)
    {
        string assembly = actions[0].Assembly;
        string natives = string.Join('\n', actions[0].NativeFolders);
        var ended = new Dictionary<string, ActionResult>();
        var worker = Rent(assembly, natives);
        using var silence = new CancellationTokenSource();
        worker.TrySend(new Request { Run = actions });
        using var stopping = stop.Register(() => worker.TrySend(new Request { Stop = true })); // After the request, or it would stop nothing.
        string fault;
        try
        {
            while (true)
            {
                silence.CancelAfter(patience < LongestTimer ? patience : LongestTimer);
                var reply = await worker.Receive(silence.Token).ConfigureAwait(false);
                if (reply is null)
                {
                    fault = $"The worker {worker.Ending}.";
                    break;
                }

                if (reply.Ready)
                {
                    Return(assembly, worker, natives);
                    return ended;
                }

                Take(reply, ended, events);
            }
        }
        catch (OperationCanceledException)
        {
            fault = $"The stage reported no progress for {patience.TotalSeconds:0} s and was ended.";
        }
        catch (JsonException e)
        {
            fault = $"The worker said what is no reply: {e.Message}";
        }

        Discard(worker);
        foreach (var spec in actions.Where(a => !ended.ContainsKey(a.Key)))
        {
            ended[spec.Key] = stop.IsCancellationRequested
                ? new ActionResult(ActionEnd.Stopped, [], 0)
                : new ActionResult(ActionEnd.Died, [new Diagnostic("SCAL5001", fault)], 0);
        }

        return ended;
    }

    /// <summary>Lets go of idle workers of a plugin that has nothing left to do.</summary>
    /// <param name="assembly">Path of its main assembly.</param>
    public void Retire(string assembly)
    {
        lock (_idle)
        {
            foreach (var (loaded, idle) in _idle)
            {
                while (loaded.Assembly == assembly && idle.TryPop(out var worker))
                {
                    worker.Dispose();
                }
            }
        }
    }

    /// <summary>Ends every worker at once, busy ones too.</summary>
    public void Kill()
    {
        lock (_idle)
        {
            _closed = true;
            foreach (var worker in _busy)
            {
                worker.Kill();
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Kill();
        lock (_idle)
        {
            foreach (var worker in _idle.Values.SelectMany(w => w))
            {
                worker.Dispose();
            }

            _idle.Clear();
        }
    }

    private static void Take(Reply reply, Dictionary<string, ActionResult> ended, WorkerEvents events)
    {
        if (reply.Warning is { } warning)
        {
            events.Warning(reply.Key, warning);
        }
        else if (reply is { Started: true, Key: { } begun })
        {
            events.Started(begun);
        }
        else if (reply is { Progress: { } progress, Key: { } running })
        {
            events.Progress(running, progress);
        }
        else if (reply is { End: { } end, Key: { } key })
        {
            ended[key] = new ActionResult(end, reply.Findings ?? [], reply.Seconds) { Lease = reply.Lease, Log = reply.Log };
            events.Ended(key, ended[key]);
        }
    }

    /// <summary>A worker that has loaded these native packages or none.</summary>
    private Worker Rent(string assembly, string natives = "")
    {
        lock (_idle)
        {
            ObjectDisposedException.ThrowIf(_closed, this);
            Worker? worker = null;
            while (worker is null && (Idle(natives, out var idle) || Idle("", out idle)))
            {
                if (idle.HasEnded)
                {
                    idle.Dispose(); // Somebody ended it while it waited, perhaps the system when memory ran out.
                }
                else
                {
                    worker = idle;
                }
            }

            worker ??= new Worker(command, store);
            _busy.Add(worker);
            return worker;
        }

        bool Idle(string loaded, [NotNullWhen(true)] out Worker? idle)
        {
            idle = null;
            return _idle.GetValueOrDefault(new Loaded(assembly, loaded))?.TryPop(out idle) ?? false;
        }
    }

    private void Return(string assembly, Worker worker, string natives = "")
    {
        lock (_idle)
        {
            _busy.Remove(worker);
            if (_closed)
            {
                worker.Dispose();
                return;
            }

            if (!_idle.TryGetValue(new Loaded(assembly, natives), out var idle))
            {
                _idle[new Loaded(assembly, natives)] = idle = new Stack<Worker>();
            }

            idle.Push(worker);
        }
    }

    private void Discard(Worker worker)
    {
        lock (_idle)
        {
            _busy.Remove(worker);
        }

        worker.Kill();
        worker.Dispose();
    }

    /// <summary>What a worker has in it.</summary>
    private sealed record Loaded(string Assembly, string Natives);
}

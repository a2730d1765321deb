// The worker process: loads one plugin, executes actions, publishes what they made.
using System.Collections.Concurrent;
using System.Diagnostics;
using System.IO.Pipes;
using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Nodes;
using Scaling.Engine.Files;
using Scaling.Engine.Keys;
using Scaling.Engine.Planning;
using Scaling.Engine.Plugins;
using Scaling.Engine.Store;
using Scaling.Sdk;

namespace Scaling.Engine.Workers;

/// <summary>
/// The hidden verb <c>worker</c>. It speaks over two pipes of its own, because native code prints to standard output; it ends at end-of-file,
/// so that it never outlives the tool; it is deaf to SIGINT, which a terminal sends to the whole group, and stops when the tool says so.
/// </summary>
public sealed class WorkerHost : IDisposable
{
    private static readonly TimeSpan ProgressInterval = TimeSpan.FromMilliseconds(200);
    /// <summary>A folder in which nothing can be written.</summary>
    private const string Nowhere = "/dev/null/nowhere";

    private readonly ContentStore _store;
    private readonly StreamReader _requests;
    private readonly StreamWriter _replies;
    private readonly BlockingCollection<Request> _waiting = [];
    private readonly Dictionary<string, PluginLoadContext> _plugins = [];
    private volatile CancellationTokenSource _stop = new();
    private readonly Dictionary<string, ActionSpec> _open = new(StringComparer.Ordinal);
    private volatile bool _working;
    private volatile string? _log;

    private WorkerHost(string input, string output, string store)
    {
        _store = ContentStore.Open(store, Warn);
        _requests = new StreamReader(Pipe(PipeDirection.In, input));
        _replies = new StreamWriter(Pipe(PipeDirection.Out, output)) { AutoFlush = true };
    }

    /// <summary>Serves until the tool closes its end.</summary>
    /// <param name="requests">Handle of the pipe to read from.</param>
    /// <param name="replies">Handle of the pipe to write to.</param>
    /// <param name="store">The store's folder.</param>
    public static int Main(string requests, string replies, string store)
    {
        Redirect("/dev/null");
        using var deaf = PosixSignalRegistration.Create(PosixSignal.SIGINT, signal => signal.Cancel = true);
        using var host = new WorkerHost(requests, replies, store);
        using var terminated = PosixSignalRegistration.Create(PosixSignal.SIGTERM, signal =>
        {
            signal.Cancel = true;
            host._stop.Cancel();
        });
        new Thread(host.Listen) { IsBackground = true, Name = "requests" }.Start();
        foreach (var request in host._waiting.GetConsumingEnumerable())
        {
            host.Answer(request);
            host._working = false;
            host.Say(new Reply { Ready = true });
        }

        return 0;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        // The listening thread reads its pipe until the process ends; disposing the reader would wait for it.
        _store.Dispose();
        _waiting.Dispose();
        _stop.Dispose();
    }

    private void Listen()
    {
        try
        {
            while (_requests.ReadLine() is { } line)
            {
                var request = JsonSerializer.Deserialize(line, EngineJson.Default.Request)!;
                if (request.Stop)
                {
                    _stop.Cancel();
                }
                else
                {
                    // Both here and not where the request is taken: a stop, or the end of the tool, may be the next thing that is read.
                    _stop = new CancellationTokenSource();
                    _working = true;
                    _waiting.Add(request);
                }
            }
        }
        catch (Exception e) when (e is IOException or JsonException)
        {
            // The tool is gone, or what speaks is not the tool.
        }

        if (_working)
        {
            // Whoever wanted the result is gone, and a lock is held: give both back at once. What is finished is published already.
            Process.GetCurrentProcess().Kill();
        }

        _waiting.CompleteAdding();
    }

    private void Answer(Request request)
    {
        if (request.Describe is { } assembly)
        {
            try
            {
                Say(new Reply { Description = Describe(assembly) });
            }
            catch (StageFailedException e)
            {
                Say(new Reply { Findings = e.Diagnostics });
            }
            catch (Exception e)
            {
                Say(new Reply { Findings = [new Diagnostic("SCAL6002", $"{Path.GetFileName(assembly)} cannot be described: {e.GetType().Name}: {e.Message}")] });
            }
        }
        else if (request.Check is { } checkedFor)
        {
            try
            {
                Stage(checkedFor).CheckMachine(Nothing(checkedFor));
            }
            catch (StageFailedException e)
            {
                Say(new Reply { Findings = e.Diagnostics });
            }
            catch (Exception e)
            {
                Say(new Reply { Findings = [new Diagnostic("SCAL6153", $"The stage '{checkedFor.Stage}' threw {e.GetType().Name} while it checked the machine: {e.Message}") { Hint = "This is a defect of the stage." }] });
            }
        }
        else if (request.Price is { } asked)
        {
            try
            {
                Say(new Reply { Price = Price(asked) });
            }
            catch (StageFailedException e)
            {
                Say(new Reply { Findings = e.Diagnostics });
            }
            catch (Exception e)
            {
                Say(new Reply { Findings = [new Diagnostic("SCAL6011", $"The stage '{asked.Actions[0].Stage}' threw {e.GetType().Name} while it priced its actions: {e.Message}") { Hint = "This is a defect of the stage." }] });
            }
        }
        else if (request.Run is { } actions)
        {
            lock (_open)
            {
                _open.Clear();
                foreach (var spec in actions)
                {
                    _open[spec.Key] = spec;
                }
            }

            try
            {
                Execute(actions);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                EndOpen(ActionEnd.Failed, [InfrastructureException.OfFile(e).Diagnostic]);
            }
        }
    }

    private string Describe(string assembly)
    {
        var stages = Plugin(assembly).CreateStages().Select(stage => JsonSerializer.SerializeToNode(StageDescriptor.Of(stage), StageDescriptor.Json));
        return new JsonObject
        {
            ["closure"] = new JsonArray([.. AssemblyClosure.Of(assembly).Select(name => (JsonNode)name)]),
            ["stages"] = new JsonArray([.. stages]),
        }.ToJsonString();
    }

    private IReadOnlyList<PricedQuantity> Price(PriceRequest asked)
    {
        var stage = Stage(asked.Actions[0]);
        return Prices.Combined(asked.Actions.SelectMany(spec => stage.Price(Nothing(spec), asked.Target)));
    }

    private IStage Stage(ActionSpec spec) => Plugin(spec.Assembly).CreateStages().Single(s => s.Declaration.Type == spec.Stage);

    /// <summary>What a question about an action is asked with: settings and row, and nowhere to write.</summary>
    private static ActionContext Nothing(ActionSpec spec) => new()
    {
        Settings = spec.Settings, Row = spec.Row, Point = spec.Point, PipelineSeed = spec.PipelineSeed,
        OutputFolder = Nowhere, WorkFolder = Nowhere, CacheFolder = Nowhere, Progress = _ => { }, Report = _ => { }, Publish = () => { },
    };

    private PluginLoadContext Plugin(string assembly)
    {
        if (!_plugins.TryGetValue(assembly, out var plugin))
        {
            _plugins[assembly] = plugin = new PluginLoadContext(assembly);
        }

        return plugin;
    }

    private void Execute(IReadOnlyList<ActionSpec> actions)
    {
        if (actions[0].Entries.FirstOrDefault(e => e.Kind == EntryKind.Device) is { } wanted && wanted.Value != DeviceClass.OfThisMachine)
        {
            EndOpen(ActionEnd.Failed, [new Diagnostic("SCAL3024", $"This measures on '{wanted.Value}', and {Environment.MachineName} is '{DeviceClass.OfThisMachine}'.")
            {
                Hint = "Speeds are of a kind of machine. Run it where that is; on a cluster, name nodes of one kind: resources: { constraint: … } or { partition: … }.",
            }]);
            return;
        }

        using var machine = FileLock.TryTakeLasting(_store.MachineLockPath, alone: actions[0].Exclusive);
        if (machine is null)
        {
            EndOpen(ActionEnd.Busy);
            return;
        }

        var life = _store.Live();
        var mine = new List<RunningAction>();
        var laps = new Laps();
        try
        {
            foreach (var spec in actions)
            {
                if (_store.Leases.TryTake(spec.Key, life, spec.Supersedes, out string? other) is not { } lease)
                {
                    End(spec, new Reply { End = ActionEnd.Busy, Lease = other });
                }
                else if (!spec.Again && _store.Find(spec.Key) is not null)
                {
                    lease.Dispose();
                    End(spec, ActionEnd.Found);
                }
                else
                {
                    mine.Add(new RunningAction(_store, spec, lease, laps));
                    Say(new Reply { Key = spec.Key, Started = true });
                }
            }

            if (mine.Count > 0)
            {
                var stop = _stop;
                life.Renewed = () => StopWhereLost(mine, stop);
                RunLogged(mine);
            }
        }
        finally
        {
            life.Renewed = null;
            mine.ForEach(action => action.Dispose());
        }
    }

    /// <summary>Ends work that another has taken over meanwhile, since this process or its host stood still: what runs would be thrown away.</summary>
    private void StopWhereLost(IReadOnlyList<RunningAction> actions, CancellationTokenSource stop)
    {
        if (IsAnyLost(actions))
        {
            stop.Cancel(); // Of that request: by now the next may have begun.
        }
    }

    private bool IsAnyLost(IReadOnlyList<RunningAction> actions)
    {
        try
        {
            return actions.Any(a => IsOpen(a.Spec) && !a.IsHeld);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false; // Nothing can be seen of the store now; publishing looks again.
        }
    }

    private void RunLogged(List<RunningAction> actions)
    {
        string log = _store.LogPath(actions[0].Spec.Key);
        Redirect(log);
        _log = log;
        try
        {
            Run(actions);
        }
        finally
        {
            _log = null;
            Redirect("/dev/null");
            if (new FileInfo(log) is { Exists: true, Length: 0 } silent)
            {
                silent.Delete();
            }
        }
    }

    private void Run(List<RunningAction> actions)
    {
        var spec = actions[0].Spec;
        try
        {
            var stage = Stage(spec);
            var contexts = actions.ConvertAll(action => action.Context(
                stage.Declaration,
                progress => SayProgress(action, progress),
                warning => Say(new Reply { Key = action.Spec.Key, Warning = warning }),
                () => Publish(action, stage.Declaration),
                _stop.Token));
            if (spec.Kind == ActionKind.Prepare)
            {
                stage.Prepare(contexts[0]);
                Publish(actions[0], stage.Declaration);
            }
            else if (stage.Declaration.FanOut?.Mode == FanOutMode.Batch)
            {
                stage.RunBatch(contexts);
                EndOpen(ActionEnd.Failed, [new Diagnostic("SCAL6006", "The stage ended its batch without publishing this row.")]);
            }
            else
            {
                stage.Run(contexts[0]);
                Publish(actions[0], stage.Declaration);
            }
        }
        catch (Exception) when (IsAnyLost(actions))
        {
            EndOpen(ActionEnd.Busy); // Whatever it stumbled over: what is open is done by who took over, or tried again.
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            EndOpen(ActionEnd.Stopped);
        }
        catch (StageFailedException e)
        {
            FailOpen(e.Diagnostics);
        }
        catch (InfrastructureException e)
        {
            FailOpen([e.Diagnostic]);
        }
        catch (IOException e) when (FileFailure.IsFull(e) || e.HResult == LibC.ReadOnlyFileSystem)
        {
            FailOpen([InfrastructureException.OfFile(e).Diagnostic]); // The stage's own file, but not its fault.
        }
        catch (Exception e)
        {
            WriteToLog(e);
            FailOpen([new Diagnostic("SCAL5002", $"The stage threw {e.GetType().Name}: {e.Message}") { Hint = "The log has the stack trace." }]);
        }
    }

    private void Publish(RunningAction action, StageDeclaration declaration)
    {
        try
        {
            End(action.Spec, action.Publish(declaration), seconds: action.Seconds);
        }
        catch (StageFailedException e)
        {
            End(action.Spec, ActionEnd.Failed, e.Diagnostics); // This row's outputs are wrong; the others of its batch go on.
        }
    }

    /// <summary>Into the log that is told of, whatever standard error is by now.</summary>
    private void WriteToLog(Exception e)
    {
        try
        {
            File.AppendAllText(_log!, $"{e}\n");
        }
        catch (Exception unwritable) when (unwritable is IOException or UnauthorizedAccessException)
        {
            // The diagnostic tells its message.
        }
    }

    private void SayProgress(RunningAction action, StageProgress progress)
    {
        if (action.SinceProgress.Elapsed > ProgressInterval)
        {
            action.SinceProgress.Restart();
            Say(new Reply { Key = action.Spec.Key, Progress = progress });
        }
    }

    /// <summary>Of a batch that failed, the first row that was not published tells why, and the others name it: its findings once for each of thousands of rows would bury everything else.</summary>
    private void FailOpen(IReadOnlyList<Diagnostic> findings)
    {
        ActionSpec[] open = Open();
        for (int i = 0; i < open.Length; i++)
        {
            End(open[i], ActionEnd.Failed, i == 0 ? findings : [new Diagnostic("SCAL6006", $"The stage ended its batch without publishing this row; '{open[0].Point}' says why.")]);
        }
    }

    private ActionSpec[] Open()
    {
        lock (_open)
        {
            return [.. _open.Values];
        }
    }

    /// <summary>Ends what has not ended of the request at hand.</summary>
    private void EndOpen(ActionEnd end, IReadOnlyList<Diagnostic>? findings = null)
    {
        foreach (var spec in Open())
        {
            End(spec, end, findings);
        }
    }

    private void End(ActionSpec spec, ActionEnd end, IReadOnlyList<Diagnostic>? findings = null, double seconds = 0) =>
        End(spec, new Reply { End = end, Findings = findings, Seconds = seconds });

    private void End(ActionSpec spec, Reply reply)
    {
        lock (_open)
        {
            if (!_open.Remove(spec.Key))
            {
                return;
            }
        }

        Say(reply with { Key = spec.Key, Log = _log });
    }

    private bool IsOpen(ActionSpec spec)
    {
        lock (_open)
        {
            return _open.TryGetValue(spec.Key, out var open) && ReferenceEquals(open, spec);
        }
    }

    private void Warn(Diagnostic diagnostic) => Say(new Reply { Warning = diagnostic });

    private void Say(Reply reply)
    {
        lock (_replies)
        {
            _replies.WriteLine(JsonSerializer.Serialize(reply, EngineJson.Default.Reply));
        }
    }

    /// <summary>Sends standard output and error, native code's too, to a file.</summary>
    private static void Redirect(string path)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        int truncate = path == "/dev/null" ? 0 : LibC.Truncate;
        int file = LibC.Open(path, LibC.ReadWrite | LibC.Create | LibC.Append | truncate | LibC.CloseOnExec, 0x1B4 /* rw-rw-r-- */);
        _ = LibC.Duplicate(file, 1);
        _ = LibC.Duplicate(file, 2);
        _ = LibC.Close(file);

        // .NET writes to a duplicate of the descriptor that it took when it first wrote: the file of an earlier action.
        Console.SetOut(new StreamWriter(Console.OpenStandardOutput()) { AutoFlush = true });
        Console.SetError(new StreamWriter(Console.OpenStandardError()) { AutoFlush = true });
    }

    private static AnonymousPipeClientStream Pipe(PipeDirection direction, string handle)
    {
        // A program that a stage starts must not hold our pipe open.
        _ = LibC.Control(int.Parse(handle), LibC.SetDescriptorFlags, 1 /* FD_CLOEXEC */);
        return new AnonymousPipeClientStream(direction, handle);
    }
}

// The tool's side of one worker process.
using System.Diagnostics;
using System.IO.Pipes;
using System.Text.Json;
using Scaling.Engine.Store;

namespace Scaling.Engine.Workers;

/// <summary>How to start a worker: the tool itself with its hidden verb.</summary>
/// <param name="Program">Executable.</param>
/// <param name="Arguments">What stands before the pipe handles.</param>
public sealed record WorkerCommand(string Program, IReadOnlyList<string> Arguments)
{
    /// <summary>The running tool, started again with <c>worker</c>.</summary>
    public static WorkerCommand OfThisTool => new(ToolHost.Current.Program, [.. ToolHost.Current.Arguments, "worker"]);
}

/// <summary>A worker process with its two pipes.</summary>
internal sealed class Worker : IDisposable
{
    /// <summary>Pipe handles are inheritable for a moment: one start at a time, so that no other child keeps them open.</summary>
    private static readonly Lock Starting = new();

    private readonly Process _process;
    private readonly StreamWriter _requests;
    private readonly StreamReader _replies;

    public Worker(WorkerCommand command, string store)
    {
        lock (Starting)
        {
            var requests = new AnonymousPipeServerStream(PipeDirection.Out, HandleInheritability.Inheritable);
            var replies = new AnonymousPipeServerStream(PipeDirection.In, HandleInheritability.Inheritable);
            var start = new ProcessStartInfo(command.Program) { UseShellExecute = false, RedirectStandardInput = true };
            foreach (string argument in command.Arguments)
            {
                start.ArgumentList.Add(argument);
            }

            start.ArgumentList.Add(requests.GetClientHandleAsString());
            start.ArgumentList.Add(replies.GetClientHandleAsString());
            start.ArgumentList.Add(store);

            // One thread a process: several processes side by side beat one process with several threads (OpenMP barriers under load).
            start.Environment.TryAdd("OMP_NUM_THREADS", "1");
            start.Environment.TryAdd("MKL_NUM_THREADS", "1");

            // A killed process leaves its diagnostic sockets in the temporary folder for ever; DOTNET_EnableDiagnostics=1 turns them on for a profiler.
            start.Environment.TryAdd("DOTNET_EnableDiagnostics", "0");
            _process = Process.Start(start)!;
            _process.StandardInput.Close();
            requests.DisposeLocalCopyOfClientHandle();
            replies.DisposeLocalCopyOfClientHandle();
            _requests = new StreamWriter(requests) { AutoFlush = true };
            _replies = new StreamReader(replies);
        }
    }

    /// <summary>Whether the process is gone.</summary>
    public bool HasEnded => _process.HasExited;

    /// <summary>How the process ended, in words.</summary>
    public string Ending
    {
        get
        {
            if (!_process.WaitForExit(5000))
            {
                return "closed its pipe without ending";
            }

            return _process.ExitCode > 128 ? $"was ended by signal {_process.ExitCode - 128}" : $"ended with exit code {_process.ExitCode}";
        }
    }

    /// <summary>Sends a request; false where the process is gone.</summary>
    public bool TrySend(Request request)
    {
        try
        {
            lock (_requests)
            {
                _requests.WriteLine(JsonSerializer.Serialize(request, EngineJson.Default.Request));
            }

            return true;
        }
        catch (IOException)
        {
            return false;
        }
    }

    /// <summary>The next reply; null where the process is gone.</summary>
    /// <exception cref="JsonException">What came is no reply.</exception>
    public async Task<Reply?> Receive(CancellationToken cancel)
    {
        string? line = await _replies.ReadLineAsync(cancel).ConfigureAwait(false);
        return line is null ? null : JsonSerializer.Deserialize(line, EngineJson.Default.Reply);
    }

    /// <summary>Ends the process at once, with what it started.</summary>
    public void Kill()
    {
        try
        {
            _process.Kill(entireProcessTree: true);
        }
        catch (InvalidOperationException)
        {
            // It had ended already.
        }
    }

    /// <summary>Closes the pipes; an idle worker then ends by itself.</summary>
    public void Dispose()
    {
        try
        {
            _requests.Dispose();
        }
        catch (IOException)
        {
            // The process went first.
        }

        _replies.Dispose();
        _process.Dispose();
    }
}

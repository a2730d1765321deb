// A program that a stage runs, such as a trainer of the user, with everything it starts: where it is, its output, its end, and how it is stopped.
using System.Collections.Concurrent;
using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Scaling.Sdk;

/// <summary>
/// A process in a session of its own, so that one signal reaches all it starts and a terminal's Ctrl-C none of it. A watcher in its group holds a pipe from this
/// process: when that ends, however it ends, the group is killed, so that no program outlives its action and works beside the next one.
/// </summary>
public sealed class UserProgram : IDisposable
{
    private const int Terminate = 15;
    private const int NoSuchProcess = 3;

    private const string Watched = """
        exec 3<&0 </dev/null
        { trap '' TERM INT HUP; cat <&3 >/dev/null; kill -s KILL 0; } >/dev/null 2>&1 &
        exec 3<&-
        exec "$@" 2>&1
        """;

    private static readonly TimeSpan LastOutput = TimeSpan.FromSeconds(5);

    private readonly Process _process;
    private readonly BlockingCollection<string> _lines = new(1000);

    /// <summary>Starts it.</summary>
    /// <param name="command">Path, as <see cref="Find"/> gives it, and arguments; no shell reads them.</param>
    /// <param name="folder">Where it runs.</param>
    /// <param name="environment">Variables beside this process's own.</param>
    public UserProgram(IReadOnlyList<string> command, string folder, IReadOnlyDictionary<string, string> environment)
    {
        var start = new ProcessStartInfo("setsid", ["sh", "-c", Watched, "program", .. command])
        {
            WorkingDirectory = folder, UseShellExecute = false, RedirectStandardInput = true, RedirectStandardOutput = true,
        };
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        _process = Process.Start(start)!;
        new Thread(Listen) { IsBackground = true, Name = "program output" }.Start();
    }

    /// <summary>The absolute path of a program; null where there is none that can be executed.</summary>
    /// <param name="word">An absolute path, or a name to be found on the <c>PATH</c>. A relative path is none, because a program runs in a folder of its own.</param>
    public static string? Find(string word)
    {
        var candidates = word.Contains('/', StringComparison.Ordinal)
            ? Path.IsPathRooted(word) ? [word] : []
            : (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':', StringSplitOptions.RemoveEmptyEntries).Select(folder => Path.Combine(folder, word));
        return candidates.FirstOrDefault(CanBeExecuted);
    }

    /// <summary>Serves it to its end.</summary>
    /// <param name="line">Takes each line that it prints, on either output, on the caller's thread.</param>
    /// <param name="grace">How long it has for a checkpoint when it is stopped.</param>
    /// <param name="stop">Asks it to end by SIGTERM; after <paramref name="grace"/> it is killed.</param>
    /// <returns>Its exit code; 128 and the signal's number where one ended it.</returns>
    public int Serve(Action<string> line, TimeSpan grace, CancellationToken stop)
    {
        long? asked = null, gone = null;
        while (!_lines.IsCompleted)
        {
            if (_lines.TryTake(out string? printed, TimeSpan.FromMilliseconds(50)))
            {
                line(printed);
            }

            if (stop.IsCancellationRequested && !_process.HasExited)
            {
                asked ??= Ask() ? Stopwatch.GetTimestamp() : null;
                if (asked is { } since && Stopwatch.GetElapsedTime(since) > grace)
                {
                    Kill();
                }
            }

            if (_process.HasExited)
            {
                gone ??= Stopwatch.GetTimestamp();
                _process.StandardInput.Close(); // What is left of its group goes with it.
                if (Stopwatch.GetElapsedTime(gone.Value) > LastOutput)
                {
                    break; // Something in a session of its own still holds the pipe.
                }
            }
        }

        _process.WaitForExit();
        return _process.ExitCode;
    }

    /// <summary>Ends it if it has not ended.</summary>
    public void Dispose()
    {
        if (!_process.HasExited)
        {
            Kill();
            _process.WaitForExit();
        }

        _process.StandardInput.Close();
        _process.Dispose();
    }

    private static bool CanBeExecuted(string path) =>
        File.Exists(path) && (OperatingSystem.IsWindows() || (File.GetUnixFileMode(path) & (UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute)) != 0);

    /// <summary>SIGTERM to the group; false where it is not there yet, in the first moment of its life.</summary>
    private bool Ask() => Signal(-_process.Id, Terminate) == 0 || Marshal.GetLastPInvokeError() != NoSuchProcess;

    private void Kill()
    {
        _process.Kill(entireProcessTree: true);
        _process.StandardInput.Close();
    }

    private void Listen()
    {
        try
        {
            while (_process.StandardOutput.ReadLine() is { } line)
            {
                _lines.Add(line);
            }
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException or InvalidOperationException)
        {
            // Nobody listens any more.
        }

        _lines.CompleteAdding();
    }

    [DllImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static extern int Signal(int process, int signal);
}

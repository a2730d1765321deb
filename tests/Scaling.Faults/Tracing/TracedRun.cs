// Runs a program with all that it starts under ptrace, numbers the calls that change files in a folder, and strikes at one of them.
using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Runtime.InteropServices;

namespace Scaling.Faults.Tracing;

/// <summary>What to start.</summary>
/// <param name="Program">Absolute path.</param>
/// <param name="Arguments">Its arguments.</param>
/// <param name="Environment">All of its environment.</param>
/// <param name="WorkingFolder">Where it runs.</param>
/// <param name="Output">Its output goes to this path with <c>.out</c>, its errors to <c>.err</c>.</param>
internal sealed record Command(string Program, IReadOnlyList<string> Arguments, IReadOnlyDictionary<string, string> Environment, string WorkingFolder, string Output);

/// <summary>
/// One run. It has a thread of its own, because ptrace obeys no other than the thread that attached; a seccomp filter stops the tracees at what is counted and nowhere else. A process that is killed here is killed as
/// the system would: nothing of its own runs after the step before. No hook in the product is needed, and whatever the product does to its files is seen.
/// </summary>
internal sealed class TracedRun
{
    private const int LongestPath = 4096;
    private static readonly TimeSpan Day = TimeSpan.FromDays(1);
    private static readonly byte[] Filter = SystemCall.Filter();

    private readonly Command _command;
    private readonly string _folder;
    private readonly string _readOnly;
    private readonly Fault _fault;
    private readonly ConcurrentDictionary<int, bool> _processes = new();
    private readonly Dictionary<int, int> _processOf = [];
    private readonly Dictionary<int, Action> _atReturn = [];
    private readonly TaskCompletionSource<int> _tool = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _all = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _root;
    private int _steps;

    private TracedRun(Command command, string folder, string readOnly, Fault fault)
    {
        _command = command;
        _folder = folder + "/";
        _readOnly = readOnly + "/";
        _fault = fault;
    }

    /// <summary>The steps so far.</summary>
    public List<Step> Steps { get; } = [];

    /// <summary>The step at which the fault struck; null where it did not.</summary>
    public Step? Struck { get; private set; }

    /// <summary>Whether a kill found somebody to kill, or another fault a call to spoil.</summary>
    public bool Hit { get; private set; }

    /// <summary>Whether it did not end in time and was ended.</summary>
    public bool Hung { get; private set; }

    /// <summary>The tool's exit code, or minus the signal that ended it, once it has ended; workers may still be about.</summary>
    public Task<int> Tool => _tool.Task;

    /// <summary>Once everything that it started has ended.</summary>
    public Task All => _all.Task;

    /// <summary>Starts a run.</summary>
    /// <param name="command">What.</param>
    /// <param name="folder">Calls that change something below it are steps.</param>
    /// <param name="readOnly">What <see cref="FaultKind.ReadOnly"/> protects.</param>
    /// <param name="fault">What is done to it.</param>
    /// <param name="patience">After that it is ended and has hung.</param>
    public static TracedRun Start(Command command, string folder, string readOnly, Fault fault, TimeSpan patience)
    {
        var run = new TracedRun(command, folder, readOnly, fault);
        new Thread(() => run.Trace(patience)) { IsBackground = true, Name = "tracer" }.Start();
        return run;
    }

    private void Trace(TimeSpan patience)
    {
        try
        {
            const string Script = """kill -STOP $$; cd "$1" && to=$2 && shift 2 && exec "$@" >"$to.out" 2>"$to.err" </dev/null""";
            _root = Kernel.Start("/bin/sh", ["-c", Script, "sh", _command.WorkingFolder, _command.Output, _command.Program, .. _command.Arguments], _command.Environment);
            _processes[_root] = true;
            SetUp();
            using var hang = new Timer(
                _ =>
                {
                    Hung = true;
                    KillAll();
                }, null, patience, Timeout.InfiniteTimeSpan);
            using var moment = new Timer(_ => Kill(0), null, _fault.After ?? Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            while (Kernel.Wait(-1, out int status, Kernel.WaitAllOfThisThread) is > 0 and var thread)
            {
                Take(thread, status);
            }

            _all.SetResult();
        }
        catch (Exception e)
        {
            KillAll();
            _tool.TrySetException(e);
            _all.TrySetException(e);
        }
    }

    /// <summary>Attaches to the shell that stopped itself, and makes it set the filter that all its heirs have.</summary>
    private void SetUp()
    {
        Wait(out _, Kernel.WaitStopped);
        Demand(Kernel.Trace(Kernel.Seize, _root, 0, Kernel.Options) == 0, "ptrace is refused here");
        for (bool woken = false; ;)
        {
            Wait(out int status, 0);
            int signal = (status >> 8) & 0xff;
            if (status >> 16 == Kernel.EventStop && !woken)
            {
                woken = true;
                Resume(_root, Kernel.Listen);
                _ = Kernel.Signal(_root, Kernel.SignalContinue);
            }
            else if (signal == (Kernel.SignalTrap | 0x80) && IsEntry())
            {
                SetFilter();
                return;
            }
            else
            {
                Resume(_root, Kernel.ContinueToSystemCall, status >> 16 == 0 && signal is not (Kernel.SignalTrap | 0x80) ? signal : 0);
            }
        }
    }

    /// <summary>In place of the call at which the shell stands come two of ours, then its own.</summary>
    private void SetFilter()
    {
        const ulong SetProcessOption = 157;
        const ulong NoNewPrivileges = 38;
        const ulong Seccomp = 317;
        Demand(Registers.TryGet(_root, out var own), "registers cannot be read");
        var ours = own with { OriginalRax = SetProcessOption, Rdi = NoNewPrivileges, Rsi = 1, Rdx = 0, R10 = 0, R8 = 0 };
        Demand(ours.TrySet(_root) && ToNextStop().Rax == 0, "no_new_privs is refused");

        ulong place = (own.Rsp - 4096) & ~15UL;
        byte[] program = new byte[16];
        BinaryPrimitives.WriteUInt16LittleEndian(program, (ushort)(Filter.Length / 8));
        BinaryPrimitives.WriteUInt64LittleEndian(program.AsSpan(8), place + 16);
        Demand(Kernel.Write(_root, place, [.. program, .. Filter]), "memory cannot be written");
        ours = own with { Rip = own.Rip - 2, Rax = Seccomp, OriginalRax = ulong.MaxValue, Rdi = 1, Rsi = 0, Rdx = place };
        Demand(ours.TrySet(_root), "registers cannot be written");
        ToNextStop();
        Demand(ToNextStop().Rax == 0, "seccomp is refused here");

        ours = own with { Rip = own.Rip - 2, Rax = own.OriginalRax, OriginalRax = ulong.MaxValue };
        Demand(ours.TrySet(_root), "registers cannot be written");
        Resume(_root);
    }

    private Registers ToNextStop()
    {
        Resume(_root, Kernel.ContinueToSystemCall);
        Wait(out int status, 0);
        Demand(((status >> 8) & 0xff) == (Kernel.SignalTrap | 0x80) && Registers.TryGet(_root, out _), $"stopped unexpectedly: {status:x}");
        Registers.TryGet(_root, out var registers);
        return registers;
    }

    private bool IsEntry()
    {
        // struct ptrace_syscall_info begins with a byte that is 1 on entry.
        nint info = Marshal.AllocCoTaskMem(128);
        bool entry = Kernel.Trace(Kernel.GetSystemCallInfo, _root, 128, info) > 0 && Marshal.ReadByte(info) == 1;
        Marshal.FreeCoTaskMem(info);
        return entry;
    }

    private void Wait(out int status, int options) =>
        Demand(Kernel.Wait(_root, out status, options | Kernel.WaitAllOfThisThread) == _root && (status & 0xff) == 0x7f, "the shell ended before it began");

    private static void Demand(bool holds, string otherwise)
    {
        if (!holds)
        {
            throw new TracingRefusedException($"{otherwise} ({Marshal.GetLastPInvokeErrorMessage()})");
        }
    }

    /// <summary>Somebody ended or stopped.</summary>
    private void Take(int thread, int status)
    {
        if ((status & 0xff) != 0x7f)
        {
            End(thread, status);
            return;
        }

        int signal = (status >> 8) & 0xff;
        switch (status >> 16)
        {
            case Kernel.EventSeccomp:
                AtCall(thread);
                break;
            case Kernel.EventExec:
                _processOf.Clear(); // Threads went; numbers may come again.
                if (_fault.Kind == FaultKind.ClockBack)
                {
                    TakeFastClock(thread);
                }

                Resume(thread);
                break;
            case Kernel.EventStop when signal != Kernel.SignalTrap:
                Resume(thread, Kernel.Listen);
                break;
            case Kernel.EventStop:
                _processes.TryAdd(ProcessOf(thread), true);
                Resume(thread);
                break;
            case 0 when signal == (Kernel.SignalTrap | 0x80):
                if (_atReturn.Remove(thread, out var then))
                {
                    then();
                }

                Resume(thread);
                break;
            case 0:
                Resume(thread, Kernel.Continue, signal);
                break;
            default:
                Resume(thread);
                break;
        }
    }

    private void End(int thread, int status)
    {
        _processOf.Remove(thread);
        _atReturn.Remove(thread);
        _processes.TryRemove(thread, out _); // A leader is reported last of its threads.
        if (thread == _root)
        {
            _tool.SetResult((status & 0x7f) == 0 ? (status >> 8) & 0xff : -(status & 0x7f));
        }
    }

    private void AtCall(int thread)
    {
        if (!Registers.TryGet(thread, out var registers) || !SystemCall.All.TryGetValue((int)registers.OriginalRax, out var call))
        {
            Resume(thread);
        }
        else if (call.Change == Change.Clock)
        {
            AtClock(thread, call, registers);
        }
        else if (PathOf(thread, call, registers) is { } path && path.StartsWith(_folder, StringComparison.Ordinal) && !(call.Change == Change.Make && Path.Exists(path)))
        {
            long bytes = call.Size < 0 ? 0 : (long)registers.Argument(call.Size);
            var step = new Step(++_steps, ProcessOf(thread) == _root, call, path[_folder.Length..], bytes);
            Steps.Add(step);
            AtStep(thread, step, path, registers);
        }
        else
        {
            Resume(thread);
        }
    }

    private void AtStep(int thread, Step step, string path, Registers registers)
    {
        bool now = step.Number == _fault.Step;
        if (now)
        {
            Struck = step;
        }

        switch (_fault.Kind)
        {
            case FaultKind.Kill when now:
                Kill(thread);
                Resume(thread); // Whoever was killed does not go on; a caller that was spared does.
                break;
            case FaultKind.Tear when now && step is { Call.Change: Change.Write, Bytes: > 1 }:
                (registers with { Rdx = (ulong)step.Bytes / 2 }).TrySet(thread);
                _atReturn[thread] = () => Kill(thread);
                Resume(thread, Kernel.ContinueToSystemCall);
                break;
            case FaultKind.Full when step.Number >= _fault.Step && TakesSpace(step.Call, path, registers):
                Refuse(thread, registers, Kernel.NoSpace);
                break;
            case FaultKind.ReadOnly when step.Number >= _fault.Step && path.StartsWith(_readOnly, StringComparison.Ordinal) && ChangesDisk(step.Call):
                Refuse(thread, registers, Kernel.ReadOnlyFileSystem);
                break;
            default:
                Resume(thread);
                break;
        }
    }

    /// <summary>On a full disk what is there can be renamed, removed and overwritten; nothing new fits.</summary>
    private static bool TakesSpace(SystemCall call, string path, Registers registers) => call.Change switch
    {
        Change.Write => true,
        Change.Open => (registers.Argument(call.Path + 1) & SystemCall.Create) != 0 && !File.Exists(path),
        Change.Make => true,
        Change.Alter => call.Name == "fallocate",
        _ => false,
    };

    /// <summary>Locks and flushes change nothing.</summary>
    private static bool ChangesDisk(SystemCall call) => call.Change is not (Change.Flush or Change.Lock);

    private void Refuse(int thread, Registers registers, int error)
    {
        Hit = true;
        (registers with { OriginalRax = ulong.MaxValue, Rax = (ulong)-error }).TrySet(thread);
        Resume(thread);
    }

    private void AtClock(int thread, SystemCall call, Registers registers)
    {
        if (_fault.Kind != FaultKind.ClockBack || _steps < _fault.Step)
        {
            Resume(thread);
            return;
        }

        Hit = true;
        ulong seconds = call.Name == "clock_gettime" ? registers.Rsi : registers.Rdi;
        _atReturn[thread] = () =>
        {
            if (call.Name == "time" && Registers.TryGet(thread, out var after))
            {
                (after with { Rax = after.Rax - (ulong)Day.TotalSeconds }).TrySet(thread);
            }

            // Both struct timespec and struct timeval begin with the seconds.
            Span<byte> told = stackalloc byte[8];
            if (seconds != 0 && Kernel.Read(thread, seconds, told) == 8)
            {
                BinaryPrimitives.WriteInt64LittleEndian(told, BinaryPrimitives.ReadInt64LittleEndian(told) - (long)Day.TotalSeconds);
                Kernel.Write(thread, seconds, told);
            }
        };
        Resume(thread, Kernel.ContinueToSystemCall);
    }

    /// <summary>
    /// Takes the entry of the vDSO out of a new program's auxiliary vector. The C library then asks the kernel for the time by a system call, which can be answered otherwise.
    /// </summary>
    private static void TakeFastClock(int thread)
    {
        const ulong SystemInfoHeader = 33; // AT_SYSINFO_EHDR
        const ulong Ignore = 1; // AT_IGNORE
        if (!Registers.TryGet(thread, out var registers))
        {
            return;
        }

        byte[] stack = new byte[256 * 1024];
        int length = 0;
        while (length < stack.Length && Kernel.Read(thread, registers.Rsp + (ulong)length, stack.AsSpan(length, (int)(4096 - ((registers.Rsp + (ulong)length) & 4095)))) is > 0 and var read)
        {
            length += read;
        }

        var words = MemoryMarshal.Cast<byte, ulong>(stack.AsSpan(0, length & ~7));
        int at = 1 + (int)words[0] + 1; // The number of arguments, the arguments, a null.
        at += words[at..].IndexOf(0UL) + 1; // The environment, a null.
        for (; at + 1 < words.Length && words[at] != 0; at += 2)
        {
            if (words[at] == SystemInfoHeader)
            {
                Kernel.Write(thread, registers.Rsp + (8 * (ulong)at), BitConverter.GetBytes(Ignore));
            }
        }
    }

    private string? PathOf(int thread, SystemCall call, Registers registers)
    {
        if (call.Path < 0)
        {
            return Link(thread, $"fd/{(int)registers.Argument(call.Name == "copy_file_range" ? 2 : 0)}");
        }

        string path = Kernel.Text(thread, registers.Argument(call.Path));
        if (path.StartsWith('/') || path.Length is 0 or > LongestPath)
        {
            return path;
        }

        int folder = call.Folder < 0 ? -100 : (int)registers.Argument(call.Folder);
        return Link(thread, folder == -100 /* AT_FDCWD */ ? "cwd" : $"fd/{folder}") is { } begin ? Path.GetFullPath(path, begin) : null;
    }

    private static string? Link(int thread, string name)
    {
        try
        {
            return new FileInfo($"/proc/{thread}/{name}").LinkTarget;
        }
        catch (IOException)
        {
            return null;
        }
    }

    private int ProcessOf(int thread)
    {
        if (!_processOf.TryGetValue(thread, out int process))
        {
            string? line = null;
            try
            {
                line = File.ReadLines($"/proc/{thread}/status").FirstOrDefault(l => l.StartsWith("Tgid:", StringComparison.Ordinal));
            }
            catch (IOException)
            {
                // It is gone.
            }

            _processOf[thread] = process = line is null ? thread : int.Parse(line["Tgid:".Length..].Trim(), System.Globalization.CultureInfo.InvariantCulture);
        }

        return process;
    }

    private void Kill(int caller)
    {
        int process = caller == 0 ? 0 : ProcessOf(caller);
        foreach (int id in _processes.Keys.Where(id => _fault.Victim switch
        {
            Victim.Both => true,
            Victim.Tool => id == _root,
            _ => process == 0 || process == _root ? id != _root : id == process,
        }))
        {
            Hit |= Kernel.Signal(id, Kernel.SignalKill) == 0;
        }
    }

    private void KillAll()
    {
        foreach (int id in _processes.Keys)
        {
            _ = Kernel.Signal(id, Kernel.SignalKill);
        }
    }

    private static void Resume(int thread, int how = Kernel.Continue, int signal = 0) => _ = Kernel.Trace(how, thread, 0, signal); // Who was killed meanwhile is no more there to resume.
}

/// <summary>This machine lets nobody trace.</summary>
internal sealed class TracingRefusedException(string message) : Exception(message);

// What of the kernel's interface a tracer needs and .NET lacks: ptrace, waiting, another process's memory, starting a process that is ours alone.
using System.Runtime.InteropServices;

namespace Scaling.Faults.Tracing;

/// <summary>Calls of the C library, with the numbers of Linux on x86-64.</summary>
internal static unsafe partial class Kernel
{
    public const int Continue = 7;
    public const int GetRegisters = 12;
    public const int SetRegisters = 13;
    public const int ContinueToSystemCall = 24;
    public const int GetEventMessage = 0x4201;
    public const int Seize = 0x4206;
    public const int Listen = 0x4208;
    public const int GetSystemCallInfo = 0x420e;

    public const int EventClone = 3;
    public const int EventExec = 4;
    public const int EventSeccomp = 7;
    public const int EventStop = 128;

    /// <summary>Mark system-call stops; follow fork, vfork, clone, exec; stop at what a filter says; end with the tracer.</summary>
    public const int Options = 1 | 2 | 4 | 8 | 0x10 | 0x80 | 0x100000;

    public const int WaitStopped = 2;

    /// <summary>Children and tracees of the calling thread, threads of theirs too: what .NET's Process class waits for is never taken.</summary>
    public const int WaitAllOfThisThread = 0x40000000 | 0x20000000;

    public const int SignalKill = 9;
    public const int SignalTrap = 5;
    public const int SignalContinue = 18;
    public const int SignalStop = 19;

    public const int NoSpace = 28;
    public const int ReadOnlyFileSystem = 30;

    [LibraryImport("libc", EntryPoint = "ptrace", SetLastError = true)]
    public static partial long Trace(long request, int thread, nint address, nint data);

    [LibraryImport("libc", EntryPoint = "waitpid", SetLastError = true)]
    public static partial int Wait(int process, out int status, int options);

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    public static partial int Signal(int process, int signal);

    [LibraryImport("libc", EntryPoint = "posix_spawn")]
    public static partial int Spawn(out int process, [MarshalAs(UnmanagedType.LPUTF8Str)] string path, nint actions, nint attributes, nint arguments, nint environment);

    [LibraryImport("libc", EntryPoint = "process_vm_readv", SetLastError = true)]
    private static partial nint ReadMemory(int process, Span* local, ulong locals, Span* remote, ulong remotes, ulong flags);

    [LibraryImport("libc", EntryPoint = "process_vm_writev", SetLastError = true)]
    private static partial nint WriteMemory(int process, Span* local, ulong locals, Span* remote, ulong remotes, ulong flags);

    /// <summary>Reads another process's memory; the bytes that could be read.</summary>
    public static int Read(int process, ulong address, Span<byte> into)
    {
        fixed (byte* bytes = into)
        {
            var local = new Span { Base = (nint)bytes, Length = into.Length };
            var remote = new Span { Base = (nint)address, Length = into.Length };
            return (int)Math.Max(0, ReadMemory(process, &local, 1, &remote, 1, 0));
        }
    }

    /// <summary>Writes another process's memory.</summary>
    public static bool Write(int process, ulong address, ReadOnlySpan<byte> content)
    {
        fixed (byte* bytes = content)
        {
            var local = new Span { Base = (nint)bytes, Length = content.Length };
            var remote = new Span { Base = (nint)address, Length = content.Length };
            return WriteMemory(process, &local, 1, &remote, 1, 0) == content.Length;
        }
    }

    /// <summary>A text of another process that ends with a zero byte.</summary>
    public static string Text(int process, ulong address)
    {
        // Page by page: the text may end where the mapping does.
        var text = new List<byte>();
        Span<byte> page = stackalloc byte[4096];
        while (text.Count < 8192)
        {
            int length = 4096 - (int)(address & 4095);
            int read = Read(process, address, page[..length]);
            int end = page[..read].IndexOf((byte)0);
            text.AddRange(page[..(end < 0 ? read : end)]);
            if (end >= 0 || read < length)
            {
                break;
            }

            address += (ulong)length;
        }

        return System.Text.Encoding.UTF8.GetString(CollectionsMarshal.AsSpan(text));
    }

    /// <summary>Starts a program; it inherits the working folder and no open file.</summary>
    /// <exception cref="IOException">It cannot be started.</exception>
    public static int Start(string program, IReadOnlyList<string> arguments, IReadOnlyDictionary<string, string> environment)
    {
        using var words = new Texts([program, .. arguments]);
        using var variables = new Texts([.. environment.Select(v => $"{v.Key}={v.Value}")]);
        int error = Spawn(out int process, program, 0, 0, words.Pointer, variables.Pointer);
        return error == 0 ? process : throw new IOException($"cannot start {program}: error {error}");
    }

    /// <summary><c>struct iovec</c>.</summary>
    private struct Span
    {
        public nint Base;
        public nint Length;
    }

    /// <summary>An array of texts that ends with a null.</summary>
    private sealed class Texts : IDisposable
    {
        private readonly nint[] _texts;

        public Texts(string[] texts)
        {
            _texts = [.. texts.Select(Marshal.StringToCoTaskMemUTF8), 0];
            Pointer = Marshal.AllocCoTaskMem(_texts.Length * sizeof(nint));
            Marshal.Copy(_texts, 0, Pointer, _texts.Length);
        }

        public nint Pointer { get; }

        public void Dispose()
        {
            Array.ForEach(_texts, Marshal.FreeCoTaskMem);
            Marshal.FreeCoTaskMem(Pointer);
        }
    }
}

/// <summary><c>struct user_regs_struct</c> of x86-64.</summary>
internal struct Registers
{
    public ulong R15, R14, R13, R12, Rbp, Rbx, R11, R10, R9, R8, Rax, Rcx, Rdx, Rsi, Rdi, OriginalRax, Rip, Cs, Flags, Rsp, Ss, FsBase, GsBase, Ds, Es, Fs, Gs;

    /// <summary>An argument of a system call, 0 to 5.</summary>
    public readonly ulong Argument(int index) => index switch { 0 => Rdi, 1 => Rsi, 2 => Rdx, 3 => R10, 4 => R8, _ => R9 };

    public static unsafe bool TryGet(int thread, out Registers registers)
    {
        fixed (Registers* r = &registers)
        {
            return Kernel.Trace(Kernel.GetRegisters, thread, 0, (nint)r) == 0;
        }
    }

    public readonly unsafe bool TrySet(int thread)
    {
        fixed (Registers* r = &this)
        {
            return Kernel.Trace(Kernel.SetRegisters, thread, 0, (nint)r) == 0;
        }
    }
}

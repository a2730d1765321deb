// A process at work in a store, as others see it: a file that it holds locked and renews. STORE.md says why.
using System.Globalization;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Win32.SafeHandles;
using Scaling.Engine.Files;

namespace Scaling.Engine.Store;

/// <summary>
/// What leases and lists of uses refer to: <c>lives/TOKEN</c>. It ends with <see cref="Dispose"/>, or with the process, whatever kills it: on the same kernel others see at once that the lock is free, elsewhere that
/// it is renewed no more.
/// </summary>
public sealed class Life : IDisposable
{
    /// <summary>How often it is renewed.</summary>
    public static readonly TimeSpan Renewal = TimeSpan.FromSeconds(2);

    private readonly string _path;
    private readonly ManualResetEventSlim _ended = new();
    private SafeFileHandle _handle;
    private DateTime _stamp = DateTime.UtcNow;
    private int _leases;
    private int _telling;
    private string _work = "";
    private int _said;

    private Life(string path)
    {
        _path = path;
        _handle = Write();
        new Thread(Renew) { IsBackground = true, Name = "life" }.Start(); // Its own: a stage may keep every thread of the pool.
    }

    /// <summary>Called within the renewal that finds the life removed and has made it anew: what goes by its name may be gone too. May throw where the store cannot be written.</summary>
    internal Action? Revived { get; set; }

    /// <summary>Sixteen hex digits.</summary>
    public string Token => Path.GetFileName(_path);

    /// <summary>
    /// Called after a renewal, on a thread of its own, and not again before it has returned: what it looks at may take longer than a life may be silent, and no renewal waits for it. It must not throw, and may be called once
    /// more just after it was taken away.
    /// </summary>
    public Action? Renewed { get; set; }

    /// <summary>Says what it is at work on, for others to see.</summary>
    /// <param name="work">One word.</param>
    /// <exception cref="IOException">The store cannot be written.</exception>
    public void WorkOn(string work)
    {
        lock (_ended)
        {
            _work = work;
            RandomAccess.Write(_handle, Encoding.UTF8.GetBytes($"works on {work}\n"), _said);
        }
    }

    /// <summary>Names a lease: the token and a number, so that no two leases ever have one name.</summary>
    internal string NewLease() => string.Create(CultureInfo.InvariantCulture, $"{Token}-{Interlocked.Increment(ref _leases)}");

    /// <summary>Begins one.</summary>
    /// <param name="folder">The folder of lives.</param>
    /// <exception cref="IOException">The store cannot be written.</exception>
    public static Life Begin(string folder)
    {
        Directory.CreateDirectory(folder);
        return new Life(Path.Combine(folder, Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8))));
    }

    /// <summary>Ends it: what it held is free.</summary>
    public void Dispose()
    {
        if (_ended.IsSet)
        {
            return;
        }

        _ended.Set();
        lock (_ended)
        {
            try
            {
                File.Delete(_path);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // The store cannot be written any more; the lock ends below all the same.
            }

            _handle.Dispose();
        }
    }

    /// <summary>Locked before it says anything: whoever sees words in it sees the lock too.</summary>
    private SafeFileHandle Write()
    {
        int descriptor = LibC.Open(_path, LibC.ReadWrite | LibC.Create | LibC.CloseOnExec, 0x1B4 /* rw-rw-r-- */);
        if (descriptor < 0)
        {
            throw FileFailure.Last($"cannot write {_path}");
        }

        var handle = new SafeFileHandle(descriptor, ownsHandle: true);
        bool locked = LibC.Lock(descriptor, LibC.LockExclusive) == 0; // A file system without locks leaves the renewals.
        byte[] text = Encoding.UTF8.GetBytes($"process {Environment.ProcessId} on {Environment.MachineName}\nkernel {LifeSight.Kernel}\n{(locked ? "locked" : "unlocked")}\n");
        _said = text.Length;
        RandomAccess.Write(handle, [.. text, .. _work.Length > 0 ? Encoding.UTF8.GetBytes($"works on {_work}\n") : []], 0);
        return handle;
    }

    private void Renew()
    {
        while (!_ended.Wait(Renewal))
        {
            lock (_ended)
            {
                if (_ended.IsSet)
                {
                    return;
                }

                try
                {
                    Beat();
                }
                catch (Exception e) when (e is IOException or UnauthorizedAccessException)
                {
                    // The store cannot be written now. If that lasts, others take over what we cannot publish anyway.
                }
            }

            Tell();
        }
    }

    private void Tell()
    {
        if (Renewed is { } renewed && Interlocked.Exchange(ref _telling, 1) == 0)
        {
            new Thread(() =>
            {
                renewed();
                Volatile.Write(ref _telling, 0);
            }) { IsBackground = true, Name = "renewed" }.Start();
        }
    }

    private void Beat()
    {
        if (!FileIdentity.TryOf(_path, out var named) || !FileIdentity.TryOf($"/proc/self/fd/{_handle.DangerousGetHandle()}", out var held) || (named.Device, named.Inode) != (held.Device, held.Inode))
        {
            _handle.Dispose();
            _handle = Write(); // Somebody removed it, as gc of another host does after a silence.
            Revived?.Invoke();
            return;
        }

        // Any other time than before will do; that it is near the clock keeps it from those who tidy up by age. It goes to the server of a network file system at once, as written bytes would not.
        var now = DateTime.UtcNow;
        _stamp = now > _stamp ? now : _stamp.AddSeconds(1);
        File.SetLastWriteTimeUtc(_handle, _stamp);
    }
}

/// <summary>What another process sees of a <see cref="Life"/> in one look.</summary>
/// <param name="IsDead">Certain: it was held on this kernel, and its lock is free.</param>
/// <param name="Stamp">Differs as long as it is renewed.</param>
/// <param name="Holder">Process and host, in words.</param>
internal sealed record LifeSight(bool IsDead, (long Modified, long Changed) Stamp, string Holder)
{
    /// <summary>Certain that it lives: it is held on this kernel.</summary>
    public bool IsLocked { get; init; }

    /// <summary>What it is at work on; null where it does not say.</summary>
    public string? Work { get; init; }

    /// <summary>Which boot of which kernel runs this process, the same in all its containers; empty where the system does not tell.</summary>
    public static string Kernel { get; } = ReadKernel();

    /// <summary>Looks.</summary>
    /// <param name="path">The file of a life; one that is missing is no proof of death: it may have been removed by mistake, and its process writes it again.</param>
    public static LifeSight Of(string path)
    {
        // Opening asks the server of a network file system for what is there now.
        using var handle = new SafeFileHandle(LibC.Open(path, LibC.ReadOnly | LibC.CloseOnExec, 0), ownsHandle: true);
        if (handle.IsInvalid)
        {
            return Marshal.GetLastPInvokeError() == LibC.NoEntry ? new LifeSight(false, default, "a process that is gone") : throw FileFailure.Last($"cannot read {path}");
        }

        int descriptor = (int)handle.DangerousGetHandle();
        byte[] text = new byte[512];
        string[] lines = Encoding.UTF8.GetString(text, 0, RandomAccess.Read(handle, text, 0)).Split('\n');
        string holder = lines[0].StartsWith("process ", StringComparison.Ordinal) ? lines[0] : "another process";
        bool decidedByLock = Kernel.Length > 0 && lines is [_, var kernel, "locked", ..] && kernel == $"kernel {Kernel}";
        bool free = decidedByLock && LibC.Lock(descriptor, LibC.LockShared | LibC.LockNonBlocking) == 0;
        FileIdentity.TryOf($"/proc/self/fd/{descriptor}", out var seen);
        string? work = lines is [_, _, _, var last, ..] && last.StartsWith("works on ", StringComparison.Ordinal) ? last["works on ".Length..] : null;
        return new LifeSight(free, (seen?.Modified ?? 0, seen?.Changed ?? 0), holder) { IsLocked = decidedByLock && !free, Work = work };
    }

    private static string ReadKernel()
    {
        try
        {
            return File.ReadAllText("/proc/sys/kernel/random/boot_id").Trim();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }
}
